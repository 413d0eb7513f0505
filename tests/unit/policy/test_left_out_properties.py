"""What DRS left out never helps: without a field no verdict is better than with any value of it."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.harness import (
    Judged,
    body,
    entry,
    item,
    judge,
    task_id,
)
from tests.support.strategies import load, waiver

often = settings(deadline=None, max_examples=80)

# No catalogue knows these; "z" is a group, and "down" a direction, that no policy here names.
ITEMS, GROUPS, DIRECTIONS = ("a", "b"), ("g", "h", "z"), ("up", "non-dbs", "down")
TASKS = (task_id(1), task_id(2))
nothing = st.sampled_from(["absent", None, "", " "])

_looks_at_it = {
    "group": st.sampled_from(["g", "h", "?", ["g", "h"], "*"]),
    "direction": st.sampled_from(["up", "[!d]*", "*"]),
}
_others = {"item": st.sampled_from(ITEMS), "status": st.sampled_from(["PASSED", "ALARM", "FAILED"])}
_effects = st.sampled_from(["allow", "warn", "block"])


def matches(keys: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys).filter(bool)


def policies(keys: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Return policies whose rules and waivers look at ``keys`` and no other."""
    matched = matches(keys)
    rules = st.lists(
        st.fixed_dictionaries({"match": matched, "effect": _effects}), min_size=1, max_size=4
    )
    waivers = st.lists(matched, max_size=2).map(
        lambda found: [waiver(number, match) for number, match in enumerate(found)]
    )
    by_direction = st.fixed_dictionaries(
        {"item": st.sampled_from([*ITEMS, "absent"]), "direction": st.just("up")}
    )
    protection: dict[str, st.SearchStrategy[Any]] = {}
    if "group" in keys:
        protection["never_waive"] = st.just({"groups": "g"})
    if "direction" in keys:
        protection["required_items"] = st.lists(by_direction, max_size=1)
    return st.fixed_dictionaries(
        {
            "version": st.just(1),
            "extends": st.sampled_from(["builtin:default", "builtin:permissive"]),
            "rules": rules,
            "waivers": waivers,
        },
        optional={"limits": st.just({"max_warnings": 1}), **protection},
    )


@st.composite
def answers(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return tasks at their end that DRS would start, each of their fields there."""
    made = []
    for task in TASKS[: draw(st.integers(1, 2))]:
        items = [
            item(name, draw(st.sampled_from(["PASSED", "ALARM", "FAILED"])), group=group)
            for name in ITEMS[: draw(st.integers(1, 2))]
            for group in [draw(st.sampled_from(GROUPS))]
        ]
        direction = draw(st.sampled_from(DIRECTIONS))
        made.append(entry(task, items=items, job_direction=direction))
    return made


def put(value: dict[str, Any], key: str, said: Any) -> dict[str, Any]:
    rest = {name: inner for name, inner in value.items() if name != key}
    return rest if said == "absent" else rest | {key: said}


def without_groups(tasks: list[dict[str, Any]], said: Any) -> list[dict[str, Any]]:
    return [
        one | {"precheck_result": [put(it, "group", said) for it in one["precheck_result"]]}
        for one in tasks
    ]


def without_directions(tasks: list[dict[str, Any]], said: Any) -> list[dict[str, Any]]:
    return [put(one, "job_direction", said) for one in tasks]


def judged(tasks: list[dict[str, Any]], made: dict[str, Any]) -> Judged:
    return judge(body(*tasks), [one["precheck_id"] for one in tasks], load(made))


def check_not_greener(less: Judged, complete: Judged) -> None:
    assert less.verdict.severity >= complete.verdict.severity
    for one, other in zip(complete.tasks, less.tasks, strict=True):
        assert other.verdict.severity >= one.verdict.severity


@often
@given(answers(), policies(_others | _looks_at_it), nothing)
def test_an_answer_without_groups_is_judged_no_better_than_with_any(
    tasks: list[dict[str, Any]], made: dict[str, Any], said: Any
) -> None:
    check_not_greener(judged(without_groups(tasks, said), made), judged(tasks, made))


@often
@given(answers(), policies(_others | _looks_at_it), nothing)
def test_an_answer_without_directions_is_judged_no_better_than_with_any(
    tasks: list[dict[str, Any]], made: dict[str, Any], said: Any
) -> None:
    check_not_greener(judged(without_directions(tasks, said), made), judged(tasks, made))


@often
@given(answers(), policies(_others | _looks_at_it), nothing)
def test_an_answer_without_both_is_judged_no_better_than_with_either(
    tasks: list[dict[str, Any]], made: dict[str, Any], said: Any
) -> None:
    neither = judged(without_directions(without_groups(tasks, said), said), made)
    check_not_greener(neither, judged(without_groups(tasks, said), made))
    check_not_greener(neither, judged(without_directions(tasks, said), made))


@often
@given(answers(), policies(_others), nothing)
def test_a_policy_that_looks_at_neither_judges_as_if_nothing_were_left_out(
    tasks: list[dict[str, Any]], made: dict[str, Any], said: Any
) -> None:
    less = judged(without_directions(without_groups(tasks, said), said), made)
    complete = judged(tasks, made)
    assert less.run == complete.run
    assert [one.verdict for one in less.tasks] == [one.verdict for one in complete.tasks]


def naive_effect(made: dict[str, Any], one: dict[str, Any], direction: str) -> set[str]:
    """Return every effect that rules may have, whatever was left out, in the plainest words."""
    effects = set()
    for group in [one["group"]] if one["group"] else GROUPS:
        for way in [direction] if direction else DIRECTIONS:
            for rule in made["rules"]:
                if _naive_match(rule["match"], one | {"group": group}, way):
                    effects.add(rule["effect"])
                    break
            else:
                permissive = made["extends"] == "builtin:permissive"
                alarm = "allow" if permissive else "warn"
                effects.add({"PASSED": "allow", "ALARM": alarm, "FAILED": "block"}[one["result"]])
    return effects


def _naive_match(match: dict[str, Any], one: dict[str, Any], direction: str) -> bool:
    groups = {"g": ["g"], "h": ["h"], "?": GROUPS, "*": GROUPS}
    ways = {"up": ["up"], "[!d]*": ["up", "non-dbs"], "*": DIRECTIONS}
    wanted = match.get("group", "*")
    return (
        match.get("item", one["item"]) == one["item"]
        and match.get("status", one["result"]) == one["result"]
        and one["group"] in (wanted if isinstance(wanted, list) else groups[wanted])
        and direction in ways[match.get("direction", "*")]
    )


@often
@given(answers(), policies(_others | _looks_at_it), st.booleans(), st.booleans())
def test_an_item_has_at_least_the_strictest_effect_that_may_be_right(
    tasks: list[dict[str, Any]], made: dict[str, Any], no_groups: bool, no_directions: bool
) -> None:
    """Against an oracle that tries every group and direction there is."""
    made = {key: made[key] for key in ("version", "extends", "rules")}
    tasks = without_groups(tasks, "") if no_groups else tasks
    tasks = without_directions(tasks, "") if no_directions else tasks
    order = ["allow", "warn", "block"]
    for one, found in zip(tasks, judged(tasks, made).tasks, strict=True):
        items = [finding for finding in found.findings if finding.kind.value == "item"]
        for it, finding in zip(one["precheck_result"], items, strict=True):
            possible = naive_effect(made, it, one["job_direction"])
            got = order.index(finding.effect.value)
            assert got >= max(map(order.index, possible))
            if not no_groups and not no_directions:
                assert {finding.effect.value} == possible
