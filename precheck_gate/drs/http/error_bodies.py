"""The error shapes of the service, of the gateway in front of it, and of IAM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from precheck_gate.documents import strict_json
from precheck_gate.drs.http.json_fields import any_text

__all__ = [
    "TRY_AGAIN",
    "ServiceMessage",
    "error_hint",
    "error_in",
    "parse_error",
    "parse_error_document",
]

TRY_AGAIN = frozenset({"DRS.M01501", "DRS.M01503", "DRS.M01504", "APIGW.0308"})
"""The codes with which the service asks for another try later, whatever HTTP status they have."""


@dataclass(frozen=True, slots=True)
class ServiceMessage:
    """What an error answer says; ``culprits`` maps task IDs to their (code, message)."""

    code: str = ""
    message: str = ""
    request_id: str = ""
    culprits: tuple[tuple[str, tuple[str, str]], ...] = ()

    def __str__(self) -> str:
        return " ".join(part for part in (self.code, self.message) if part)


def parse_error(body: bytes) -> ServiceMessage:
    """Read the body of an error answer in any of the service's shapes; what it lacks is ""."""
    try:
        document = strict_json.loads(body)
    except ValueError:
        return ServiceMessage()
    return parse_error_document(document)


def parse_error_document(document: Any) -> ServiceMessage:
    """Like `parse_error`, for a parsed document.

    The shapes are ``{"error_code", "error_msg", "request_id"}`` (DRS and the gateway),
    ``{"error": {"code", "message"}}`` (IAM and others) and the batch shape
    ``{"results": [{"id", "error_code", "error_msg"}], "count"}``.
    """
    if not isinstance(document, dict):
        return ServiceMessage()
    own = error_in(document) or ServiceMessage()
    code, message = own.code, own.message
    culprits: dict[str, tuple[str, str]] = {}
    results = document.get("results")
    for entry in results if isinstance(results, list) else []:
        if not isinstance(entry, dict):
            continue
        error = error_in(entry)
        if error is None:
            continue
        said = error.code, error.message
        code, message = (code, message) if code or message else said
        for key in ("id", "precheck_id", "job_id"):
            task_id = entry.get(key)
            if isinstance(task_id, str) and task_id:
                culprits[task_id] = said
                break
    request_id = any_text(document.get("request_id"))
    return ServiceMessage(code, message, request_id, tuple(culprits.items()))


_CODES = ("error_code", "errorCode", "code")
_MESSAGES = ("error_msg", "errorMsg", "message")
_NESTED = ("error", "errors")


def error_in(holder: dict[str, Any]) -> ServiceMessage | None:
    """Return the error that an object carries, under whatever name; None where it has none.

    Only what is absent, null or "" is no error: no other value may be taken for a success.
    """
    code, message = _first(holder, _CODES), _first(holder, _MESSAGES)
    nested = [value for key in _NESTED if (value := holder.get(key)) not in (None, "")]
    if not nested:
        return ServiceMessage(code, message) if code or message else None
    for value in nested:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                code = code or _first(one, _CODES)
                message = message or _first(one, _MESSAGES)
    return ServiceMessage(code, message if code or message else any_text(nested[0]))


def _first(holder: dict[str, Any], keys: tuple[str, ...]) -> str:
    """Return the first of some fields that says anything; "" where none does."""
    return next(filter(None, (any_text(holder.get(key)) for key in keys)), "")


_HINTS = {
    "DRS.M00289": "The task does not exist here: check its ID, the project and the region.",
    "DRS.10000010": "The task was not found: check its ID, the project and the region.",
    "DRS.M05004": "The task was deleted: take it off the list.",
    "DRS.M00202": "A parameter is invalid: check the task's ID and --project-id.",
    **dict.fromkeys(
        TRY_AGAIN, "The service was busy for the whole --grace: run the gate again, or raise it."
    ),
}


def error_hint(code: str) -> str:
    """Return what to do about one of the service's error codes."""
    return _HINTS.get(code, "Look at the task in the DRS console; was its pre-check started?")
