"""docs/policy.md says what the schema says: every key, and nothing else; its examples load."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.cli.commands.policy import SUBCOMMANDS
from precheck_gate.documents import validation
from precheck_gate.documents.yaml_document import parse_document
from precheck_gate.model.snapshots import Status
from precheck_gate.policy.linting import LintKind
from precheck_gate.policy.loading import PRESETS, PolicyOptions, builtin_policy, parse_policy
from tests.support.commands import call, write_policy
from tests.support.harness import TODAY
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOC = ROOT / "docs" / "policy.md"
TEXT = DOC.read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
SCHEMA = validation.load_schema("policy-1")
# What means the same as at the top is not documented twice.
LAYERS = {"tasks.*", "profiles.*"}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def keys(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield the path of each key that a schema knows."""
    schema = resolved(schema)
    for branch in schema.get("anyOf", ()):
        yield from keys(branch, path)
    if "items" in schema:
        yield from keys(schema["items"], f"{path}[]")
    for name, inner in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here
        if path not in LAYERS:
            yield from keys(inner, here)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from keys(schema["additionalProperties"], f"{path}.*")


def rows(text: str) -> list[list[str]]:
    """Return the rows of tables with five columns, without their heads."""
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
        if line.startswith("| `") and len(cells) == 5:
            found.append(cells)
    return found


REFERENCE = TEXT.partition("## Reference")[2].partition("## In an editor")[0]
ROWS = rows(REFERENCE)


def test_every_key_of_the_schema_is_documented_once_and_nothing_else() -> None:
    documented = [row[0].strip("`") for row in ROWS]
    assert sorted(documented) == sorted(set(keys(SCHEMA)))


def test_each_row_says_what_it_has_to() -> None:
    for key, kind, default, meaning, _ in ROWS:
        assert kind, key
        assert default, key
        assert meaning, key


def test_what_the_schema_requires_is_called_required_and_nothing_else() -> None:
    def required(schema: dict[str, Any], path: str = "") -> Iterator[str]:
        schema = resolved(schema)
        for branch in schema.get("anyOf", ()):
            yield from required(branch, path)
        if "items" in schema:
            yield from required(schema["items"], f"{path}[]")
        yield from (f"{path}.{name}" if path else name for name in schema.get("required", ()))
        if path not in LAYERS:
            for name, inner in schema.get("properties", {}).items():
                yield from required(inner, f"{path}.{name}" if path else name)

    said = {row[0].strip("`") for row in ROWS if row[2] == "required"}
    assert said == set(required(SCHEMA))


@pytest.mark.parametrize("layer", ["task_layer", "profile"])
def test_a_key_of_a_layer_means_what_it_means_at_the_top(layer: str) -> None:
    def bare(schema: dict[str, Any]) -> dict[str, Any]:
        told = ("description", "$comment")
        return {key: value for key, value in resolved(schema).items() if key not in told}

    for name, inner in SCHEMA["$defs"][layer]["properties"].items():
        at_the_top = bare(SCHEMA["properties"][name])
        if (layer, name) == ("task_layer", "limits"):
            at_the_top["properties"] = {**at_the_top["properties"]}
            del at_the_top["properties"]["max_warnings"]
        assert bare(inner) == at_the_top, name


def test_the_examples_of_the_reference_are_valid_values() -> None:
    tried = 0
    for row in ROWS:
        key, example = row[0].strip("`"), row[4].strip("`")
        # The file that is extended is not there; the rest is tried by the snippets.
        if key in ("version", "extends") or not example or re.search(r"[.*\[]", key):
            continue
        if example != "see below":
            parse_policy(parse_document(f"version: 1\n{key}: {example}\n", "example.yaml"))
            tried += 1
    assert tried >= 5


def test_there_are_enough_snippets() -> None:
    assert len(SNIPPETS) >= 10


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_every_snippet_loads_with_each_of_its_profiles(
    number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for snippet in SNIPPETS:
        named = re.match(r"# (\S+\.yaml)\n", snippet)
        if named:
            write_policy(tmp_path, snippet, named.group(1))
    path = write_policy(tmp_path, SNIPPETS[number], "snippet.yaml")
    done = call(capsys, "policy", "validate", path, "--now", TODAY.isoformat())
    assert (done.code, done.err) == (0, "")
    # An example teaches: it has no warning either.
    done = call(capsys, "policy", "lint", path, "--strict", "--now", TODAY.isoformat())
    assert done.code == 0, done.out


def test_the_presets_are_as_the_table_says() -> None:
    for name in PRESETS:
        policy = builtin_policy(f"builtin:{name}")
        [line] = [line for line in TEXT.splitlines() if line.startswith(f"| `builtin:{name}`")]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        statuses = (Status.PASSED, Status.ALARM, Status.FAILED, Status.UNKNOWN)
        assert cells[1:5] == [policy.statuses[status].effect.value for status in statuses]
        assert cells[5] == policy.skipped.effect.value
        days = policy.max_waiver_days
        assert cells[6] == ("any time" if days is None else f"{days.value} days")


def test_every_command_and_every_kind_of_warning_is_named() -> None:
    for name in SUBCOMMANDS:
        assert f"precheck-gate policy {name}" in TEXT
    for kind in LintKind:
        assert f"| `{kind.value}` |" in TEXT


def test_the_problem_that_is_shown_is_printed_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_policy(tmp_path, "version: 1\n\nstatuses: {ALARM: warm}\n", "precheck-policy.yaml")
    done = call(capsys, "policy", "validate", "precheck-policy.yaml")
    assert f"```text\n{done.err}```" in TEXT


def test_the_explanation_that_is_shown_is_printed_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        "version: 1\nrules:\n  - {match: {item: x}, effect: warn}\n\nwaivers:\n"
        "  - {id: W-17, match: {item: srcDbBinlogIsOff},"
        " reason: r, owner: o, expires: 2027-01-31}\n"
    )
    write_policy(tmp_path, text, "precheck-policy.yaml")
    given = ["--policy", "precheck-policy.yaml", "--now", "2027-02-01"]
    item = ["--item", "srcDbBinlogIsOff", "--status", "FAILED"]
    done = call(capsys, "policy", "explain", *item, *given)
    assert done.out.partition("\n\n")[0] + "\n```" in TEXT
    assert parse_policy(parse_document(text, "p"), PolicyOptions(today=TODAY)).waivers
