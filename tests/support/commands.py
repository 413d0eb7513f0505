"""Runs commands in this process, keeps what they print, and writes the files that they read."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from precheck_gate.__main__ import run_main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

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


def call(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Output:
    """Run the program with pytest's streams; what was printed before is dropped."""
    capsys.readouterr()
    code = run_main([str(one) for one in arguments])
    return Output(code, *capsys.readouterr())


def write(folder: Path, **files: str) -> Path:
    """Write files into a folder; the names have ``_`` for the dot and ``__`` for the slash."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_yaml", ".yaml").replace("_json", ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def write_policy(folder: Path, text: str, name: str = "policy.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def evaluate(folder: Path, content: bytes, *arguments: str | Path) -> tuple[Output, dict[str, Any]]:
    """Judge one saved answer as of `TODAY`; return what was printed and the JSON report."""
    answer, report = folder / "answer.json", folder / "report.json"
    answer.write_bytes(content)
    report.unlink(missing_ok=True)
    output = gate(
        "evaluate", answer, "--now", TODAY, "--report", f"json={report}", "--quiet", *arguments
    )
    return output, json.loads(report.read_text())


# --- Case files of `policy test` ---

POLICY = """\
version: 1
extends: builtin:strict
rules:
- {match: {item: a, status: ALARM}, effect: warn, reason: agreed}
- {match: {item: never}, effect: allow}
waivers:
- {id: W-1, match: {item: b}, reason: r, owner: o, expires: 2026-07-01}
- {id: W-2, match: {item: zzz}, reason: r, owner: o, expires: 2026-07-01}
profiles:
  staging:
    rules:
    - {match: {item: c}, effect: warn}
tasks:
  wave-*:
    rules:
    - {match: {item: d}, effect: allow}
"""
HEAD = "version: 1\npolicy: policy.yaml\nnow: 2026-06-15\ncases:\n"


def policy_test(*arguments: str | Path) -> Output:
    return gate("policy", "test", *arguments)


def run(folder: Path, cases: str, *arguments: str | Path, head: str = HEAD) -> Output:
    """Run `policy test` over cases of `POLICY`."""
    write(folder, policy_yaml=POLICY)
    (folder / "x.test.yaml").write_text(head + cases)
    return policy_test(folder / "x.test.yaml", *arguments)


def case(given: str, expect: str, name: str = "it") -> str:
    return f"- name: {name}\n  {given}\n  expect: {{{expect}}}\n"
