"""Which of a project's tasks are meant: ``--select name=glob`` and the like, and finding them."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from precheck_gate.cli.options.task_lists import is_task_id
from precheck_gate.errors import ServiceError, UsageError
from precheck_gate.safetext.cleaning import clean_line, few, shorten
from precheck_gate.safetext.pasted_secrets import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from precheck_gate.drs.api.v3_wire import TaskPage
    from precheck_gate.model.snapshots import About

__all__ = ["KEYS", "Filter", "check_count", "find_tasks", "parse_filter"]

KEYS = ("name", "tag:KEY", "status", "type", "engine")
TYPES = ("migration", "sync", "cloudDataGuard")
PAGE_SIZE = 100
_MOST_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition: ``key`` is name, status, type, engine or tag; ``tag`` names the tag."""

    key: str
    value: str
    tag: str = ""

    def __str__(self) -> str:
        return f"{self.key}{f':{self.tag}' if self.tag else ''}={self.value}"


def parse_filter(text: str) -> Filter:
    """Read a condition.

    Raises:
        ValueError: it is none; its words are for people.
    """
    left, _, value = text.partition("=")
    key, colon, tag = left.partition(":")
    if not value:
        raise ValueError(f"{text!r} has to be KEY=VALUE, such as name=orders-*")
    if key == "tag" and not tag:
        raise ValueError(f"{text!r} names no tag; write tag:wave=3")
    if key not in ("name", "tag", "status", "type", "engine") or (colon and key != "tag"):
        shown = quoted(left, whole=text)
        raise ValueError(f"there is no {shown} to select by; known: {', '.join(KEYS)}")
    if key == "type" and value not in TYPES:
        raise ValueError(f"there is no type {value!r}; known: {', '.join(TYPES)}")
    return Filter(key, value, tag)


def find_tasks(
    filters: Sequence[Filter], ask: Callable[[Mapping[str, Any], int, int], TaskPage]
) -> dict[str, About]:
    """Return the tasks that all filters match, in the order of the list.

    Args:
        filters: at least one.
        ask: returns a page: what is wanted, the number of the page from 1, its size.

    Raises:
        UsageError: none matches.
        ServiceError: the list cannot be had, or not whole.
    """
    if contradiction := _contradiction(filters):
        raise UsageError(f"No task can match: {contradiction}.", hint="Check --select.")
    found = _matching(filters, _all(_wanted(filters), ask))
    if not found:
        said = " and ".join(clean_line(shorten(str(one), 80)) for one in filters)
        raise UsageError(
            f"No task matches {said}.",
            hint="Check --select, --project-id and --region; an empty selection is never a pass.",
        )
    odd = next((task for task in found if not is_task_id(task)), None)
    if odd is not None:
        raise ServiceError(
            f"The list of tasks names {clean_line(shorten(odd, 60))!r}, which is no task's ID.",
            hint="Name the tasks instead.",
        )
    return found


def check_count(expected: int | None, found: int) -> None:
    """Hold the number of tasks against the one that is expected.

    Raises:
        UsageError: it is another.
    """
    if expected is not None and found != expected:
        raise UsageError(
            f"{expected} tasks are expected (--expect-tasks), and there are {found}.",
            hint="Check --select and the list of tasks.",
        )


def _contradiction(filters: Sequence[Filter]) -> str:
    values: dict[tuple[str, str], str] = {}
    for one in filters:
        if one.key == "name":
            continue
        before = values.setdefault((one.key, one.tag), one.value)
        if before != one.value:
            return f"{clean_line(str(one))} and the same with {clean_line(before)}"
    return ""


def _wanted(filters: Sequence[Filter]) -> dict[str, Any]:
    """Return what the service can sort out itself; globs of names it cannot."""
    wire = {"status": "status", "type": "db_use_type", "engine": "engine_type"}
    wanted: dict[str, Any] = {wire[one.key]: one.value for one in filters if one.key in wire}
    tags = {one.tag: one.value for one in filters if one.key == "tag"}
    return {**wanted, "tags": tags} if tags else wanted


def _matching(filters: Sequence[Filter], listed: Mapping[str, About]) -> dict[str, About]:
    """Return the tasks that all filters match; one that cannot be decided may be one of them."""
    found: dict[str, About] = {}
    undecided: dict[str, list[str]] = {}
    for task, about in listed.items():
        matches = [_matches(one, about) for one in filters]
        if all(matches):
            found[task] = about
        elif False not in matches:
            undecided.setdefault(filters[matches.index(None)].key, []).append(task)
    if undecided:
        key, tasks = next(iter(undecided.items()))
        raise ServiceError(
            f"The list of tasks gives no {key} for {few(tasks)}: whether --select means "
            f"{'it' if len(tasks) == 1 else 'them'} cannot be decided.",
            hint=f"Select by something else than the {key}, or name the tasks.",
        )
    return found


def _matches(one: Filter, about: About) -> bool | None:
    """Return whether a filter matches; None where the list does not have what decides it."""
    # Tags are not in the list: there the service's word has to do.
    match one.key:
        case "name":
            return fnmatchcase(about.name, one.value) if about.name.strip() else None
        case "status":
            return about.status == one.value if about.status.strip() else None
        case "type":
            return about.kind in ("", one.value)
        case "engine":
            return about.engine in ("", one.value)
        case _:
            return True


def _all(
    wanted: Mapping[str, Any], ask: Callable[[Mapping[str, Any], int, int], TaskPage]
) -> dict[str, About]:
    """Return all tasks; a list that is not whole could hide one that is meant."""
    found: dict[str, About] = {}
    totals: list[int] = []
    for page in range(1, _MOST_PAGES + 1):
        answer = ask(wanted, page, PAGE_SIZE)
        totals.append(answer.total)
        if answer.total != totals[0]:
            raise ServiceError(
                f"The list of tasks changed while it was read: {totals[0]}, then {answer.total}.",
                hint="Run the gate again, or name the tasks.",
            )
        found |= answer.tasks
        if len(found) >= answer.total:
            break
        if not answer.tasks:
            raise ServiceError(
                f"The list of tasks ends after {len(found)} of {answer.total}.",
                hint="It may have changed meanwhile: run the gate again, or name the tasks.",
            )
    else:
        raise ServiceError("The list of tasks does not end.", hint="Name the tasks instead.")
    if len(found) > answer.total:
        raise ServiceError(
            f"The list of tasks holds {len(found)}, and says that there are {answer.total}.",
            hint="It may have changed meanwhile: run the gate again, or name the tasks.",
        )
    return found
