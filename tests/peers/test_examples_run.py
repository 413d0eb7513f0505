"""The examples as their systems run them: the folder, the mounts, the variables and the command.

A container's root is a folder here: absolute paths that the example declares stand in it, and only
what is mounted there may be written to.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.peers.test_other_systems import (
    ARGO,
    TASKS,
    TEKTON,
    VERDICTS,
    environment,
    instructions,
    run_script,
)
from tests.peers.tools import PROJECT, serve
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name != "posix", reason="plays a Linux machine")

SECRET = "token-of-the-test"
IMAGE_FOLDER = "/gate"  # WORKDIR of the Dockerfile


@dataclass
class Container:
    """A container of an example: what it runs, where, with what, and what it may write to."""

    command: list[str]
    folder: str
    variables: dict[str, str]
    writable: list[str]
    read_only: dict[str, dict[str, str]] = field(default_factory=dict)

    def run(self, root: Path) -> subprocess.CompletedProcess[str]:
        """Run it, and see that it wrote nothing outside of its mounts."""
        for path in (IMAGE_FOLDER, *self.writable, *self.read_only):
            self.place(root, path).mkdir(parents=True, exist_ok=True)
        for path, files in self.read_only.items():
            for name, text in files.items():
                (self.place(root, path) / name).write_text(text, "utf-8")
        before = set(root.rglob("*"))
        done = subprocess.run(
            [self.mapped(root, word) for word in self.command],
            cwd=self.place(root, self.folder),
            env=environment(root.parent)
            | {name: self.mapped(root, text) for name, text in self.variables.items()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        mounts = [self.place(root, path) for path in self.writable]
        written = set(root.rglob("*")) - before
        outside = [one for one in written if not any(one.is_relative_to(to) for to in mounts)]
        assert not outside, f"only {self.writable} can be written to: {outside}"
        return done

    def place(self, root: Path, path: str) -> Path:
        """Return where a path of the container is."""
        return root / path.removeprefix("/")

    def mapped(self, root: Path, text: str) -> str:
        """Return a text with the absolute paths of the container in it as they are here."""
        known = sorted({self.folder, *self.writable, *self.read_only}, key=len, reverse=True)
        pattern = "|".join(map(re.escape, known))
        return re.sub(rf"(?<![\w./-])(?:{pattern})(?=[/\s\"']|$)", lambda m: f"{root}{m[0]}", text)


def variables_of(container: dict[str, Any], expand: dict[str, str]) -> dict[str, str]:
    """Return the variables of a container, with what stands for their expressions."""
    found = {}
    for one in container["env"]:
        if "valueFrom" in one:
            found[one["name"]] = SECRET
            continue
        found[one["name"]] = re.sub(
            r"\$\(([\w.-]+)\)|\{\{([\w.-]+)\}\}",
            lambda match: expand[match[1] or match[2]],
            one["value"],
        )
    return found


def argo(url: str, task: str) -> Container:
    """Return the gate's container of the Argo workflow."""
    spec = yaml.safe_load(ARGO.read_text("utf-8"))["spec"]
    volumes = {one["name"]: one for one in spec["volumes"]}
    (template,) = [one for one in spec["templates"] if one["name"] == "precheck-gate"]
    container = template["container"]
    mounts = {one["mountPath"]: volumes[one["name"]] for one in container["volumeMounts"]}
    expand = {"tasks": task, "region": "eu-west-101", "project-id": PROJECT}
    return Container(
        [*container["command"], *container["args"]],
        container["workingDir"],
        variables_of(container, {f"workflow.parameters.{name}": v for name, v in expand.items()})
        | {"PRECHECK_GATE_ENDPOINT": url},
        [path for path, volume in mounts.items() if "emptyDir" in volume],
        {path: {"policy.yaml": "version: 1\nextends: builtin:default\n"}
         for path, volume in mounts.items() if "configMap" in volume},
    )  # fmt: skip


def tekton(url: str, task: str) -> Container:
    """Return the step of the Tekton task, called with no more than it needs."""
    spec = yaml.safe_load((TEKTON / "task.yaml").read_text("utf-8"))["spec"]
    given = {"tasks": task, "region": "eu-west-101", "project-id": PROJECT}
    params = {one["name"]: one.get("default") for one in spec["params"]} | given
    assert None not in params.values(), "a parameter has neither a default nor a value"
    (step,) = spec["steps"]
    work = "/workspace/work"
    expand = {f"params.{name}": str(value) for name, value in params.items()}
    expand |= {f"results.{one['name']}.path": f"/tekton/{one['name']}" for one in spec["results"]}
    expand["workspaces.work.path"] = work
    text = step["script"]
    for name, value in expand.items():
        text = text.replace(f"$({name})", value)
    folder = step["workingDir"].replace("$(workspaces.work.path)", work)
    mounts = [one["mountPath"] for one in step["volumeMounts"]]
    return Container(
        ["sh", "-c", text],
        folder,
        variables_of(step, expand) | {"PRECHECK_GATE_ENDPOINT": url},
        [work, "/tekton", *mounts],
    )


@pytest.mark.parametrize("scenario", TASKS)
def test_argo_finds_the_outputs_where_it_looks_for_them(tmp_path: Path, scenario: str) -> None:
    root = tmp_path / "root"
    with serve(scenario) as simulator:
        container = argo(simulator.url, TASKS[scenario])
        done = container.run(root)
    blocked = scenario == "blocked"
    assert done.returncode == int(blocked), done.stdout
    spec = yaml.safe_load(ARGO.read_text("utf-8"))["spec"]
    (outputs,) = [one["outputs"] for one in spec["templates"] if one["name"] == "precheck-gate"]
    paths = {one["name"]: one["valueFrom"]["path"] for one in outputs["parameters"]}
    values = {name: container.place(root, path).read_text("utf-8") for name, path in paths.items()}
    assert values["verdict"] == VERDICTS[scenario]
    assert json.loads(values["ready-tasks"]) == ([] if blocked else [TASKS[scenario]])
    (artifacts,) = outputs["artifacts"]
    kept = {one.name for one in container.place(root, artifacts["path"]).iterdir()}
    assert {"precheck-gate-report.json", "precheck-gate-junit.xml"} <= kept


@pytest.mark.parametrize("scenario", TASKS)
def test_tekton_needs_no_policy_of_ones_own(tmp_path: Path, scenario: str) -> None:
    root = tmp_path / "root"
    with serve(scenario) as simulator:
        done = tekton(simulator.url, TASKS[scenario]).run(root)
    assert done.returncode == int(scenario == "blocked"), done.stdout
    assert (root / "tekton" / "verdict").read_text("utf-8") == VERDICTS[scenario]
    assert (root / "workspace" / "work" / "precheck-gate-report.json").exists()


@pytest.mark.parametrize("tasks", [None, *TASKS.values()])
def test_the_image_without_arguments_is_no_pass(tmp_path: Path, tasks: str | None) -> None:
    said = dict(instructions())
    command = [*json.loads(said["ENTRYPOINT"]), *json.loads(said.get("CMD", "[]"))]
    variables = {} if tasks is None else {"PRECHECK_GATE_TASKS": tasks}
    done = Container(command, said["WORKDIR"], variables, []).run(tmp_path / "root")
    assert done.returncode == 2, done.stdout
    assert "Usage: precheck-gate" in done.stdout


def test_the_image_runs_what_it_is_given(tmp_path: Path) -> None:
    said = dict(instructions())
    command = [*json.loads(said["ENTRYPOINT"]), "--version"]
    done = Container(command, said["WORKDIR"], {}, []).run(tmp_path / "root")
    assert (done.returncode, done.stdout[:14]) == (0, "precheck-gate ")


POLICY = "version: 1\nextends: builtin:default\n"
CASES = "version: 1\npolicy: precheck-policy.yaml\ncases: []\n"
FILES = {
    "precheck-policy.yaml": POLICY,
    "precheck-policy.prod.yaml": None,
    "policy.yaml": POLICY,
    "ci/policy.json": '{"version": 1}',
    "ci/precheck-policy-prod.yml": POLICY,
    "precheck-policy.test.yaml": CASES,
    "policy.test.yaml": CASES,
    "precheck-policy.schema.json": "{}",
    "my-policy.yaml": "kind: NetworkPolicy\n",
    "policy.yaml.md": "# Ours\n",
    "policies/network.yaml": "kind: NetworkPolicy\n",
}
MATCHED = {"precheck-policy.yaml", "policy.yaml", "ci/policy.json", "ci/precheck-policy-prod.yml"}


def test_pre_commit_checks_every_policy_and_nothing_else(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    work = tmp_path / "work"
    for name, text in FILES.items():
        if text is not None:
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_text(text, "utf-8")

    matched = {name for name in FILES if re.search(hook["files"], name)}

    assert matched == MATCHED
    done = run_script(f"{hook['entry']} {' '.join(sorted(matched))}", tmp_path)
    assert done.returncode == 0, done.stdout
    (work / "policy.yaml").write_text("version: 1\nrule: []\n", "utf-8")
    done = run_script(f"{hook['entry']} {' '.join(sorted(matched))}", tmp_path)
    assert done.returncode == 2, done.stdout


# -- the GitLab component, whose script is run by a shell of the image ---------------------------


def component(**inputs: str) -> tuple[str, dict[str, str]]:
    """Return the script of the component's job and its variables with these inputs."""
    spec, content = yaml.safe_load_all(
        (ROOT / "templates" / "precheck-gate.yml").read_text("utf-8")
    )
    defaults = {name: one["default"] for name, one in spec["spec"]["inputs"].items()}
    given = {**defaults, "version": "", "project-id": PROJECT, **inputs}
    (job,) = content.values()
    variables = {
        name: re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda m: str(given[m[1]]).lower()
                     if isinstance(given[m[1]], bool) else given[m[1]], text)
        for name, text in job["variables"].items()
    }  # fmt: skip
    return "set -e\n" + "\n".join(job["script"]), variables


def test_the_gitlab_component_runs_with_what_is_given_alone(tmp_path: Path) -> None:
    with serve("passed") as simulator:
        script, variables = component(tasks=TASKS["passed"], endpoint=simulator.url)
        done = run_script(script, tmp_path, **variables)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "name", ["tasks", "tasks-from", "region", "endpoint", "project-id", "policy", "profile"]
)
def test_the_gitlab_component_refuses_an_input_that_was_lost(tmp_path: Path, name: str) -> None:
    with serve("passed") as simulator:
        given = {"tasks": TASKS["passed"], "endpoint": simulator.url}
        script, variables = component(**given | {name: ""})
        done = run_script(script, tmp_path, **variables)
        assert not simulator.requests
    assert done.returncode == 2, done.stdout
    assert f"PRECHECK_GATE_{name.upper().replace('-', '_')} is empty" in done.stdout
