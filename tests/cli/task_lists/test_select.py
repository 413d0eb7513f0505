"""`run --select`: what matched is told, nothing is an error, and names enrich the reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.outcome import ID, OTHER, task_id

if TYPE_CHECKING:
    from tests.support.gate import Gate, Serve

THIRD = task_id(3)
FLEET = f"""
version: 1
tasks:
  - {{id: {ID}, name: orders-eu, items: [{{item: a}}], tags: {{wave: "3"}}}}
  - {{id: {OTHER}, name: orders-us, items: [{{item: a, result: FAILED}}], tags: {{wave: "4"}},
     status: PAUSING, type: sync, engine: postgresql}}
  - {{id: {THIRD}, name: billing, items: [{{item: a}}], tags: {{wave: "3"}}}}
"""


@pytest.mark.parametrize(
    ("filters", "matched"),
    [
        (["name=orders-*"], [ID, OTHER]),
        (["name=orders-*", "tag:wave=3"], [ID]),
        (["tag:wave=3"], [ID, THIRD]),
        (["status=PAUSING"], [OTHER]),
        (["type=migration", "engine=mysql"], [ID, THIRD]),
        (["engine=postgresql"], [OTHER]),
    ],
)
def test_what_matches_is_asked_for_and_told(
    gate: Gate, serve: Serve, filters: list[str], matched: list[str]
) -> None:
    options = [f"--select={one}" for one in filters]
    outcome = gate.run(serve(FLEET).url, *options, tasks=[])
    assert outcome.code == (1 if OTHER in matched else 0)
    assert outcome.report["requested"] == matched
    names = {ID: "orders-eu", OTHER: "orders-us", THIRD: "billing"}
    assert [task["name"] for task in outcome.report["tasks"]] == [names[one] for one in matched]
    outcome.says(f"selected by {' and '.join(filters)}", *(names[one] for one in matched))


def test_nothing_that_matches_is_an_error(gate: Gate, serve: Serve) -> None:
    outcome = gate.run(serve(FLEET).url, "--select=name=order", tasks=[])
    assert outcome.code == 2
    outcome.reports("No task matches name=order")


@pytest.mark.parametrize(("expected", "code"), [("2", 1), ("3", 2), ("1", 2)])
def test_the_expected_number(gate: Gate, serve: Serve, expected: str, code: int) -> None:
    service = serve(FLEET)
    outcome = gate.run(service.url, "--select=name=orders-*", "--expect-tasks", expected, tasks=[])
    assert outcome.code == code
    if code == 2:
        assert not [one for one in service.requests if one.path.endswith("-result")]


def test_naming_and_selecting_at_once_is_refused(gate: Gate, serve: Serve) -> None:
    service = serve(FLEET)
    assert gate.run(service.url, "--select=name=*").code == 2
    assert not service.requests


def test_a_fleet_of_more_than_one_page(gate: Gate, serve: Serve) -> None:
    lines = "\n".join(f"  - {{id: {task_id(n)}, items: [{{item: a}}]}}" for n in range(230))
    service = serve(f"\nversion: 1\ntasks:\n{lines}\n")
    outcome = gate.run(service.url, "--select=status=CONFIGURATION", tasks=[])
    assert outcome.code == 0
    assert len(outcome.report["tasks"]) == 230


@pytest.mark.parametrize("fault", ["status: 404", "status: 403", "kind: html", "status: 503"])
def test_a_list_that_cannot_be_had_is_no_pass(gate: Gate, serve: Serve, fault: str) -> None:
    url = serve(f"{FLEET}faults: [{{when: {{call: list}}, {fault}}}]\n").url
    assert gate.run(url, "--select=name=orders-*", tasks=[]).code == 4


def test_selections_from_the_environment(
    gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRECHECK_GATE_SELECT", "name=orders-* tag:wave=3")
    assert gate.run(serve(FLEET).url, tasks=[]).report["requested"] == [ID]


def test_names_enrich_every_report(gate: Gate, serve: Serve) -> None:
    html = gate.folder / "report.html"
    outcome = gate.run(serve(FLEET).url, f"--report=html={html}")
    assert outcome.code == 0
    (task,) = outcome.report["tasks"]
    assert (task["name"], task["engine"]) == ("orders-eu", "mysql")
    outcome.reports("orders-eu")
    assert f"{ID}  passed  1 allowed  orders-eu" in outcome.out
    assert f"{ID} (orders-eu)" in outcome.err
    assert "orders-eu" in html.read_text(encoding="utf-8")


def test_names_are_not_asked_for_without_details(gate: Gate, serve: Serve) -> None:
    service = serve(FLEET)
    outcome = gate.run(service.url, "--no-details")
    assert outcome.code == 0
    assert "name" not in outcome.report["tasks"][0]
    assert not [one for one in service.requests if one.path.endswith("batch-detail")]


@pytest.mark.parametrize(
    "fault", ["status: 403", "status: 400", "status: 503", "kind: garbage", "kind: reset"]
)
def test_names_that_cannot_be_had_fail_nothing(gate: Gate, serve: Serve, fault: str) -> None:
    url = serve(f"{FLEET}faults: [{{when: {{call: detail}}, {fault}}}]\n").url
    outcome = gate.run(url)
    assert outcome.code == 0
    outcome.says("the names of the tasks are not known")
