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
from typing import TYPE_CHECKING

import pytest

from .composite import ROOT, clean_environment
from .peers import node_package, program
from .scenarios import BLOCKS, PASSES, PROJECT, WARNS, serve

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(os.name != "posix", reason="plays a Linux runner"),
]

EXAMPLE = ROOT / "examples" / "gitlab" / ".gitlab-ci.yml"
STARTER = ROOT / "tests" / "ci" / "gitlab_ci_local.mjs"
MIGRATED = "Put the command here that starts your migration."


@dataclass
class Pipeline:
    """A repository with the example in it, on a machine with precheck-gate installed."""

    folder: Path
    package: Path

    def __post_init__(self) -> None:
        self.repository = self.folder / "repository"
        self.repository.mkdir()
        shutil.copy(EXAMPLE, self.repository)
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


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    """Return a pipeline, or skip where a tool is missing."""
    program("rsync", debian="rsync")
    program("git", debian="git")
    return Pipeline(tmp_path, node_package("gitlab-ci-local"))


def variables(endpoint: str, task: str) -> dict[str, str]:
    """Return what a project would set."""
    return {
        "PRECHECK_GATE_INSTALL": "true",
        "PRECHECK_GATE_ENDPOINT": endpoint,
        "PRECHECK_GATE_PROJECT_ID": PROJECT,
        "PRECHECK_GATE_TASKS": task,
        "PRECHECK_GATE_TOKEN": "token-of-the-test",
    }


@pytest.mark.parametrize(
    ("scenario", "task", "status", "verdict"),
    [
        ("passed", PASSES, "PASS", "passed"),
        ("warned", WARNS, "WARN", "passed_with_warnings"),
        ("blocked", BLOCKS, "FAIL", "blocked"),
    ],
)
def test_the_verdict_decides_whether_the_migration_starts(
    pipeline: Pipeline, scenario: str, task: str, status: str, verdict: str
) -> None:
    with serve(scenario) as simulator:
        code, log = pipeline.run(variables(simulator.url, task))

    may_start = scenario != "blocked"
    assert (code == 0) == may_start, log
    assert (re.search(rf"migrate +> {MIGRATED}", log) is not None) == may_start, log
    assert re.search(rf"^ {status} +precheck-gate", log, re.MULTILINE), log
    report = json.loads(pipeline.artifact("precheck-gate-report.json").read_text("utf-8"))
    assert report["verdict"] == verdict
    assert ET.parse(pipeline.artifact("precheck-gate-junit.xml")).getroot().tag == "testsuites"
    assert "token-of-the-test" not in log


def test_a_gate_that_cannot_ask_stops_the_migration(pipeline: Pipeline) -> None:
    code, log = pipeline.run(variables("http://127.0.0.1:9", "no-task"))

    assert code != 0, log
    assert "> " + MIGRATED not in log
    assert re.search(r"^precheck-gate finished in .* FAIL 2", log, re.MULTILINE), log


def test_a_gate_that_cannot_be_installed_stops_the_migration(pipeline: Pipeline) -> None:
    settings = variables("http://127.0.0.1:9", PASSES) | {"PRECHECK_GATE_INSTALL": "exit 1"}

    code, log = pipeline.run(settings)

    assert code != 0, log
    assert "> " + MIGRATED not in log
