"""No command prints a credential in a CI system, wherever its streams lead."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from precheck_gate.documents.yaml_document import parse_document
from precheck_gate.runtime.process import SystemClock
from precheck_gate.simulator.scenario import load_scenario
from precheck_gate.simulator.server import Simulator
from tests.support.harness import TASK, body, entry, item

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARK = "s3cr3t-MARK-of-a-job"
PASSWORD = f"{MARK}-password"
SYSTEMS = {
    "github": {"GITHUB_ACTIONS": "true"},
    "azure": {"TF_BUILD": "True"},
    "gitlab": {"GITLAB_CI": "true"},
    "jenkins": {"JENKINS_URL": "https://jenkins.example"},
}
WAYS = {
    "a token": {"PRECHECK_GATE_TOKEN": f"{MARK}-token"},
    "a user": {"HW_USER_NAME": "gate", "HW_USER_PASSWORD": PASSWORD, "HW_DOMAIN_NAME": "acme"},
    "a key": {
        "HUAWEICLOUD_SDK_AK": f"{MARK}-access-key",
        "HUAWEICLOUD_SDK_SK": f"{MARK}-secret-key",
    },
}
SCENARIO = f"""
version: 1
token: {MARK}-token
users: [{{name: gate, password: {PASSWORD}, domain: acme}}]
access_keys: [{{access_key: {MARK}-access-key, secret_key: {MARK}-secret-key}}]
tasks: [{{id: {TASK}, answer: mysql}}]
"""


@pytest.fixture(scope="module")
def service() -> Iterator[Simulator]:
    with Simulator(
        load_scenario(parse_document(SCENARIO, "test.yaml")), SystemClock()
    ) as simulator:
        yield simulator


def redirected(folder: Path, command: list[str], variables: dict[str, str]) -> tuple[int, str]:
    """Call a command with both streams in a file, as ``>job.log 2>&1`` does; return the file."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    log = folder / "job.log"
    with log.open("wb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "precheck_gate", *command],
            cwd=folder,
            env=kept | variables | {"HOME": str(folder)},
            stdout=file,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
    return done.returncode, log.read_text()


@pytest.mark.parametrize(
    ("system", "way"),
    [
        *((system, way) for system in ("github", "azure") for way in WAYS),
        ("gitlab", "a token"),
        ("jenkins", "a token"),
    ],
)
@pytest.mark.parametrize("reports", [(), ("--report", "json=-", "--debug-http", "--verbose")])
def test_a_run_prints_no_credential(
    tmp_path: Path, service: Simulator, system: str, way: str, reports: tuple[str, ...]
) -> None:
    where = ["--endpoint", service.url, "--iam-endpoint", service.iam_url, "--project-id", "p" * 32]
    code, log = redirected(tmp_path, ["run", TASK, *where, *reports], SYSTEMS[system] | WAYS[way])
    assert code == 0, log
    assert MARK not in log


@pytest.mark.parametrize("system", ["github", "azure"])
@pytest.mark.parametrize("command", [["run", "nonsense"], ["doctor"], ["evaluate", "answer.json"]])
def test_no_other_command_does(tmp_path: Path, system: str, command: list[str]) -> None:
    (tmp_path / "answer.json").write_bytes(body(entry(TASK, items=[item("a", "ALARM")])))
    every = {name: value for way in WAYS.values() for name, value in way.items()}
    _, log = redirected(tmp_path, command, SYSTEMS[system] | every)
    assert log
    assert MARK not in log
