"""A CA bundle that is no regular file is refused at once: it is read more often than a pipe is."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.outcome import ID, PROJECT

if TYPE_CHECKING:
    from pathlib import Path

SERVICE = ["--endpoint", "https://127.0.0.1:9", "--project-id", PROJECT]
COMMANDS = {"run": ["run", ID, *SERVICE], "doctor": ["doctor", *SERVICE]}


@pytest.mark.skipif(os.name != "posix", reason="named pipes")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_bundle_that_is_no_regular_file_is_refused_at_once(
    tmp_path: Path, command: str, kind: str
) -> None:
    bundle = tmp_path / "bundle"
    if kind == "pipe":
        os.mkfifo(bundle)
    else:
        bundle.symlink_to(os.devnull)
    done = subprocess.run(
        [sys.executable, "-m", "precheck_gate", *COMMANDS[command], f"--ca-bundle={bundle}"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PRECHECK_GATE_TOKEN": "a-token"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 2
    assert "cannot be used: it is not a regular file" in done.stdout + done.stderr
