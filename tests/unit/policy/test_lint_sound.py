"""Lint is sound: whatever it says to be so is so, for every item that is tried."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from precheck_gate import catalog
from precheck_gate.documents.yaml_document import parse_document
from precheck_gate.model.snapshots import Status
from precheck_gate.model.verdicts import Effect
from precheck_gate.policy.linting import (
    KnownNames,
    LintKind,
    lint,
    match_covers,
    matches_may_meet,
    may_be_in_doubt,
)
from precheck_gate.policy.loading import PolicyFiles, PolicyOptions
from precheck_gate.policy.model import Match, Patterns, Subject, rule_on
from tests.support.harness import TODAY

NAMES = KnownNames.of(catalog.load())

_word = st.sampled_from(["a", "b", "ab", "a*", "*b", "?", "*", "[ab]"])
_patterns = st.none() | st.lists(_word, min_size=1, max_size=2).map(Patterns)
_statuses = st.none() | st.frozensets(st.sampled_from(Status), min_size=1)
_matches = st.builds(
    Match, _patterns, _patterns, _statuses, _patterns, _patterns, _patterns, _patterns
)
_texts = st.sampled_from(["", "a", "b", "ab", "abb", "*", "[ab]", "c"])
_subjects = st.builds(
    Subject,
    task=_texts,
    direction=_texts,
    item=_texts,
    group=_texts,
    status=st.none() | st.sampled_from(Status),
    failed_reason=_texts,
    skipped=st.booleans(),
    sub_task=st.sampled_from([(), ("a", "b"), ("",)]),
)


# A group or a direction that was left out may be any of these.
_ANY = ("a", "b", "ab", "abb", "zz")


def hits(match: Match, subject: Subject) -> bool:
    keys = ("item", "group", "failed_reason", "task", "direction")
    return (
        (match.status is None or subject.status in match.status)
        and all(
            patterns is None or patterns.match(getattr(subject, key))
            for key in keys
            for patterns in [getattr(match, key)]
        )
        and (match.sub_task is None or any(map(match.sub_task.match, subject.sub_task)))
    )


def worlds(subject: Subject) -> list[Subject]:
    """Return what a subject may be in truth, with all that was left out filled in."""
    return [
        subject._replace(group=group, direction=direction)
        for group in ([subject.group] if subject.group else _ANY)
        for direction in ([subject.direction] if subject.direction else _ANY)
    ]


def surely(match: Match, subject: Subject) -> bool:
    return all(hits(match, world) for world in worlds(subject))


def maybe(match: Match, subject: Subject) -> bool:
    return any(hits(match, world) for world in worlds(subject))


@settings(max_examples=80, deadline=None)
@given(_matches, _matches, st.lists(_subjects, max_size=15))
def test_a_match_said_to_cover_another_does(
    wide: Match, narrow: Match, subjects: list[Subject]
) -> None:
    for subject in subjects:
        if match_covers(wide, narrow):
            assert not surely(narrow, subject) or surely(wide, subject)
            assert not maybe(narrow, subject) or maybe(wide, subject)
        if not matches_may_meet(wide, narrow):
            assert not (surely(wide, subject) and maybe(narrow, subject))
            assert not (maybe(wide, subject) and surely(narrow, subject))
        if not may_be_in_doubt(wide):
            assert surely(wide, subject) == maybe(wide, subject)


_names = st.sampled_from(["a", "b", "a*", "*"])
_rule = st.fixed_dictionaries(
    {
        "match": st.fixed_dictionaries(
            {"item": _names},
            optional={
                "status": st.sampled_from(["PASSED", "ALARM", "FAILED", "unknown"]),
                "group": _names,
                "direction": _names,
            },
        ),
        "effect": st.sampled_from(["allow", "warn", "block"]),
    }
)
_waiver = st.fixed_dictionaries(
    {
        "match": st.fixed_dictionaries(
            {},
            optional={
                "item": _names,
                "status": st.sampled_from(["PASSED", "ALARM", "FAILED"]),
                "sub_task": _names,
                "group": _names,
                "direction": _names,
            },
        ).filter(bool)
    },
    optional={"since": st.sampled_from(["2026-06-01", "2026-06-15", "2026-06-16"])},
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(_rule, max_size=3),
    st.lists(_waiver, min_size=1, max_size=3),
    st.sampled_from([{}, {"items": "a*"}, {"groups": "b"}]),
    st.sampled_from([[], ["a"], [{"item": "a", "direction": "b"}]]),
    st.lists(_subjects, min_size=5, max_size=15),
)
def test_a_warning_of_no_effect_or_of_a_shadow_is_never_a_false_alarm(
    some: list[Any],
    waivers: list[Any],
    never: dict[str, str],
    required: list[Any],
    subjects: list[Subject],
) -> None:
    for number, one in enumerate(waivers):
        one |= {"id": f"W{number}", "reason": "r", "owner": "o", "expires": "2026-06-30"}
    value = {"rules": some, "waivers": waivers, "required_items": required, "version": 1}
    document = parse_document(json.dumps(value | ({"never_waive": never} if never else {})), "p")
    files = PolicyFiles(document, PolicyOptions())
    policy = files.policy()
    warnings = lint(files, NAMES, TODAY)
    useless = {one.problem.path for one in warnings if one.kind is LintKind.NO_EFFECT}
    shadowed = {one.problem.path for one in warnings if one.kind is LintKind.SHADOWED}
    for subject in subjects:
        # Nobody asks about an absent item that is not required, nor about a sub-task of one.
        if subject.status is None and (not required or subject.item != "a" or subject.sub_task):
            continue
        ruling = rule_on(policy, subject, TODAY)
        assert ruling.decision.origin.path not in shadowed
        assert ruling.waiver is None or ruling.waiver.origin.path not in useless
        assert ruling.effect in Effect
