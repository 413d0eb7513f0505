"""What a reply says: its JSON, the error in it, and what to do about a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from precheck_gate.documents.strict_json import any_text, complaint, loads, text_in
from precheck_gate.drs.http.messages import retry_after_seconds
from precheck_gate.errors import (
    AccessRefused,
    ApiGone,
    BatchRefused,
    NotAnAnswer,
    ServiceError,
    TransientFault,
)
from precheck_gate.safetext.cleaning import clean_line, shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    from precheck_gate.drs.http.messages import Reply
    from precheck_gate.runtime.process import Clock

TRY_AGAIN = frozenset({"DRS.M01501", "DRS.M01503", "DRS.M01504", "APIGW.0308"})
"""The error codes with which the service asks to try again later, whatever the HTTP status."""

_NO_SUCH_API = "APIGW.0101"
_HINTS = {
    "DRS.M00289": "The task does not exist here: check its ID, the project and the region.",
    "DRS.10000010": "The task was not found: check its ID, the project and the region.",
    "DRS.M05004": "The task was deleted: remove it from the list.",
    "DRS.M00202": "A parameter is invalid: check the task's ID and --project-id.",
    **dict.fromkeys(
        TRY_AGAIN, "The service was busy for the whole --grace: run the gate again, or raise it."
    ),
}


def brief(text: str, limit: int) -> str:
    """Return the service's words for an error message: one safe line of bounded length."""
    return clean_line(shorten(text, limit))


# The JSON of a body


def parse_object(body: bytes, hint: str = "") -> dict[str, Any]:
    """Return the JSON object in a body; raise `NotAnAnswer` where it is anything else."""
    try:
        document = loads(body)
    except ValueError as error:
        reason = brief(complaint(error, keys=True), 200)
        raise NotAnAnswer(f"The answer is not valid JSON: {reason}.", hint=hint) from None
    if not isinstance(document, dict):
        raise NotAnAnswer("The answer is not a JSON object.", hint=hint)
    return document


def objects_in(document: dict[str, Any], key: str, hint: str = "") -> list[dict[str, Any]]:
    """Return a list of objects; raise `NotAnAnswer` where the field is anything else."""
    entries = document.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise NotAnAnswer(
            f"The answer has no list of {key} in the documented shape.{quote_error(document)}",
            hint=hint,
        )
    return entries


# The error in a body


@dataclass(frozen=True, slots=True)
class ServiceMessage:
    """An error of the service; ``culprits`` has (task ID, (code, message)) pairs."""

    code: str = ""
    message: str = ""
    request_id: str = ""
    culprits: tuple[tuple[str, tuple[str, str]], ...] = ()

    def __str__(self) -> str:
        return " ".join(filter(None, (self.code, self.message)))


_CODES = ("error_code", "errorCode", "code")
_MESSAGES = ("error_msg", "errorMsg", "message")
_NESTED = ("error", "errors")


def error_in(holder: dict[str, Any]) -> ServiceMessage | None:
    """Return the error that an object carries, under whatever name; None where it has none.

    Only an absent field, null and "" mean no error: no other value may count as a success.
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
    return next(filter(None, (any_text(holder.get(key)) for key in keys)), "")


def parse_error(body: bytes) -> ServiceMessage:
    """Return the error in a body; what the body lacks is ""."""
    try:
        return _error_of(loads(body))
    except ValueError:
        return ServiceMessage()


def _error_of(document: Any) -> ServiceMessage:
    """Return the error in a document of any known shape.

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
        error = error_in(entry) if isinstance(entry, dict) else None
        if error is None:
            continue
        words = error.code, error.message
        code, message = (code, message) if code or message else words
        names = (text_in(entry, key) for key in ("id", "precheck_id", "job_id"))
        if task_id := next(filter(None, names), ""):
            culprits[task_id] = words
    request_id = any_text(document.get("request_id"))
    return ServiceMessage(code, message, request_id, tuple(culprits.items()))


def quote_error(document: dict[str, Any]) -> str:
    """Return a sentence with the error in a document, to append to a message; "" without one."""
    words = str(_error_of(document))
    return f" The service says: {brief(words, 300)}." if words else ""


def error_hint(code: str) -> str:
    """Return what to do about an error code of the service."""
    return _HINTS.get(code, "Look at the task in the DRS console; was its pre-check started?")


# Refusals


class Said(NamedTuple):
    """A refusal in words that are safe to print: message, error code and request ID."""

    message: str
    code: str
    request_id: str


def said(reply: Reply, who: str = "The service") -> Said:
    """Return what a refusing reply says."""
    error = parse_error(reply.body)
    request_id = brief(reply.headers.get("X-Request-Id") or error.request_id, 100)
    # IAM repeats the status as its code.
    code = "" if error.code == str(reply.status) else error.code
    words = brief(f"{code} {error.message}".strip(), 500)
    message = f"{who} answered HTTP {reply.status}{f': {words}' if words else ''}"
    if request_id:
        message += f" (request {request_id})"
    return Said(message, brief(code, 60), request_id)


def refusal(reply: Reply, clock: Clock, who: str = "The service", option: str = "") -> ServiceError:
    """Return the error for a status that needs no treatment of its own.

    ``who`` is the service that replied; ``option`` sets its address, "" if no option does.
    """
    message, code, request_id = said(reply, who)
    status = reply.status
    if 300 <= status < 400:
        advice = f"Set the real endpoint with {option}. " if option else ""
        return ServiceError(
            f"{who} redirects to {_redirect_host(reply)} (HTTP {status}); credentials are not "
            "sent to other hosts.",
            hint=f"{advice}Is a proxy in between?",
            request_id=request_id,
        )
    if status in (408, 429) or status >= 500:
        hint = (
            "The service is busy or failing. Run the gate again later, or with a longer --timeout."
        )
        return _transient(reply, clock, hint, who)
    if 200 <= status < 300:
        hint = "Is this the address of the service, and not of a proxy or a web page?"
        return NotAnAnswer(message, hint=hint, code=code, request_id=request_id)
    hint = f"Check {option}." if option else ""
    return ServiceError(message, hint=hint, code=code, request_id=request_id)


def refused(reply: Reply, clock: Clock, advice: Callable[[int], str]) -> ServiceError:
    """Return the error for a status of DRS that is not an answer.

    ``advice`` returns what to do about a 401 or a 403.
    """
    message, code, request_id = said(reply)
    match reply.status:
        case 400:
            error = parse_error(reply.body)
            if error.code in TRY_AGAIN and not error.culprits:
                # No task is at fault: parts of the batch would be refused as well.
                return _transient(reply, clock, error_hint(error.code))
            return BatchRefused(
                message,
                hint=error_hint(error.code),
                code=code,
                request_id=request_id,
                culprits={
                    task: (brief(its_code, 60), brief(its_message, 500))
                    for task, (its_code, its_message) in error.culprits
                },
            )
        case 401 | 403 as status:
            return AccessRefused(message, hint=advice(status), code=code, request_id=request_id)
        case 404:
            kind = ApiGone if parse_error(reply.body).code == _NO_SUCH_API else ServiceError
            hint = "Check --endpoint or --region, and --project-id."
            return kind(message, hint=hint, code=code, request_id=request_id)
        case _:
            return refusal(reply, clock, option="--endpoint")


def _transient(reply: Reply, clock: Clock, hint: str, who: str = "The service") -> TransientFault:
    message, code, request_id = said(reply, who)
    wait = retry_after_seconds(reply.headers, clock.now())
    return TransientFault(message, hint=hint, code=code, request_id=request_id, retry_after=wait)


def usual_advice(status: int) -> str:
    """Return what to do about a 401 or a 403 where the kind of credential is not known."""
    if status == 401:
        return "The token is wrong or has expired (it is valid for 24 h): get a new one."
    return "The token's user has no permission to query DRS in this project."


def _redirect_host(reply: Reply) -> str:
    """Return the host that a redirect names; the rest of its URL may hold secrets."""
    from urllib.parse import urlsplit  # no need of it where saved answers are judged

    try:
        host = urlsplit(reply.headers.get("Location", "")).hostname
    except ValueError:
        host = None
    return brief(host, 100) if host else "another host"
