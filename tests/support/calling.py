"""Calls the program in this process, and writes policies for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from precheck_gate.__main__ import run_main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TODAY = "2026-06-15"


@dataclass(frozen=True)
class Called:
    code: int
    out: str
    err: str


def call(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Called:
    """Run the program; what was printed before is dropped."""
    capsys.readouterr()
    code = run_main([str(one) for one in arguments])
    printed = capsys.readouterr()
    return Called(code, printed.out, printed.err)


def write(folder: Path, text: str, name: str = "policy.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
