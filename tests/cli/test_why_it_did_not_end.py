"""What keeps a task from being judged to its end is said beside the items that block already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.harness import TASK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.gate import Gate, Serve

HALFWAY = "progress: [{at: 0s, percent: 62}, {at: 1h, percent: 63}]"
FAILED = "items: [{item: srcDbConnection, result: FAILED}, {item: dstDbConnection}]"


def scenario(faults: str = "") -> str:
    more = f"faults: [{faults}]\n" if faults else ""
    return f"version: 1\ntasks:\n  - {{id: {TASK}, {FAILED}, {HALFWAY}}}\n{more}"


@pytest.mark.parametrize(
    ("faults", "code", "said"),
    [
        ("", 3, "the pre-check is at 62 %, not at 100 %"),
        ("{when: {request: 2-}, status: 503}", 4, "The service answered HTTP 503"),
    ],
)
def test_an_item_that_blocks_does_not_hide_why_its_task_did_not_end(
    gate: Gate, serve: Serve, tmp_path: Path, faults: str, code: int, said: str
) -> None:
    page = tmp_path / "gate.md"
    service = serve(scenario(faults))
    outcome = gate.run(service.url, "--timeout", "10s", "--report", f"markdown={page}")
    assert outcome.code == code
    blocking = outcome.out.partition("Blocking")[2]
    assert said in blocking
    assert "srcDbConnection is FAILED" in blocking
    # The row of the task counts what the section lists.
    assert "2 blocking" in outcome.out
    assert said in page.read_text(encoding="utf-8").partition("Tasks")[0].replace("\\", "")


def test_what_a_failed_item_leads_to_is_not_listed_beside_it(gate: Gate, serve: Serve) -> None:
    done = f"version: 1\ntasks: [{{id: {TASK}, {FAILED}}}]\n"
    outcome = gate.run(serve(done).url)
    assert outcome.code == 1
    assert "1 blocking" in outcome.out
    assert "result: false" not in outcome.out


@pytest.mark.parametrize(
    ("task", "policy", "said"),
    [
        ("items: [{item: newCheck, result: ''}]", "", "**`newCheck`** has no status"),
        ("answer: mysql", "required_items: [newCheck]\n", "**`newCheck`** is not checked"),
    ],
)
def test_markdown_tells_an_item_without_a_status_from_one_that_is_absent(
    gate: Gate, serve: Serve, tmp_path: Path, task: str, policy: str, said: str
) -> None:
    page, rules = tmp_path / "gate.md", tmp_path / "policy.yaml"
    rules.write_text(f"version: 1\n{policy}", encoding="utf-8")
    service = serve(f"version: 1\ntasks: [{{id: {TASK}, {task}, result: true}}]\n")
    given = ("--policy", str(rules), "--grace", "1s", "--report", f"markdown={page}")
    assert gate.run(service.url, *given).code == 1
    assert said in page.read_text(encoding="utf-8")
