"""DRS by whichever version of its API is there: v3 first, v5 where v3 is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from precheck_gate.errors import ApiGone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from precheck_gate.drs.api.v3 import DrsClient
    from precheck_gate.drs.api.v3_tasks import TaskPage
    from precheck_gate.drs.api.v3_wire import Answer
    from precheck_gate.drs.api.v5 import DrsV5Client
    from precheck_gate.model.snapshots import About, Trouble

__all__ = ["AutoClient", "Service"]

_T = TypeVar("_T")


class Service(Protocol):
    """DRS as a run needs it, whatever the version of its API."""

    def requests_for(self, tasks: int) -> int:
        """Return how many requests it takes to ask for the results of so many tasks."""
        ...

    def precheck_results(self, task_ids: Sequence[str], seconds: float) -> Answer:
        """Return the answer for these tasks."""
        ...

    def start(self, modes: Mapping[str, str], seconds: float) -> dict[str, str | Trouble]:
        """Start the pre-check of each task in its mode."""
        ...

    def statuses(self, task_ids: Sequence[str], seconds: float) -> dict[str, str]:
        """Return the status of each task."""
        ...

    def details(self, task_ids: Sequence[str], seconds: float) -> dict[str, About]:
        """Return what people call each task."""
        ...

    def task_page(
        self, wanted: Mapping[str, Any], page: int, size: int, seconds: float
    ) -> TaskPage:
        """Return one page of the project's tasks."""
        ...


class AutoClient:
    """The calls of both clients; once v3 is found to be gone, v5 is asked alone.

    Args:
        v3: the client for v3.
        v5: the client for v5.
        starts: whether pre-checks are started here, so that query IDs come of it.
        tell: told when v3 is gone.
    """

    def __init__(
        self, v3: DrsClient, v5: DrsV5Client, *, starts: bool, tell: Callable[[str], None]
    ) -> None:
        self._v3 = v3
        self._v5 = v5
        self._starts = starts
        self._tell = tell
        self._gone = False

    def requests_for(self, tasks: int) -> int:
        """Return how many requests it takes to ask for the results of so many tasks."""
        return (self._v5 if self._gone else self._v3).requests_for(tasks)

    def precheck_results(self, task_ids: Sequence[str], seconds: float) -> Answer:
        """Return the answer for these tasks."""

        def old() -> Answer:
            try:
                return self._v3.precheck_results(task_ids, seconds)
            except ApiGone as error:
                # Without a query ID, v5 has nothing to tell.
                if self._starts or self._v5.knows(task_ids):
                    raise
                error.hint += " Or is v3 gone there? v5 needs --start-precheck or --query-id."
                raise _NoWay(error) from None

        try:
            return self._either(old, lambda: self._v5.precheck_results(task_ids, seconds))
        except _NoWay as none:
            raise none.error from None

    def start(self, modes: Mapping[str, str], seconds: float) -> dict[str, str | Trouble]:
        """Start the pre-check of each task in its mode."""
        return self._either(
            lambda: self._v3.start(modes, seconds), lambda: self._v5.start(modes, seconds)
        )

    def statuses(self, task_ids: Sequence[str], seconds: float) -> dict[str, str]:
        """Return the status of each task."""
        return self._either(
            lambda: self._v3.statuses(task_ids, seconds),
            lambda: self._v5.statuses(task_ids, seconds),
        )

    def details(self, task_ids: Sequence[str], seconds: float) -> dict[str, About]:
        """Return what people call each task; asked of the version that answers results."""
        client = self._v5 if self._gone else self._v3
        return client.details(task_ids, seconds)

    def task_page(
        self, wanted: Mapping[str, Any], page: int, size: int, seconds: float
    ) -> TaskPage:
        """Return one page of the project's tasks."""
        return self._either(
            lambda: self._v3.task_page(wanted, page, size, seconds),
            lambda: self._v5.task_page(wanted, page, size, seconds),
        )

    def _either(self, old: Callable[[], _T], new: Callable[[], _T]) -> _T:
        if not self._gone:
            try:
                return old()
            except ApiGone:
                self._gone = True
                self._tell("API v3 is gone here; going on with v5")
        return new()


class _NoWay(Exception):
    """Neither version has an answer; carries the error to raise."""

    def __init__(self, error: ApiGone) -> None:
        super().__init__(error.message)
        self.error = error
