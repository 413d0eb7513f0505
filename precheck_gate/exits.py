"""The exit codes, the contract with every pipeline."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["EXIT_CODE_MEANINGS", "RESERVED_CODES", "ExitCode"]


class ExitCode(IntEnum):
    """The exit codes of the program.

    Two options change one of them: ``--warn-exit-code`` sets that of *passed with warnings*, and
    ``--advisory`` turns that of *blocked*, and no other, into 0.
    """

    PASSED = 0
    BLOCKED = 1
    USAGE = 2
    INCOMPLETE = 3
    SERVICE = 4
    REPORT = 5
    BUG = 70
    SIGINT = 130
    SIGTERM = 143


EXIT_CODE_MEANINGS: dict[ExitCode, str] = {
    ExitCode.PASSED: "passed, or passed with warnings",
    ExitCode.BLOCKED: "blocked: at least one task must not start",
    ExitCode.USAGE: "usage, settings or policy error; no pre-check was judged",
    ExitCode.INCOMPLETE: "incomplete: time ran out before every task reached 100 %",
    ExitCode.SERVICE: "service or authentication error: no trustworthy answer",
    ExitCode.REPORT: "a report could not be written; exit codes 1, 3 and 4 take precedence",
    ExitCode.BUG: "a bug in precheck-gate",
    ExitCode.SIGINT: "interrupted by SIGINT; reports with what was known were written first",
    ExitCode.SIGTERM: "interrupted by SIGTERM; reports with what was known were written first",
}

RESERVED_CODES = frozenset(int(code) for code in ExitCode)
