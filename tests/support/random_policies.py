"""Policies and answers at random, small enough that their parts meet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.support.harness import body, entry, item, policy, task_id

if TYPE_CHECKING:
    from precheck_gate.policy.model import Policy

ITEMS, GROUPS, REASONS = ("a", "b", "c"), ("g", "h"), ("", "R", "S")
STATUSES = ("PASSED", "ALARM", "FAILED", "NEW", "")
IDS = tuple(map(task_id, range(3)))
DIRECTIONS = ("up", "down", "", None)
PRESETS = ("strict", "default", "permissive")

effects = st.sampled_from(["allow", "warn", "block"])
_names = st.sampled_from([*ITEMS, "*", "[ab]"])

matches = st.fixed_dictionaries(
    {"item": _names},
    optional={
        "status": st.sampled_from(["PASSED", "ALARM", "FAILED", "unknown"]),
        "group": st.sampled_from(GROUPS),
        "failed_reason": st.sampled_from(["R", "*"]),
        "task": st.sampled_from(IDS),
        "direction": st.sampled_from(["up", "*", "[!d]*"]),
    },
)
rules = st.fixed_dictionaries({"match": matches, "effect": effects})

_required = st.sampled_from(ITEMS) | st.fixed_dictionaries(
    {"item": st.sampled_from(ITEMS), "direction": st.sampled_from(["up", "down"])}
)

_subs = st.fixed_dictionaries({"id": st.just("s"), "check_result": st.sampled_from(STATUSES)})


@st.composite
def items(draw: st.DrawFn, statuses: tuple[str, ...] = STATUSES) -> dict[str, Any]:
    """Return an item as the service sends it."""
    more: dict[str, Any] = {"group": draw(st.sampled_from([*GROUPS, "", None]))}
    if reason := draw(st.sampled_from(REASONS)):
        more["failed_reason"] = reason
    if draw(st.integers(0, 4)) == 0:
        more["is_skipped"] = True
    if draw(st.integers(0, 4)) == 0:
        sub = draw(_subs)
        more["failed_sub_jobs"] = [sub | {"check_result": draw(st.sampled_from(statuses))}]
    return item(draw(st.sampled_from(ITEMS)), draw(st.sampled_from(statuses)), **more)


@st.composite
def entries(draw: st.DrawFn, statuses: tuple[str, ...] = STATUSES) -> list[dict[str, Any]]:
    """Return one to three tasks, which are mostly at their end and ready."""
    made = []
    for name in IDS[: draw(st.integers(1, 3))]:
        result = draw(st.sampled_from([True, True, True, False, "true"]))
        process = draw(st.sampled_from(["100%", "100%", "100%", "7%"]))
        inside = draw(st.lists(items(statuses), max_size=4))
        rate = draw(st.sampled_from(["", "100%", "50%"]))
        said = {"total_passed_rate": rate, "job_direction": draw(st.sampled_from(DIRECTIONS))}
        made.append(entry(name, items=inside, process=process, result=result, **said))
    return made


def contents(statuses: tuple[str, ...] = STATUSES) -> st.SearchStrategy[bytes]:
    return entries(statuses).map(lambda made: body(*made))


@st.composite
def policies(draw: st.DrawFn, *, waivers: bool = True) -> dict[str, Any]:
    """Return a policy as its file holds it."""
    made: dict[str, Any] = {
        "version": 1,
        "extends": f"builtin:{draw(st.sampled_from(PRESETS))}",
        "rules": draw(st.lists(rules, max_size=3)),
    }
    if draw(st.booleans()):
        made["statuses"] = draw(st.dictionaries(st.sampled_from(["ALARM", "unknown"]), effects))
    if draw(st.booleans()):
        made["required_items"] = draw(st.lists(_required, max_size=1))
    if draw(st.booleans()):
        made["never_waive"] = draw(
            st.sampled_from([{"groups": "g"}, {"groups": ["?", "i*"]}, {"items": "a"}])
        )
    if draw(st.booleans()):
        bounds = {
            "max_warnings": st.integers(0, 4),
            "max_warnings_per_task": st.integers(0, 3),
            "min_passed_rate": st.sampled_from([0, 50, 100]),
        }
        made["limits"] = draw(st.fixed_dictionaries({}, optional=bounds))
    if waivers:
        made["waivers"] = [
            waiver(number, match)
            for number, match in enumerate(draw(st.lists(matches, max_size=2)))
        ]
    return made


def waiver(number: int, match: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"W-{number}",
        "match": match,
        "reason": "r",
        "owner": "o",
        "expires": "2026-07-01",
    }


def load(made: dict[str, Any]) -> Policy:
    return policy(json.dumps(made))
