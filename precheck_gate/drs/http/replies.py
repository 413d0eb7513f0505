"""What a refusing reply means: its words, made harmless, and whether asking again makes sense."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from precheck_gate.drs.http.error_bodies import TRY_AGAIN, error_hint, parse_error
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
    from precheck_gate.runtime.clock import Clock

__all__ = ["Said", "answer_in", "refusal", "refused", "said", "usual_advice"]

NO_SUCH_API = "APIGW.0101"


class Said(NamedTuple):
    """A refusal in words: ours with the service's in them, its code, and the request's ID."""

    message: str
    code: str
    request_id: str


def said(reply: Reply, who: str = "The service") -> Said:
    """Return what a refusing reply says, without any secret that it may repeat."""
    # IAM's replies come as they are: a token may be in them that is still needed.
    told = parse_error(reply.body)
    request_id = _line(reply.headers.get("X-Request-Id") or told.request_id, 100)
    # IAM's code is the status again.
    code = "" if told.code == str(reply.status) else told.code
    words = _line(f"{code} {told.message}".strip(), 500)
    message = f"{who} answered HTTP {reply.status}{f': {words}' if words else ''}"
    if request_id:
        message += f" (request {request_id})"
    return Said(message, _line(code, 60), request_id)


def refusal(reply: Reply, clock: Clock, who: str = "The service", option: str = "") -> ServiceError:
    """Return the error for a reply that nobody treats by itself.

    Args:
        reply: what came back.
        clock: for ``Retry-After`` dates.
        who: the service that replied, for people.
        option: with which the address is given; "" if none is.
    """
    message, code, request_id = said(reply, who)
    hint = f"Check {option}." if option else ""
    status = reply.status
    if 300 <= status < 400:
        place = f"Give the real endpoint with {option}; i" if option else "I"
        return ServiceError(
            f"{who} redirects to {_target(reply)} (HTTP {status}); credentials are not sent along.",
            hint=f"{place}s a proxy in between?",
            request_id=request_id,
        )
    if status in (408, 429) or status >= 500:
        return TransientFault(
            message,
            hint="The service is busy or failing. Run the gate again later, or with a longer "
            "--timeout.",
            code=code,
            request_id=request_id,
            retry_after=retry_after_seconds(reply.headers, clock.now()),
        )
    if 200 <= status < 300:
        advice = "Is the address really that of the service, and not of a proxy or a web page?"
        return NotAnAnswer(message, hint=advice, code=code, request_id=request_id)
    return ServiceError(message, hint=hint, code=code, request_id=request_id)


def answer_in(
    reply: Reply, clock: Clock, advice: Callable[[int], str], accepted: tuple[int, ...] = (200,)
) -> Reply:
    """Return a reply of DRS if it is an answer, which any status but 200 mostly is not.

    Args:
        reply: what came back.
        clock: for ``Retry-After`` dates.
        advice: what to do about a 401 or a 403.
        accepted: the statuses that the call documents.

    Raises:
        ServiceError: as `refused` has it.
    """
    if reply.status in accepted:
        return reply
    raise refused(reply, clock, advice)


def refused(reply: Reply, clock: Clock, advice: Callable[[int], str]) -> ServiceError:
    """Return the error for a reply of DRS that is no answer.

    Args:
        reply: what came back.
        clock: for ``Retry-After`` dates.
        advice: what to do about a 401 or a 403.
    """
    message, code, request_id = said(reply)
    sent = parse_error(reply.body)
    match reply.status:
        case 400 if sent.code in TRY_AGAIN and not sent.culprits:
            # Nobody is at fault: parts of the batch would be refused as well.
            return TransientFault(
                message,
                hint=error_hint(sent.code),
                code=code,
                request_id=request_id,
                retry_after=retry_after_seconds(reply.headers, clock.now()),
            )
        case 400:
            culprits = {
                task: (_line(its_code, 60), _line(its_message, 500))
                for task, (its_code, its_message) in sent.culprits
            }
            return BatchRefused(
                message,
                hint=error_hint(sent.code),
                code=code,
                request_id=request_id,
                culprits=culprits,
            )
        case 401 | 403 as status:
            hint = advice(status)
            return AccessRefused(message, hint=hint, code=code, request_id=request_id)
        case 404:
            kind = ApiGone if sent.code == NO_SUCH_API else ServiceError
            hint = "Check --endpoint or --region, and --project-id."
            return kind(message, hint=hint, code=code, request_id=request_id)
        case _:
            return refusal(reply, clock, option="--endpoint")


def usual_advice(status: int) -> str:
    """Return what to do about a 401 or a 403 where nothing is known of the credential."""
    if status == 401:
        return "The token is wrong or has expired (it lives 24 h): get a new one."
    return "The token's user may not query DRS in this project: check its permissions."


def _line(text: str, limit: int) -> str:
    return clean_line(shorten(text, limit))


def _target(reply: Reply) -> str:
    """Return the host that a redirect names; the rest of its URL may hold secrets."""
    try:
        host = urlsplit(reply.headers.get("Location", "")).hostname
    except ValueError:
        host = None
    return clean_line(shorten(host, 100)) if host else "another place"
