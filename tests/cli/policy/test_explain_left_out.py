"""`policy explain` says what the gate makes of fields that DRS left out, and of no status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.commands import gate, write
from tests.support.harness import body, entry, item, without

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """\
version: 1
rules:
- {match: {group: network}, effect: block}
required_items: [{item: new, direction: up}]
waivers:
- {id: W-1, match: {item: '*'}, reason: r, owner: o, expires: 2099-01-01}
never_waive: {groups: [network]}
"""


def explain(folder: Path, *arguments: str) -> str:
    write(folder, policy_yaml=POLICY)
    output = gate("policy", "explain", *arguments, "--policy", folder / "policy.yaml")
    assert (output.code, output.err) == (0, "")
    return " ".join(output.out.split())


def answer(folder: Path, one: dict[str, object]) -> str:
    path = folder / "answer.json"
    path.write_bytes(body(entry(items=[one], job_direction="down")))
    return str(path)


def test_an_item_whose_group_is_not_named_is_explained_as_the_gate_judges_it(
    tmp_path: Path,
) -> None:
    said = explain(tmp_path, "--item", "other", "--status", "ALARM")
    assert "other ALARM: block" in said
    assert "rules[0]: may match (group unknown)" in said
    assert "rules[0]: stricter and may match, block" in said
    assert "not allowed by" in said
    assert "(group unknown)" in said
    named = explain(tmp_path, "--item", "other", "--status", "ALARM", "--group", "x")
    assert "other ALARM: warn" in named


def test_an_item_that_may_be_required_is_explained_as_absent_too(tmp_path: Path) -> None:
    said = explain(tmp_path, "--item", "new")
    assert "may be required (direction unknown) and not PASSED, blocks" in said
    assert "new absent: block" in said
    down = explain(tmp_path, "--item", "new", "--direction", "down")
    assert "absent" not in down


def test_an_answer_without_a_group_is_explained_as_it_is_judged(tmp_path: Path) -> None:
    one = without(item("other", "ALARM"), "group")
    said = explain(tmp_path, answer(tmp_path, one))
    assert "other ALARM: block" in said
    assert "rules[0]: stricter and may match, block" in said
    known = without(item("srcDbConnection", "ALARM"), "group")
    said = explain(tmp_path, answer(tmp_path, known))
    assert "DRS sent no group; the catalogue has network" in said
    assert "rules[0]: matches, block" in said


def test_an_item_without_a_status_is_explained_by_no_line_of_the_policy(tmp_path: Path) -> None:
    said = explain(tmp_path, answer(tmp_path, item("other", "")))
    assert "other no status: block" in said
    assert "there is no status, so no rule and no waiver applies" in said
    assert "decided by gate: every check must have ended: block" in said
    assert "not considered, as nothing blocks" not in said
