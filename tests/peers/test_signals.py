"""How each system ends a job, in its own time: the reports are there within 2 s of the signal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
import venv
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from tests.peers.composite import clean_environment, read_outputs
from tests.peers.tools import PASSES, PROJECT, serve
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from precheck_gate.simulator.server import Simulator

pytestmark = pytest.mark.skipif(os.name != "posix", reason="plays a Linux runner")

REPORTS_WITHIN = 2.0
ACTION = str(ROOT / "integrations" / "github" / "action.py")
GATE = [sys.executable, "-m", "precheck_gate", "run"]


@pytest.fixture(scope="module")
def endless() -> Iterator[Simulator]:
    """Return a service whose pre-check does not end."""
    with serve("endless") as simulator:
        yield simulator


@pytest.fixture(scope="module")
def action(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the call of the action's script by an isolated Python that finds this tree."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    paths = [str(ROOT), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    (packages / "tree.pth").write_text("\n".join(paths), "utf-8")
    return [str(folder / "bin" / "python"), "-I", ACTION]


def start(folder: Path, service: Simulator, command: list[str], **env: str) -> Started:
    """Start a gate as a job's script does, and return when it has told of its first answer."""
    folder.mkdir(exist_ok=True)
    (folder / "output").touch()
    (folder / "summary").touch()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=clean_environment()
        | {
            "PYTHONPATH": str(ROOT),
            "PRECHECK_GATE_ENDPOINT": service.url,
            "PRECHECK_GATE_PROJECT_ID": PROJECT,
            "PRECHECK_GATE_TOKEN": "token-of-the-test",
            "PRECHECK_GATE_TASKS": PASSES,
            "PRECHECK_GATE_TIMEOUT": "60s",
            "PRECHECK_GATE_REPORT": "junit=precheck-gate-junit.xml json=precheck-gate-report.json",
        }
        | env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    )
    assert process.stdout is not None
    log = []
    for line in process.stdout:
        log.append(line)
        if "%" in line and not line.startswith("::"):
            return Started(process, folder, log)
    raise AssertionError("".join(log))


class Started:
    """A gate that waits for the service."""

    def __init__(self, process: subprocess.Popen[str], folder: Path, log: list[str]) -> None:
        self.process = process
        self.folder = folder
        self.log = log

    def end(self, number: signal.Signals, *, group: bool = False) -> float:
        """Send a signal; return how many seconds later the gate was gone with all it wrote."""
        began = time.monotonic()
        if group:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        try:
            rest, _ = self.process.communicate(timeout=20)
        finally:
            self.process.kill()
        self.log.append(rest)
        return time.monotonic() - began

    def check_reports(self, name: str) -> None:
        junit = self.folder / "precheck-gate-junit.xml"
        assert ET.parse(junit).getroot().tag == "testsuites"
        report = json.loads((self.folder / "precheck-gate-report.json").read_text("utf-8"))
        assert report["verdict"] == "incomplete"
        assert name in json.dumps(report), "the report says what ended the run"
        assert not list(self.folder.glob(".*.tmp"))


GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary"}


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_a_cancelled_github_job_has_reports_and_outputs_before_the_next_signal(
    tmp_path: Path, endless: Simulator, action: list[str], number: signal.Signals, code: int
) -> None:
    # GitHub: SIGINT to the step's process; SIGTERM 7.5 s later; SIGKILL 2.5 s after that.
    started = start(tmp_path / "job", endless, action, **GITHUB)

    seconds = started.end(number)

    assert started.process.returncode == code, "".join(started.log)
    assert seconds < REPORTS_WITHIN
    started.check_reports(number.name)
    outputs = read_outputs(started.folder / "output")
    assert (outputs["verdict"], outputs["exit-code"]) == ("incomplete", str(code))
    assert outputs["ready-tasks"] == "[]"
    assert (started.folder / "summary").stat().st_size > 100


def test_a_signal_to_the_whole_group_is_one_signal(
    tmp_path: Path, endless: Simulator, action: list[str]
) -> None:
    """A terminal's Ctrl-C reaches script and gate at once; the second copy is no second wish."""
    started = start(tmp_path / "job", endless, action, **GITHUB)

    started.end(signal.SIGINT, group=True)

    assert started.process.returncode == 130, "".join(started.log)
    assert (started.folder / "precheck-gate-junit.xml").exists()


@pytest.mark.parametrize(
    "marks",
    [{"GITLAB_CI": "true"}, {"JENKINS_URL": "https://ci.example/"}, {"TF_BUILD": "True"}, {}],
    ids=["gitlab", "jenkins", "azure", "kubernetes"],
)
def test_the_other_systems_send_sigterm(
    tmp_path: Path, endless: Simulator, marks: dict[str, str]
) -> None:
    started = start(tmp_path / "job", endless, GATE, **marks)

    seconds = started.end(signal.SIGTERM)

    assert started.process.returncode == 143, "".join(started.log)
    assert seconds < REPORTS_WITHIN
    started.check_reports("SIGTERM")


def test_a_second_signal_ends_at_once_and_leaves_no_half_report(
    tmp_path: Path, endless: Simulator
) -> None:
    started = start(tmp_path / "job", endless, GATE)

    started.process.send_signal(signal.SIGINT)
    started.end(signal.SIGTERM)

    assert started.process.returncode in (130, 143)
    junit = started.folder / "precheck-gate-junit.xml"
    assert not junit.exists() or ET.parse(junit).getroot().tag == "testsuites"
