"""Runs the gate for the GitHub action: masks, runs, sets the outputs, ends with the gate's code.

Uses the standard library alone, so that nothing comes before the masks. The inputs of the action
arrive as the environment variables that the gate reads by itself.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

DEFAULT_JUNIT = "precheck-gate-junit.xml"
DEFAULT_REPORT = "precheck-gate-report.json"

TOKEN_VARIABLES = ("PRECHECK_GATE_TOKEN", "HW_AUTH_TOKEN", "OS_TOKEN")
TOKEN_FILE_VARIABLE = "PRECHECK_GATE_TOKEN_FILE"  # noqa: S105  # the name of a variable
JUNIT_VARIABLE = "PRECHECK_GATE_JUNIT"
REPORT_VARIABLE = "PRECHECK_GATE_REPORT"

# What an exit code says when no report could be read.
VERDICT_BY_CODE = {1: "blocked", 3: "incomplete"}


@dataclass(frozen=True)
class Reports:
    """Where the two reports go that the action always writes, and all that the gate is to write."""

    junit: str
    report: str
    wanted: tuple[str, ...]


def secret_lines(env: Mapping[str, str]) -> Iterator[str]:
    """Yield each line of each credential in ``env`` or in the file that it names."""
    texts = [env.get(name, "") for name in TOKEN_VARIABLES]
    if path := env.get(TOKEN_FILE_VARIABLE):
        with suppress(OSError, ValueError):  # the gate says what is wrong with it
            texts.append(Path(path).read_text(encoding="utf-8", errors="replace"))
    for text in texts:
        yield from filter(None, map(str.strip, text.splitlines()))


def mask(env: Mapping[str, str]) -> None:
    """Tell the runner to hide the credentials."""
    for line in secret_lines(env):
        sys.stdout.write(f"::add-mask::{line.replace('%', '%25')}\n")
    sys.stdout.flush()


def choose_reports(env: Mapping[str, str]) -> Reports:
    """Return where JUnit and JSON go: where the user wants them, else to the defaults."""
    # The gate splits its variable in the same way: at lines, and before each "format=".
    entries = re.split(r"\n|\s+(?=[a-z]+=)", env.get(REPORT_VARIABLE, ""))
    wanted = [entry.strip() for entry in entries if entry.strip()]
    junit = _path_in([f"junit={env.get(JUNIT_VARIABLE, '').strip()}", *wanted], "junit")
    report = _path_in(wanted, "json")
    if not junit:
        junit = DEFAULT_JUNIT
        wanted.append(f"junit={junit}")
    if not report:
        report = DEFAULT_REPORT
        wanted.append(f"json={report}")
    return Reports(junit, report, tuple(wanted))


def _path_in(wanted: list[str], report_format: str) -> str:
    """Return the first file that ``wanted`` names for the format; stdout is none."""
    for entry in wanted:
        name, _, path = entry.partition("=")
        if name == report_format and path not in ("", "-"):
            return path
    return ""


def forget_old(paths: tuple[str, ...]) -> None:
    """Remove reports of an earlier run, so that none is taken for this run's."""
    for path in paths:
        with suppress(OSError, ValueError):  # the gate says that it cannot write there
            Path(path).unlink(missing_ok=True)


def run_gate(env: Mapping[str, str]) -> int:
    """Run the gate, pass on the runner's signals, and return its exit code."""
    command = [sys.executable, "-I", "-u", "-X", "utf8", "-m", "precheck_gate", "run"]
    children: list[subprocess.Popen[bytes]] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        for child in children:
            if os.name == "posix":  # on Windows, the child hears of it by itself
                child.send_signal(number)

    signal.signal(signal.SIGINT, forward)
    signal.signal(signal.SIGTERM, forward)
    children.append(subprocess.Popen(command, env=dict(env)))
    code = children[0].wait()
    return code if code >= 0 else 128 - code


def read_verdict(path: str, code: int) -> str:
    """Return the verdict of the JSON report, or what the exit code says where there is none."""
    try:
        verdict = json.loads(Path(path).read_text(encoding="utf-8"))["verdict"]
    except (OSError, ValueError, KeyError, TypeError):
        verdict = None
    return verdict if isinstance(verdict, str) else VERDICT_BY_CODE.get(code, "error")


def set_outputs(env: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Append the outputs of the step, each fenced by a delimiter that no value can guess."""
    lines = []
    for name, value in outputs.items():
        fence = f"precheck-gate-{secrets.token_hex(16)}"
        lines += [f"{name}<<{fence}", value, fence]
    try:
        with Path(env["GITHUB_OUTPUT"]).open("a", encoding="utf-8", newline="\n") as file:
            file.write("\n".join([*lines, ""]))
    except (KeyError, OSError) as problem:
        sys.stdout.write(f"precheck-gate: the outputs could not be set: {problem!r}\n")


def main() -> int:
    """Run the action's gate step."""
    mask(os.environ)
    reports = choose_reports(os.environ)
    forget_old((reports.junit, reports.report))
    code = run_gate({**os.environ, REPORT_VARIABLE: "\n".join(reports.wanted)})
    outputs = {
        "verdict": read_verdict(reports.report, code),
        "exit-code": str(code),
        "junit": reports.junit,
        "report": reports.report,
    }
    set_outputs(os.environ, outputs)
    return code


if __name__ == "__main__":
    sys.exit(main())
