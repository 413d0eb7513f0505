"""Runs commands in this process, and keeps what they print."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from precheck_gate.__main__ import run_main

if TYPE_CHECKING:
    from pathlib import Path

TODAY = "2026-06-15"


@dataclass(frozen=True)
class Output:
    code: int
    out: str
    err: str


def gate(*arguments: str | Path) -> Output:
    """Run the program."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run_main([str(one) for one in arguments])
    return Output(code, out.getvalue(), err.getvalue())


def policy_test(*arguments: str | Path) -> Output:
    """Run `policy test`."""
    return gate("policy", "test", *arguments)


def write(folder: Path, **files: str) -> Path:
    """Write files into a folder; the names have ``_`` for the dot and ``__`` for the slash."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_yaml", ".yaml").replace("_json", ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def evaluate(folder: Path, content: bytes, *arguments: str | Path) -> tuple[Output, dict[str, Any]]:
    """Judge one saved answer as of `TODAY`; return what was printed and the JSON report."""
    answer, report = folder / "answer.json", folder / "report.json"
    answer.write_bytes(content)
    report.unlink(missing_ok=True)
    output = gate(
        "evaluate", answer, "--now", TODAY, "--report", f"json={report}", "--quiet", *arguments
    )
    return output, json.loads(report.read_text())
