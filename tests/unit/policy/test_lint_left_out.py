"""Lint knows that DRS may leave out what a rule looks at: what may decide then is not shadowed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from precheck_gate import catalog
from precheck_gate.documents.yaml_document import parse_document
from precheck_gate.policy.linting import KnownNames, LintKind, lint
from precheck_gate.policy.loading import PolicyFiles, PolicyOptions
from tests.support.harness import TODAY

NAMES = KnownNames.of(catalog.load())


def shadowed(*rules: tuple[dict[str, Any], str]) -> list[str]:
    made = [{"match": match, "effect": effect} for match, effect in rules]
    document = parse_document(json.dumps({"version": 1, "rules": made}), "p")
    found = lint(PolicyFiles(document, PolicyOptions()), NAMES, TODAY)
    return [one.problem.path for one in found if one.kind is LintKind.SHADOWED]


WIDE, NARROW = {"group": ["network", "db_params"]}, {"group": "network"}


@pytest.mark.parametrize(("first", "second"), [("allow", "block"), ("warn", "block")])
def test_a_stricter_rule_behind_one_by_group_decides_where_no_group_is_known(
    first: str, second: str
) -> None:
    assert shadowed((WIDE, first), (NARROW, second)) == []
    direction = {"direction": "up"}
    assert shadowed((direction, first), (direction | {"item": "a"}, second)) == []


@pytest.mark.parametrize(("first", "second"), [("block", "allow"), ("warn", "warn")])
def test_a_rule_that_is_no_stricter_is_shadowed_all_the_same(first: str, second: str) -> None:
    assert shadowed((WIDE, first), (NARROW, second)) == ["rules[1]"]


def test_a_rule_that_matches_whatever_was_left_out_shadows_all_behind_it() -> None:
    assert shadowed(({"group": "*"}, "allow"), (NARROW, "block")) == ["rules[1]"]
    assert shadowed(({"item": "*"}, "allow"), (NARROW, "block")) == ["rules[1]"]
