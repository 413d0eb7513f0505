"""DRS in whichever version of its API is there: v3 first, v5 where v3 is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from precheck_gate.errors import ApiGone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from precheck_gate.drs.api.v3 import DrsClient
    from precheck_gate.drs.api.v3_wire import Answer, TaskPage
    from precheck_gate.drs.api.v5 import DrsV5Client
    from precheck_gate.model.snapshots import About, Trouble

_T = TypeVar("_T")
Service: TypeAlias = "DrsClient | DrsV5Client | AutoClient"
"""The calls of DRS that a run needs, in any version of the API."""


class AutoClient:
    """The calls of both clients: of v3 until it turns out to be gone, then of v5.

    Args:
        v3: the client for v3.
        v5: the client for v5.
        starts: whether pre-checks are started here, which gives v5 its query IDs.
        on_v3_gone: called when v3 no longer exists.
    """

    def __init__(
        self, v3: DrsClient, v5: DrsV5Client, *, starts: bool, on_v3_gone: Callable[[str], None]
    ) -> None:
        self._v3 = v3
        self._v5 = v5
        self._starts = starts
        self._on_v3_gone = on_v3_gone
        self._gone = False

    def requests_for(self, tasks: int) -> int:  # noqa: D102
        return self._current.requests_for(tasks)

    def precheck_results(self, task_ids: Sequence[str], seconds: float) -> Answer:  # noqa: D102
        if not self._gone:
            try:
                return self._v3.precheck_results(task_ids, seconds)
            except ApiGone as error:
                # Without a query ID, v5 has no result.
                if not (self._starts or self._v5.knows(task_ids)):
                    error.hint += " Or is v3 gone there? v5 needs --start-precheck or --query-id."
                    raise
                self._leave_v3()
        return self._v5.precheck_results(task_ids, seconds)

    def start(  # noqa: D102
        self, modes: Mapping[str, str], seconds: float
    ) -> dict[str, str | Trouble]:
        return self._first(lambda client: client.start(modes, seconds))

    def statuses(self, task_ids: Sequence[str], seconds: float) -> dict[str, str]:  # noqa: D102
        return self._first(lambda client: client.statuses(task_ids, seconds))

    def details(self, task_ids: Sequence[str], seconds: float) -> dict[str, About]:  # noqa: D102
        # Of the version that answers for results: no reason to change it.
        return self._current.details(task_ids, seconds)

    def task_page(  # noqa: D102
        self, wanted: Mapping[str, Any], page: int, size: int, seconds: float
    ) -> TaskPage:
        return self._first(lambda client: client.task_page(wanted, page, size, seconds))

    @property
    def _current(self) -> DrsClient | DrsV5Client:
        return self._v5 if self._gone else self._v3

    def _first(self, call: Callable[[DrsClient | DrsV5Client], _T]) -> _T:
        if not self._gone:
            try:
                return call(self._v3)
            except ApiGone:
                self._leave_v3()
        return call(self._v5)

    def _leave_v3(self) -> None:
        self._gone = True
        self._on_v3_gone("API v3 is not available here; going on with v5")
