"""Exit codes and errors: the contract with pipelines, and what can go wrong.

Each error has an exit code, a message (what happened), and a hint (what to do).

::

    PrecheckGateError
    ├── UsageError             2   options, task lists, settings; before any request
    │   └── DocumentError      2   problems in a policy, scenario or list, with their places
    ├── ServiceError           4   no trustworthy answer of the service
    │   ├── TransientFault     4   may pass by itself: network, 429, 5xx
    │   │   ├── TimeOver       3   our own time limit ended before there was an answer
    │   │   └── NotAnAnswer    4   not JSON, of the wrong shape, too large; final offline
    │   │       └── UnnamedResult  4   a result names no task
    │   ├── ApiGone            4   404 from the gateway: this API does not exist here
    │   ├── AccessRefused      4   401 and 403: a retry does not help
    │   └── BatchRefused       4   mostly 400: caused by a task of the batch, or by the request
    └── ReportError            5   a report could not be written
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import IntEnum

from precheck_gate.safetext.pasted_secrets import safe_name


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


class PrecheckGateError(Exception):
    """Root of all errors that this package raises on purpose."""

    exit_code = ExitCode.BUG

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(PrecheckGateError):
    """Invalid options, settings or lists; no pre-check was judged."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem in a document, and its place.

    ``line`` and ``column`` count from 1; 0 means unknown. ``path`` is the place in the document
    (``rules[2].match``). The text of the line is left out: the wrong file may hold passwords.
    """

    message: str
    file: str
    line: int = 0
    column: int = 0
    path: str = ""
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        path = f"{self.path}: " if self.path else ""
        return f"{place}: {path}{self.message}{f' ({self.hint})' if self.hint else ''}"


MOST_SHOWN = 20


class DocumentError(UsageError):
    """Problems in a document; the message lists the first `MOST_SHOWN` of them."""

    def __init__(self, what: str, problems: list[Problem], *, hint: str = "") -> None:
        self.problems = tuple(problems)
        lines = [what, *(str(problem) for problem in problems[:MOST_SHOWN])]
        if len(problems) > MOST_SHOWN:
            lines.append(f"… and {len(problems) - MOST_SHOWN:,} more")
        super().__init__("\n".join(lines), hint=hint)


class ServiceError(PrecheckGateError):
    """The service gave no trustworthy answer.

    Args:
        message: what happened.
        hint: what to do about it.
        code: the service's own error code, such as ``APIGW.0301``; "" when it sent none.
        request_id: the service's ``X-Request-Id``, for a support ticket.
    """

    exit_code = ExitCode.SERVICE

    def __init__(
        self, message: str, *, hint: str = "", code: str = "", request_id: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.request_id = request_id


class TransientFault(ServiceError):
    """A fault that may pass by itself; ``retry_after`` is the pause in seconds that it asks for."""

    def __init__(self, message: str, *, retry_after: float | None = None, **details: str) -> None:
        super().__init__(message, **details)
        self.retry_after = retry_after


class TimeOver(TransientFault):
    """The caller's time limit ended before there was an answer; makes a run incomplete."""

    exit_code = ExitCode.INCOMPLETE


class NotAnAnswer(TransientFault):
    """The reply is no answer: not JSON, of the wrong shape, or too large."""


class UnnamedResult(NotAnAnswer):
    """A result names no task. It could be of any task, so none passes by this answer."""


class AccessRefused(ServiceError):
    """The service refuses the credential (401) or the permission (403)."""


class ApiGone(ServiceError):
    """The gateway does not know the call: this version of the API does not exist here."""


class BatchRefused(ServiceError):
    """The service refuses a batch of tasks, mostly with HTTP 400; smaller parts may work.

    ``culprits`` maps the task IDs that the service blames to its ``(code, message)``; empty if it
    blames none.
    """

    def __init__(
        self,
        message: str,
        *,
        culprits: dict[str, tuple[str, str]] | None = None,
        **details: str,
    ) -> None:
        super().__init__(message, **details)
        self.culprits = culprits or {}


class ReportError(PrecheckGateError):
    """A report could not be written."""

    exit_code = ExitCode.REPORT


class Interrupted(BaseException):
    """A signal ends the process. Not an Exception, so that no broad ``except`` catches it."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


def reason_of(error: Exception) -> str:
    """Return the system's reason for an error, or only its type: other text may hold a secret."""
    return getattr(error, "strerror", None) or type(error).__name__


def unreadable(
    what: str, path: object, error: OSError, *, hint: str = "Check the path and its permissions."
) -> UsageError:
    """Return the error for a file that cannot be read; ``what`` is the kind of file."""
    hint = _HINTS.get(error.errno or 0, hint)
    return UsageError(f"{what} {safe_name(path)} cannot be read: {reason_of(error)}.", hint=hint)


_HINTS = {
    errno.ETIMEDOUT: "Make sure that its writer runs, and closes it at the end.",
    errno.EFBIG: "Check that it is the right file.",
}
