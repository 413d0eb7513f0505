"""The GitLab example, really run: what the gate says decides whether the migration starts."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from precheck_gate.cli.commands.run import run as run_command
from tests.peers.composite import clean_environment
from tests.peers.tools import BLOCKS, PASSES, PROJECT, WARNS, node_package, program, serve
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(os.name != "posix", reason="plays a Linux runner"),
]

PLAIN = ROOT / "examples" / "gitlab" / ".gitlab-ci.yml"
WITH_COMPONENT = ROOT / "examples" / "gitlab" / "component.gitlab-ci.yml"
COMPONENT = ROOT / "templates" / "precheck-gate.yml"
STARTER = ROOT / "tests" / "peers" / "gitlab_ci_local.mjs"
MIGRATED = "Replace this line with the command that starts your migration."


@dataclass
class Pipeline:
    """A repository with the example in it, on a machine with precheck-gate installed."""

    folder: Path
    package: Path
    text: str

    def __post_init__(self) -> None:
        self.repository = self.folder / "repository"
        (self.repository / "templates").mkdir(parents=True)
        shutil.copy(COMPONENT, self.repository / "templates")
        (self.repository / ".gitlab-ci.yml").write_text(self.text, "utf-8")
        self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "A pipeline")
        bin_folder = self.folder / "bin"
        bin_folder.mkdir()
        command = bin_folder / "precheck-gate"
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m precheck_gate "$@"\n', "utf-8")
        command.chmod(0o755)
        self.env = clean_environment() | {
            "PATH": f"{bin_folder}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
        }

    def git(self, *arguments: str) -> None:
        """Run git as somebody."""
        who = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
        subprocess.run(["git", *who, *arguments], cwd=self.repository, check=True)

    def run(self, variables: dict[str, str]) -> tuple[int, str]:
        """Run the pipeline with these project variables; return its exit code and its log."""
        settings = [f"--variable={name}={value}" for name, value in variables.items()]
        done = subprocess.run(
            ["node", str(STARTER), str(self.package), "--force-shell-executor", *settings],
            cwd=self.repository,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        return done.returncode, re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)

    def artifact(self, name: str) -> Path:
        """Return the path of an artifact that the gate's job uploaded."""
        return self.repository / ".gitlab-ci-local" / "artifacts" / "precheck-gate" / name


def make(tmp_path: Path, text: str) -> Pipeline:
    """Return a pipeline of this text, or skip where a tool is missing."""
    program("rsync", debian="rsync")
    program("git", debian="git")
    return Pipeline(tmp_path, node_package("gitlab-ci-local"), text)


def plain(tmp_path: Path) -> Pipeline:
    """Return the pipeline of the example with a plain job."""
    return make(tmp_path, PLAIN.read_text("utf-8"))


def with_component(tmp_path: Path, **inputs: str) -> Pipeline:
    """Return the pipeline of the example with the component, which comes from the same repository.

    Where it comes from and its inputs are all that differs from the example.
    """
    text = yaml.safe_load(WITH_COMPONENT.read_text("utf-8"))
    (include,) = text["include"]
    del include["component"]
    given = {"stage": include["inputs"]["stage"], "version": "", "project-id": PROJECT} | inputs
    text["include"] = [{"local": "templates/precheck-gate.yml", "inputs": given}]
    return make(tmp_path, yaml.safe_dump(text))


def variables(endpoint: str, task: str) -> dict[str, str]:
    """Return what a project would set for the plain job."""
    return {
        "PRECHECK_GATE_INSTALL": "true",
        "PRECHECK_GATE_ENDPOINT": endpoint,
        "PRECHECK_GATE_PROJECT_ID": PROJECT,
        "PRECHECK_GATE_TASKS": task,
        **SECRET,
    }


SECRET = {"PRECHECK_GATE_TOKEN": "token-of-the-test"}
CASES = {
    "passed": (PASSES, "PASS", 0),
    "warned": (WARNS, "WARN", 10),
    "blocked": (BLOCKS, "FAIL", 1),
    "endless": (PASSES, "FAIL", 3),
}
VERDICTS = {0: "passed", 10: "passed_with_warnings", 1: "blocked", 3: "incomplete"}


@pytest.mark.parametrize(
    ("kind", "scenario"),
    [
        *(("component", scenario) for scenario in CASES),
        *(("plain", scenario) for scenario in ("passed", "blocked")),
    ],
)
def test_the_verdict_decides_whether_the_migration_starts(
    tmp_path: Path, kind: str, scenario: str
) -> None:
    task, status, gate_code = CASES[scenario]
    with serve(scenario) as simulator:
        if kind == "plain":
            pipeline = plain(tmp_path)
            code, log = pipeline.run(variables(simulator.url, task))
        else:
            inputs = {"tasks": task, "endpoint": simulator.url, "timeout": "2s"}
            pipeline = with_component(tmp_path, **inputs)
            code, log = pipeline.run(SECRET)

    may_start = status != "FAIL"
    verdict = VERDICTS[gate_code]
    assert (code == 0) == may_start, log
    assert (re.search(rf"migrate +> {MIGRATED}", log) is not None) == may_start, log
    assert re.search(rf"^ {status} +precheck-gate", log, re.MULTILINE), log
    # What the dotenv report told the next job.
    told = f'> Verdict {verdict}, tasks that may start ["{task}"]'
    assert (told in log) == may_start, log
    report = json.loads(pipeline.artifact("precheck-gate-report.json").read_text("utf-8"))
    assert report["verdict"] == verdict
    assert report["exit_code"] == gate_code
    assert ET.parse(pipeline.artifact("precheck-gate-junit.xml")).getroot().tag == "testsuites"
    assert pipeline.artifact("precheck-gate-report.html").stat().st_size > 1_000
    assert "token-of-the-test" not in log


def test_a_service_that_does_not_answer_stops_the_migration(tmp_path: Path) -> None:
    inputs = {"tasks": PASSES, "endpoint": "http://127.0.0.1:9"}
    pipeline = with_component(tmp_path, **inputs)

    code, log = pipeline.run(SECRET | {"PRECHECK_GATE_GRACE": "0s"})

    assert code != 0, log
    assert "> " + MIGRATED not in log
    assert re.search(r"^precheck-gate finished in .* FAIL 4", log, re.MULTILINE), log
    assert pipeline.artifact("precheck-gate-junit.xml").exists()


def test_a_gate_that_cannot_ask_stops_the_migration(tmp_path: Path) -> None:
    code, log = plain(tmp_path).run(variables("http://127.0.0.1:9", "no-task"))

    assert code != 0, log
    assert "> " + MIGRATED not in log
    assert re.search(r"^precheck-gate finished in .* FAIL 2", log, re.MULTILINE), log


def test_a_gate_that_cannot_be_installed_stops_the_migration(tmp_path: Path) -> None:
    settings = variables("http://127.0.0.1:9", PASSES) | {"PRECHECK_GATE_INSTALL": "exit 1"}

    code, log = plain(tmp_path).run(settings)

    assert code != 0, log
    assert "> " + MIGRATED not in log


# -- what the files say --------------------------------------------------------------------------


def component() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the inputs and the job of the component."""
    spec, content = yaml.safe_load_all(COMPONENT.read_text("utf-8"))
    (job,) = content.values()
    return spec["spec"]["inputs"], job


def test_the_two_jobs_differ_only_in_how_they_are_set() -> None:
    _, job = component()
    plain_job = yaml.safe_load(PLAIN.read_text("utf-8"))["precheck-gate"]
    assert job["artifacts"]["reports"] == plain_job["artifacts"]["reports"]
    assert job["artifacts"]["paths"] == plain_job["artifacts"]["paths"]
    assert job["artifacts"]["when"] == plain_job["artifacts"]["when"] == "always"
    assert job["allow_failure"] == plain_job["allow_failure"] == {"exit_codes": [10]}
    for name in ("PRECHECK_GATE_REPORT", "PRECHECK_GATE_WARN_EXIT_CODE"):
        assert job["variables"][name] == plain_job["variables"][name]
    assert job["script"][-1] == plain_job["script"][-1] == "precheck-gate run"


def test_no_input_is_a_credential_or_stands_in_a_script() -> None:
    inputs, job = component()
    assert not [name for name in inputs if re.search("token$|secret|password|key", name)]
    assert "$[[" not in "".join(job["script"])
    text = COMPONENT.read_text("utf-8")
    used = set(re.findall(r"\$\[\[ inputs\.([\w-]+) \]\]", text))
    assert used == inputs.keys()
    assert all("default" in one for one in inputs.values()), "a component works as it is"


def test_the_gate_gives_up_before_gitlab_does() -> None:
    inputs, job = component()
    assert (inputs["timeout"]["default"], inputs["job-timeout"]["default"]) == ("45m", "1 hour")
    assert job["timeout"] == "$[[ inputs.job-timeout ]]"


def test_every_variable_is_one_that_the_gate_reads() -> None:
    known = {"PRECHECK_GATE_TASKS", "PRECHECK_GATE_VERSION"}
    for option in run_command.params:
        given = option.envvar
        known |= {given} if isinstance(given, str) else set(given or ())
    assert component()[1]["variables"].keys() <= known


def test_the_example_gives_inputs_that_the_component_has() -> None:
    (include,) = yaml.safe_load(WITH_COMPONENT.read_text("utf-8"))["include"]
    assert include["inputs"].keys() <= component()[0].keys()
    assert include["component"].endswith("/precheck-gate@0.1.0")
