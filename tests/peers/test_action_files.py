"""Which files the action's script reads and removes by itself: reports of earlier runs alone."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from tests.peers.composite import action_script

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name != "posix", reason="plays a Linux runner")


def test_a_report_of_an_earlier_run_is_removed(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text("{}", "utf-8")
    action_script().remove_old_reports({"json": str(report)}, {})
    assert not report.exists()


@pytest.mark.parametrize("target", ["/proc/self/fd/1", os.devnull, "earlier.json"])
def test_a_link_such_as_dev_stdout_is_never_removed(tmp_path: Path, target: str) -> None:
    link = tmp_path / "stdout"
    link.symlink_to(target)
    action_script().remove_old_reports({"junit": str(link)}, {})
    assert os.readlink(link) == target  # noqa: PTH115


def test_a_pipe_is_never_removed(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    action_script().remove_old_reports({"junit": str(pipe)}, {})
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["BASELINE", "POLICY", "TASKS_FROM", "TOKEN_FILE"])
def test_what_the_gate_reads_is_never_removed(tmp_path: Path, name: str) -> None:
    file = tmp_path / "precheck-gate-report.json"
    file.write_text("{}", "utf-8")
    env = {f"PRECHECK_GATE_{name}": f"{tmp_path}/./{file.name}"}
    action_script().remove_old_reports({"json": str(file)}, env)
    assert file.exists()


def test_the_reports_own_variables_do_not_keep_an_earlier_report(tmp_path: Path) -> None:
    file = tmp_path / "junit.xml"
    file.write_text("<testsuites/>", "utf-8")
    action_script().remove_old_reports({"junit": str(file)}, {"PRECHECK_GATE_JUNIT": str(file)})
    assert not file.exists()


def test_a_token_file_that_is_a_pipe_is_left_to_the_gate(tmp_path: Path) -> None:
    pipe = tmp_path / "token"
    os.mkfifo(pipe)
    found: list[str] = []
    script = action_script()
    reading = threading.Thread(
        target=lambda: found.extend(script.secret_lines({"PRECHECK_GATE_TOKEN_FILE": str(pipe)})),
        daemon=True,
    )
    reading.start()
    reading.join(5)
    waits = reading.is_alive()
    if waits:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    assert not waits
    assert found == []
