"""The options of ``run`` for what it does on the service: find tasks, start pre-checks, ask."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.cli.options.sections import section
from precheck_gate.cli.options.shared import add_options, option
from precheck_gate.cli.options.types import Duration, Number
from precheck_gate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from precheck_gate.cli.options.task_filters import Filter

__all__ = ["LiveOptions", "live_options"]

MODES = ("forStartJob", "forRetryJob", "auto")
_QUERY = re.compile(r"[!-~]{1,200}")
_NEXT = re.compile(r"\n|\s+(?=(?:name|tag:[^=\s]+|status|type|engine)=)")


class _Select(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """KEY=VALUE, one condition on tasks."""

    name = "key=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Filter:
        """Return the condition."""
        from precheck_gate.cli.options.task_filters import Filter, parse_filter

        if isinstance(value, Filter):
            return value
        try:
            return parse_filter(str(value))
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """Split a variable with several conditions: at lines, and before each ``key=``."""
        return [part.strip() for part in _NEXT.split(rv.strip()) if part.strip()]


class _QueryId(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """TASK_ID=ID, the query ID of a pre-check."""

    name = "task=id"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Return the task and the query ID."""
        from precheck_gate.cli.options.task_lists import is_task_id

        if isinstance(value, tuple):
            return value
        task, _, query = str(value).partition("=")
        if not is_task_id(task) or not _QUERY.fullmatch(query):
            self.fail(f"{value!r} has to be TASK_ID=ID.", param, ctx)
        return task, query


_OPTIONS = (
    *section(
        "Tasks",
        option(
            "--select",
            type=_Select(),
            multiple=True,
            metavar="KEY=VALUE",
            help="Ask for the project's tasks that match: name=GLOB, tag:KEY=VALUE, status=STATUS, "
            "type=migration|sync|cloudDataGuard or engine=NAME. Given again, all must match. None "
            "that matches is an error.",
        ),
        option(
            "--expect-tasks",
            type=click.IntRange(min=1),
            metavar="N",
            help="Fail (exit 2) unless there are exactly N tasks, named or selected.",
        ),
        option(
            "--no-details",
            is_flag=True,
            help="Do not ask for the tasks' names, which reports show beside the IDs.",
        ),
    ),
    *section(
        "Starting pre-checks",
        option(
            "--start-precheck",
            is_flag=True,
            help="Start the pre-checks, and judge those: a result from before never counts.",
        ),
        option(
            "--mode",
            type=click.Choice(MODES),
            default="auto",
            show_default=True,
            help="How to start: forStartJob before the first start of a task, forRetryJob after a "
            "failure; auto goes by the task's status.",
        ),
        option(
            "--until",
            type=click.Choice(["ended", "passed"]),
            default="ended",
            show_default=True,
            help="What to wait for: that the pre-checks end, or that they pass, however often they "
            "are run meanwhile, up to --timeout.",
        ),
        option(
            "--restart-every",
            type=Duration(least=1),
            help="With --until passed, how often a blocked pre-check is started again.",
        ),
    ),
    *section(
        "Service",
        option(
            "--api",
            type=click.Choice(["auto", "v3", "v5"]),
            default="auto",
            show_default=True,
            help="The version of the service's API; auto is v3, and v5 where v3 is gone.",
        ),
        option(
            "--query-id",
            "query_ids",
            type=_QueryId(),
            multiple=True,
            metavar="TASK_ID=ID",
            help="For v5: the query ID of a task's pre-check that was started elsewhere.",
        ),
        option(
            "--max-rps",
            type=Number(min=0.1, max=100.0),
            default=10.0,
            show_default=True,
            metavar="N",
            help="Send at most so many requests a second.",
        ),
        option(
            "--max-retries",
            type=click.IntRange(min=0),
            default=60,
            show_default=True,
            metavar="N",
            help="Repeat at most N failed requests per minute; 0 makes the first fault final. How "
            "long the gate keeps trying is set by --timeout.",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """The values of `live_options`, and of what else concerns the asking."""

    select: Sequence[Filter] = ()
    expect_tasks: int | None = None
    no_details: bool = False
    start_precheck: bool = False
    mode: str = "auto"
    until: str = "ended"
    restart_every: float | None = None
    api: str = "auto"
    query_ids: Sequence[tuple[str, str]] = ()
    max_rps: float = 10.0
    max_retries: int | None = 60
    interval: float | None = None
    save_answers: Path | None = None
    debug_http: bool = False

    @classmethod
    def take(cls, options: Mapping[str, Any]) -> LiveOptions:
        """Return those among a command's options, as click passes them.

        Raises:
            UsageError: they do not go together.
        """
        taken = cls(**{field.name: options[field.name] for field in fields(cls)})
        if taken.restart_every is not None and taken.until != "passed":
            raise UsageError(
                "--restart-every has no meaning without --until passed.",
                hint="Give both, or neither.",
            )
        if taken.mode != "auto" and not taken.start_precheck and taken.restart_every is None:
            raise UsageError(
                "--mode has no meaning without --start-precheck.", hint="Give both, or neither."
            )
        tasks = [task for task, _ in taken.query_ids]
        if len(set(tasks)) < len(tasks):
            raise UsageError("A task has two query IDs.", hint="Check --query-id.")
        if taken.query_ids and taken.api == "v3":
            raise UsageError("--query-id has no meaning with --api v3.", hint="Use --api v5.")
        if taken.save_answers is not None and taken.api == "v5":
            raise UsageError("--save-answers keeps the answers of v3 only.", hint="Leave it out.")
        return taken


def live_options(command: Any) -> Any:
    """Add the options that say what to do on the service."""
    return add_options(command, *_OPTIONS)
