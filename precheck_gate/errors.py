"""One tree of errors; each carries its exit code, what happened, and what to do about it.

::

    PrecheckGateError
    ├── UsageError             2   options, task lists, settings; before any request
    │   └── DocumentError      2   a policy, scenario or list with problems at known places
    ├── ServiceError           4   the service gave no trustworthy answer
    │   ├── TransientFault     4   may pass by itself: network, 429, 5xx
    │   │   ├── TimeOver       3   our own time was over before there was an answer
    │   │   └── NotAnAnswer    4   not JSON, of the wrong shape, beyond a bound; final offline
    │   │       └── UnnamedResult  4   a result in it names no task
    │   ├── ApiGone            4   404 from the gateway: no such API here
    │   ├── AccessRefused      4   401 and 403: asking again changes nothing
    │   └── BatchRefused       4   mostly 400: a task of the batch, or the request, is at fault
    └── ReportError            5   a report could not be written
"""

from __future__ import annotations

import errno
from dataclasses import dataclass

from precheck_gate.exits import ExitCode
from precheck_gate.safetext.pasted_secrets import safe_name

__all__ = [
    "AccessRefused",
    "ApiGone",
    "BatchRefused",
    "DocumentError",
    "Interrupted",
    "NotAnAnswer",
    "PrecheckGateError",
    "Problem",
    "ReportError",
    "ServiceError",
    "TimeOver",
    "TransientFault",
    "UnnamedResult",
    "UsageError",
    "reason_of",
    "unreadable",
]


class PrecheckGateError(Exception):
    """Root of all errors that this package raises on purpose.

    Args:
        message: what happened, and to which object.
        hint: what the reader can do about it.
    """

    exit_code = ExitCode.BUG

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(PrecheckGateError):
    """The caller's options, settings or lists cannot be used; no pre-check was judged."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a document, and where.

    ``line`` and ``column`` count from 1, 0 where there is none; ``path`` is the place in the
    document (``rules[2].match``). The line itself is not part of it: a file that was handed in by
    mistake may be the one with the passwords.
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


MOST_TOLD = 20


class DocumentError(UsageError):
    """A document that a person wrote has problems.

    ``problems`` has all that could be found; the message has the first of them, and how many more
    there are.
    """

    def __init__(self, what: str, problems: list[Problem], *, hint: str = "") -> None:
        self.problems = tuple(problems)
        lines = [what, *(str(problem) for problem in problems[:MOST_TOLD])]
        if len(problems) > MOST_TOLD:
            lines.append(f"… and {len(problems) - MOST_TOLD:,} more")
        super().__init__("\n".join(lines), hint=hint)


class ServiceError(PrecheckGateError):
    """The service gave no trustworthy answer.

    Args:
        message: what happened, and to which object.
        hint: what the reader can do about it.
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
    """A fault that may pass by itself; ``retry_after`` is the service's wish in seconds."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        code: str = "",
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint, code=code, request_id=request_id)
        self.retry_after = retry_after


class TimeOver(TransientFault):
    """The time that the caller gave was over before there was an answer: no fault of the service.

    At the deadline of a run, it makes the run incomplete.
    """

    exit_code = ExitCode.INCOMPLETE


class NotAnAnswer(TransientFault):
    """What came back is no answer: not JSON, of the wrong shape, or beyond a bound."""


class UnnamedResult(NotAnAnswer):
    """A result names no task: it could speak against any, so that none may pass on this answer."""


class AccessRefused(ServiceError):
    """The service knows who asks and refuses (403), or does not believe it (401)."""


class ApiGone(ServiceError):
    """The gateway knows no such call: this version of the API is not offered here (any more)."""


class BatchRefused(ServiceError):
    """There is no answer for a batch of tasks as it is, mostly HTTP 400; parts may be answered.

    ``culprits`` maps the task IDs that the service named to its ``(code, message)`` for the
    task. An empty mapping means that the service did not say which task is at fault.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        code: str = "",
        request_id: str = "",
        culprits: dict[str, tuple[str, str]] | None = None,
    ) -> None:
        super().__init__(message, hint=hint, code=code, request_id=request_id)
        self.culprits = culprits or {}


class ReportError(PrecheckGateError):
    """A report could not be written."""

    exit_code = ExitCode.REPORT


class Interrupted(BaseException):
    """A signal asked us to end. Not an Exception: no broad ``except`` may swallow it."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


def reason_of(error: Exception) -> str:
    """Return in the system's words why it failed; of any other error its kind alone.

    What else an error says may hold what must not be shown.
    """
    return getattr(error, "strerror", None) or type(error).__name__


def unreadable(
    what: str,
    path: object,
    error: OSError,
    *,
    hint: str = "Check the path and its permissions.",
) -> UsageError:
    """Return the error for a file that cannot be read; ``what`` is its kind."""
    hint = _HINTS.get(error.errno or 0, hint)
    return UsageError(f"{what} {safe_name(path)} cannot be read: {reason_of(error)}.", hint=hint)


_HINTS = {
    errno.ETIMEDOUT: "Make sure that its writer runs, and closes it at the end.",
    errno.EFBIG: "Check that it is the right file.",
}
