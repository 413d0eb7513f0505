"""The exit codes: the one contract that every pipeline relies on."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["EXIT_CODE_MEANINGS", "RESERVED_CODES", "ExitCode"]


class ExitCode(IntEnum):
    """What a pipeline learns from the process alone. Codes never shift with options.

    The two options that change a code do so by name only: ``--warn-exit-code`` gives *passed with
    warnings* a code of its own, ``--advisory`` turns *blocked* (and nothing else) into 0.
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
    ExitCode.SERVICE: "service or authentication error: no trustworthy answer was to be had",
    ExitCode.REPORT: "a report could not be written; a verdict of 1, 3 or 4 keeps its own code",
    ExitCode.BUG: "a bug of precheck-gate",
    ExitCode.SIGINT: "interrupted by SIGINT; reports of what is known were written first",
    ExitCode.SIGTERM: "interrupted by SIGTERM; reports of what is known were written first",
}

RESERVED_CODES = frozenset(int(code) for code in ExitCode)
