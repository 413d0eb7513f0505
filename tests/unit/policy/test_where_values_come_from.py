"""Of each value of a policy its file, line and path are known, and the place of each error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.errors import DocumentError
from precheck_gate.model.snapshots import Status
from tests.support.harness import TASK, policy

if TYPE_CHECKING:
    from collections.abc import Callable

EVERYTHING = f"""\
version: 1
statuses: {{ALARM: allow}}
skipped: block
rules:
- {{match: {{item: a}}, effect: warn}}
- {{match: {{item: b}}, effect: allow, reason: agreed}}
required_items:
- c
- {{item: d, task: 1*, direction: up}}
limits:
  max_warnings: 1
  max_warnings_per_task: 2
  min_passed_rate: 3
allow_empty: true
waivers:
- {{id: W, match: {{item: e}}, reason: r, owner: o, expires: 2026-07-01}}
- {{id: V, match: {{item: e}}, reason: r, owner: o, expires: 2026-07-01, ticket: T-1}}
never_waive: {{items: f, groups: g}}
max_waiver_days: 20
baseline: {{known_warnings: allow}}
tasks:
  {TASK}:
    statuses: {{ALARM: block}}
    rules: [{{match: {{item: h}}, effect: block}}]
profiles:
  strict:
    limits: {{max_warnings: 0}}
    rules: [{{match: {{item: i}}, effect: block}}]
"""

PLACES: dict[str, Callable[[Any], Any]] = {
    "2 statuses.ALARM": lambda by: by.statuses[Status.ALARM].origin,
    "3 skipped": lambda by: by.skipped.origin,
    "5 rules[0]": lambda by: by.rules[0].decision.origin,
    "6 rules[1]": lambda by: by.rules[1].decision.origin,
    "8 required_items[0]": lambda by: by.required[0].origin,
    "9 required_items[1]": lambda by: by.required[1].origin,
    "11 limits.max_warnings": lambda by: by.limits.max_warnings.origin,
    "12 limits.max_warnings_per_task": lambda by: by.limits.max_warnings_per_task.origin,
    "13 limits.min_passed_rate": lambda by: by.limits.min_passed_rate.origin,
    "14 allow_empty": lambda by: by.allow_empty.origin,
    "16 waivers[0]": lambda by: by.waivers[0].origin,
    "17 waivers[1]": lambda by: by.waivers[1].origin,
    "18 never_waive": lambda by: by.never_waive[0].origin,
    "19 max_waiver_days": lambda by: by.max_waiver_days.origin,
    "20 baseline.known_warnings": lambda by: by.known_warnings.origin,
    f"23 tasks.{TASK}.statuses.ALARM": lambda by: by.tasks[0][1].statuses[Status.ALARM].origin,
    f"24 tasks.{TASK}.rules[0]": lambda by: by.tasks[0][1].rules[0].decision.origin,
}
IN_PROFILE: dict[str, Callable[[Any], Any]] = {
    "27 profiles.strict.limits.max_warnings": lambda by: by.limits.max_warnings.origin,
    "28 profiles.strict.rules[0]": lambda by: by.rules[0].decision.origin,
}


@pytest.mark.parametrize("place", PLACES)
def test_every_value_knows_its_file_its_line_and_its_path(place: str) -> None:
    assert str(PLACES[place](policy(EVERYTHING))) == f"policy.yaml:{place}"


@pytest.mark.parametrize("place", IN_PROFILE)
def test_what_a_profile_says_is_named_with_the_profile(place: str) -> None:
    assert str(IN_PROFILE[place](policy(EVERYTHING, "strict"))) == f"policy.yaml:{place}"


BELOW = """\
version: 1
skipped:
  block
limits:
  max_warnings:
    1
allow_empty:
  true
never_waive:
  items: f
"""


@pytest.mark.parametrize(
    "place", ["2 skipped", "5 limits.max_warnings", "7 allow_empty", "9 never_waive"]
)
def test_a_value_below_its_key_is_named_by_the_line_of_the_key(place: str) -> None:
    find = next(found for name, found in PLACES.items() if name.endswith(place[1:]))
    assert str(find(policy(BELOW))) == f"policy.yaml:{place}"


def test_what_the_author_wrote_beside_a_value_is_kept_and_what_was_left_out_is_nothing() -> None:
    by = policy(EVERYTHING)
    assert [one.decision.reason for one in by.rules] == ["", "agreed"]
    assert [(one.ticket, one.since) for one in by.waivers] == [("", None), ("T-1", None)]
    assert [(one.reason, one.owner) for one in by.waivers] == [("r", "o")] * 2


def waiver(name: str, **fields: str) -> str:
    said = {"id": name, "match": "{item: a}", "reason": "r", "owner": "o", **fields}
    said.setdefault("expires", "2026-07-01")
    return "{" + ", ".join(f"{key}: {value}" for key, value in said.items()) + "}"


def problems(text: str) -> list[tuple[int, str]]:
    with pytest.raises(DocumentError) as caught:
        policy(text)
    return [(problem.line, problem.path) for problem in caught.value.problems]


def test_all_that_is_wrong_with_waivers_is_told_once_in_the_order_of_the_file() -> None:
    late = waiver("A", since="2026-07-02")
    no_days = waiver("B", since="2026-02-30", expires="2026-02-31")
    text = (
        f"version: 1\nwaivers:\n- {late}\n- {no_days}\n- {waiver('A')}\n"
        f"profiles:\n  p: {{waivers: [{waiver('A')}]}}\n  q: {{waivers: [{waiver('C')}]}}\n"
    )
    assert problems(text) == [
        (3, "waivers[0]"),
        (4, "waivers[1].since"),
        (4, "waivers[1].expires"),
        (5, "waivers[2]"),
        (7, "profiles.p.waivers[0]"),
    ]


def test_a_waivers_id_twice_names_where_it_was_first() -> None:
    with pytest.raises(DocumentError) as caught:
        policy(f"version: 1\nwaivers:\n- {waiver('A')}\n- {waiver('A')}\n")
    [problem] = caught.value.problems
    assert (problem.line, problem.hint) == (4, "first in policy.yaml:3 waivers[0]")


def test_a_waiver_of_one_day_and_one_that_begins_today_are_fine() -> None:
    one_day = waiver("A", since="2026-07-01", expires="2026-07-01")
    assert [one.id for one in policy(f"version: 1\nwaivers: [{one_day}]\n").waivers] == ["A"]
