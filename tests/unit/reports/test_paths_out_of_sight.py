"""A report whose path may not be looked at is one that cannot be written, and no bug."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

import precheck_gate
from precheck_gate.__main__ import run_main

ANSWER = str(Path(precheck_gate.__file__).parent / "simulator" / "answers" / "mysql.json")


@pytest.mark.parametrize("path", ["/proc/7/fd/1", "/proc/7/cwd/junit.xml"])
def test_a_link_of_another_users_process_ends_in_5(
    tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    real, readlink, mkdir = os.path.realpath, os.readlink, os.mkdir

    def refuse(function: Any) -> Any:
        def call(name: Any, *more: Any, **named: Any) -> Any:
            if str(name).startswith(("/proc/7/fd/", "/proc/7/cwd")):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(name))
            return function(name, *more, **named)

        return call

    monkeypatch.setattr(os.path, "realpath", refuse(real))
    monkeypatch.setattr(os, "readlink", refuse(readlink))
    monkeypatch.setattr(os, "mkdir", refuse(mkdir))
    monkeypatch.setattr(os, "open", refuse(os.open))
    other = tmp_path / "report.json"
    reports = ["--junit", path, "--report", f"json={other}"]
    code = run_main(["evaluate", ANSWER, "--policy", "builtin:permissive", "--advisory", *reports])
    said = capsys.readouterr().err
    assert code == 5, said
    assert f"{path} could not be written: Permission denied" in said
    assert other.exists()
