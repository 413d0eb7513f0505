"""Every recipe of docs/cookbook.md is copied out of it, and run as a reader would run it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from precheck_gate.documents.validation import load_schema
from precheck_gate.policy.loading import load_policy
from precheck_gate.policy_tests.case_files import read_case_file
from tests.support.commands import policy_test
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

COOKBOOK = (ROOT / "docs" / "cookbook.md").read_text(encoding="utf-8")
RECIPES = {
    part.splitlines()[0]: part for part in re.split(r"^## (?=\d)", COOKBOOK, flags=re.MULTILINE)[1:]
}
CASES = "precheck-policy.test.yaml"
POLICY = "precheck-policy.yaml"


def copied(recipe: str, folder: Path) -> dict[str, str]:
    """Write the files of a recipe, as a reader would; return them."""
    blocks = re.findall(
        r"^```yaml\n# file: (\S+)\n(.*?)^```$", RECIPES[recipe], flags=re.MULTILINE | re.DOTALL
    )
    for name, text in blocks:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return dict(blocks)


def test_there_are_ten_recipes_and_the_list_at_the_top_names_them() -> None:
    assert len(RECIPES) == 10
    listed = re.findall(r"^\d+\. \[(.+)\]\(#(.+)\)$", COOKBOOK, flags=re.MULTILINE)
    assert [f"{number}. {title}" for number, (title, _) in enumerate(listed, 1)] == list(RECIPES)
    for recipe, (_, anchor) in zip(RECIPES, listed, strict=True):
        assert re.sub(r"[^a-z0-9 -]", "", recipe.lower()).replace(" ", "-") == anchor


def test_every_block_of_yaml_belongs_to_a_file() -> None:
    assert COOKBOOK.count("```yaml\n") == COOKBOOK.count("```yaml\n# file: ")
    assert COOKBOOK.count("```") == 2 * COOKBOOK.count("```yaml\n")


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_cases_of_a_recipe_hold_and_exercise_all_of_its_policy(
    recipe: str, tmp_path: Path
) -> None:
    files = copied(recipe, tmp_path)
    assert {CASES, POLICY} <= files.keys()
    output = policy_test(tmp_path, "--min-coverage", "100")
    assert output.code == 0, output.out
    cases = read_case_file(tmp_path / CASES)
    assert len(cases) >= 3
    assert f"{len(cases)} cases: {len(cases)} passed" in output.out
    # At least one case shows what is refused, and one what may start.
    verdicts = [case.expected["verdict"].want for case in cases if "verdict" in case.expected]
    assert "blocked" in verdicts
    assert {"passed", "passed_with_warnings"} & {
        *verdicts,
        *(one.want for case in cases for one in case.tasks.values()),
    }


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_cases_of_a_recipe_need_its_policy(recipe: str, tmp_path: Path) -> None:
    copied(recipe, tmp_path)
    (tmp_path / POLICY).write_text(
        "version: 1\nprofiles: {staging: {skipped: warn}, production: {skipped: warn}}\n"
    )
    assert policy_test(tmp_path).code == 1


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_expectation_of_a_recipe_can_fail(recipe: str, tmp_path: Path) -> None:
    text = copied(recipe, tmp_path)[CASES]
    swapped = {"verdict: blocked": "verdict: passed", "verdict: passed": "verdict: blocked"}
    changed = re.sub(
        r"verdict: (blocked|passed)(?=[,}\n])", lambda found: swapped[found.group()], text
    )
    assert changed != text
    (tmp_path / CASES).write_text(changed)
    output = policy_test(tmp_path)
    assert output.code == 1
    expected = len(re.findall(r"verdict: (?:blocked|passed)(?=[,}\n])", text))
    assert output.out.count("expect.verdict (line") == expected


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_policy_of_a_recipe_names_itself(recipe: str, tmp_path: Path) -> None:
    files = copied(recipe, tmp_path)
    sources = load_policy(tmp_path / POLICY).sources
    policies = {str(tmp_path / name) for name in files if name != CASES}
    assert {source for source in sources if not source.startswith("builtin:")} == policies


def test_every_key_of_a_case_is_told() -> None:
    section = COOKBOOK.partition("## How to write test cases")[2]
    told = set(re.findall(r"`(\w+)(?:: ?\w*)?`", section))
    schema = load_schema("policy-test-1")
    places = [schema, *(schema["$defs"][name] for name in ("case", "task", "item", "expect"))]
    places.append(schema["$defs"]["finding"])
    assert {key for place in places for key in place["properties"]} - told == set()
