"""Scenario files: the schema, what a schema cannot see, the built-in ones, the documentation."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from precheck_gate.documents.validation import load_schema
from precheck_gate.documents.yaml_document import parse_document
from precheck_gate.errors import DocumentError, UsageError
from precheck_gate.simulator.scenario import (
    BUILTIN_SCENARIOS,
    builtin_scenario,
    documented_answer,
    find_scenario,
    load_scenario,
    seconds,
)
from precheck_gate.simulator.tasks import entries
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from precheck_gate.simulator.scenario import Scenario

PAGE = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
ID = "140b5236-88ad-43c8-811c-1268453jb101"
OTHER = "a281f62f-4631-45d6-a2d3-679a9f4jb105"


def load(text: str) -> Scenario:
    return load_scenario(parse_document(text, "s.yaml"))


def problems_of(text: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        load(text)
    return [f"{problem.line}:{problem.column} {problem}" for problem in caught.value.problems]


def task(rest: str) -> str:
    return f"version: 1\ntasks:\n  - id: {ID}\n{rest}"


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(load_schema("scenario-1"))


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        for name, value in schema.get("properties", {}).items():
            yield f"{path}.{name}", value
        for key, value in schema.items():
            yield from properties(value, f"{path}/{key}")


def test_every_property_is_described() -> None:
    found = dict(properties(load_schema("scenario-1")))
    assert len(found) > 60
    assert [name for name, value in found.items() if not value.get("description")] == []


def test_every_object_refuses_unknown_keys() -> None:
    schema = load_schema("scenario-1")
    for part in [schema, *schema["$defs"].values()]:
        if "properties" in part:
            assert part["additionalProperties"] is False


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("version: 1\n", "1:1", "missing key 'tasks'"),
        ("version: 2\ntasks: [{id: x}]", "1:10", "2 must be 1"),
        ("version: 1\ntasks: []", "2:8", "must not be empty"),
        (task("    anser: mysql"), "4:5", "did you mean 'answer'?"),
        (task("    answer: mysqk"), "4:13", "did you mean 'mysql'?"),
        (task("    answer: mysql\n    duration: 6 days"), "5:15", "500ms, 6s, 1.5s"),
        (task("    items: [{result: FAILED}]"), "4:13", "missing key 'item'"),
        ("version: 1\ntasks: [{id: hello, items: []}]", "2:14", "a task ID looks like"),
        (task("    missing: 3\n    items: []"), "4:14", "must be a mapping"),
        (task("    items: []\n    progress: [{at: 0, percent: 101}]"), "5:33", "at most 100"),
        (task("    items: []\nfaults: [{status: 429, retry: 1}]"), "5:24", "'retry_after'"),
        (task("    items: []\nfaults: [{status: 429, when: {request: 0-1}}]"), "5:40", "from 1"),
        # What only a reader sees:
        (task("    name: a"), "3:5", "the task has no items"),
        (
            task(f"    items: []\n  - id: {ID}\n    items: []"),
            "5:9",
            "is the ID or name of another task too",
        ),
        (
            task(f"    name: a\n    items: []\n  - id: {OTHER}\n    name: a\n    items: []"),
            "7:11",
            "'a' is the ID or name of another task too",
        ),
        (
            task("    answer: mysql\n    duration: 1s\n    progress: [{at: 0, percent: 1}]"),
            "5:5",
            "exclude each other",
        ),
        (task("    items: []\n    progress: [{at: 1}]"), "5:16", "either 'percent' or 'raw'"),
        (
            task("    items: []\n    progress: [{at: 2, percent: 1}, {at: 2, percent: 3}]"),
            "5:42",
            "follow each other",
        ),
        (task("    items: [{item: a}, {item: a}]"), "4:31", "is duplicated"),
        (
            task("    answer: mysql\n    items: [{item: srcDbBinlogOff, remove: true}]"),
            "5:20",
            "did you mean 'srcDbBinlogIsOff'?",
        ),
        (task("    items: []\n    missing: {from: 3s, to: 3s}"), "5:29", "later than 'from'"),
        (task("    items: []\n    error: {code: a, from: 3, to: 1}"), "5:35", "later than"),
        (task("    items: []\nfaults: [{retry_after: 1}]"), "5:10", "'status' is missing"),
        (task("    items: []\nfaults: [{kind: redirect}]"), "5:10", "'location' is missing"),
        (
            task("    items: []\nfaults: [{kind: reset, status: 500}]"),
            "5:24",
            "'status' has no meaning for the kind 'reset'",
        ),
        (task("    items: []\nfaults: [{kind: hang, bytes: 5}]"), "5:23", "has no meaning"),
        (
            task("    name: orders\n    items: []\nfaults: [{status: 500, when: {task: order}}]"),
            "6:37",
            "did you mean 'orders'?",
        ),
        (
            task("    items: []\nfaults: [{status: 500, when: {request: 5-2}}]"),
            "5:40",
            "ends before it begins",
        ),
        (
            task('    items: []\nfaults: [{status: 500, retry_after: "1\\r\\nX: y"}]'),
            "5:37",
            "text",
        ),
    ],
)
def test_a_mistake_is_shown_with_its_place(text: str, place: str, words: str) -> None:
    problems = problems_of(text)
    assert any(p.startswith(f"{place} ") and words in p for p in problems), problems


def test_all_mistakes_are_shown_in_the_order_of_the_file() -> None:
    lines = problems_of(
        task("    items: [{item: a}, {item: a}]\nfaults:\n  - {kind: reset, status: 1}").replace(
            "status: 1", "status: 200"
        )
    )
    assert [line.split(":")[0] for line in lines] == ["4", "6"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("6s", 6), ("500ms", 0.5), ("1.5s", 1.5), ("1m30s", 90), ("2h", 7200), (3, 3), (0.25, 0.25)],
)
def test_durations(written: str | float, meant: float) -> None:
    assert seconds(written) == pytest.approx(meant)


@pytest.mark.parametrize("name", BUILTIN_SCENARIOS)
def test_built_in_scenarios_load_and_are_documented(name: str) -> None:
    assert builtin_scenario(name).tasks
    assert f"| `{name}` |" in PAGE


@pytest.mark.parametrize("name", ["mysql", "dds"])
def test_the_documented_answers_are_sent_as_documented(name: str) -> None:
    (simulated,) = builtin_scenario(name).tasks
    (entry,) = entries(simulated, 0.0)
    assert entry == documented_answer(name)
    assert list(entry) == list(documented_answer(name))


def test_the_documented_answers_are_the_ones_known() -> None:
    mysql, dds = (documented_answer(name)["precheck_result"] for name in ("mysql", "dds"))
    assert (len(mysql), len(dds)) == (39, 27)
    assert {item["result"] for item in mysql} == {"PASSED"}
    assert [item["item"] for item in dds if item["result"] == "ALARM"] == [
        "srcCollHasTtlIndex",
        "srcShardKeyConfiguration",
    ]


def test_the_demo_fails_one_task_for_its_binlog() -> None:
    outcomes = {
        simulated.name: entries(simulated, simulated.end)[0]
        for simulated in builtin_scenario("demo").tasks
    }
    assert {name: entry["result"] for name, entry in outcomes.items()} == {
        "orders": True,
        "sessions": True,
        "billing": False,
    }
    failed = [i for i in outcomes["billing"]["precheck_result"] if i["result"] == "FAILED"]
    assert [item["item"] for item in failed] == ["srcDbBinlogIsOff"]
    assert outcomes["billing"]["total_passed_rate"] == "97%"
    passing = builtin_scenario("demo-pass").tasks
    assert all(entries(simulated, simulated.end)[0]["result"] for simulated in passing)


def test_a_scenario_is_found_by_name_or_file(tmp_path: Path) -> None:
    assert find_scenario("mysql") == builtin_scenario("mysql")
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"version": 1, "tasks": [{"id": ID, "items": []}]}))
    assert find_scenario(str(file)).tasks[0].id == ID
    with pytest.raises(UsageError, match="neither a file nor built in") as caught:
        find_scenario("demmo")
    assert "demo-pass" in caught.value.hint
    with pytest.raises(UsageError, match="no built-in scenario 'x'"):
        builtin_scenario("x")


def test_credentials_of_a_scenario_are_not_shown() -> None:
    scenario = load(
        "version: 1\ntoken: hush-token\nusers: [{name: u, password: hush-password}]\n"
        f"tasks: [{{id: {ID}, items: []}}]"
    )
    assert scenario.token == "hush-token"
    assert "hush" not in repr(scenario)


def test_the_examples_of_the_page_are_scenarios() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) == 3
    for example in examples:
        assert load(example).tasks


@pytest.mark.parametrize("part", ["", "task", "item", "when", "fault", "point"])
def test_the_page_names_every_key(part: str) -> None:
    schema = load_schema("scenario-1")
    known = (schema["$defs"][part] if part else schema)["properties"]
    missing = [key for key in known if not re.search(rf"\b{key}\b", PAGE)]
    assert missing == []


def test_the_page_names_every_kind_of_fault() -> None:
    kinds = load_schema("scenario-1")["$defs"]["fault"]["properties"]["kind"]["enum"]
    assert [kind for kind in kinds if f"\n| `{kind}` " not in PAGE] == []
