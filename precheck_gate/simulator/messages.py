"""Requests and answers of the simulated service, without sockets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; the names of ``headers`` are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def credential(self) -> str:
        """The kind of credential that it carries: ``token``, ``signature`` or ``none``."""
        if "x-auth-token" in self.headers:
            return "token"
        return "signature" if "authorization" in self.headers else "none"


DOES_NOT_EXIST = "DRS.M00289"
INVALID_PARAMETER = "DRS.M00202"
FAILED = "DRS.10000001"
WRONG_CREDENTIALS = "APIGW.0301"
THROTTLED = "APIGW.0308"
NO_SUCH_API = "APIGW.0101"

_CODES = {
    400: INVALID_PARAMETER,
    401: WRONG_CREDENTIALS,
    404: NO_SUCH_API,
    429: THROTTLED,
}
_MESSAGES = {
    DOES_NOT_EXIST: "The task does not exist.",
    INVALID_PARAMETER: "The parameter is invalid.",
    WRONG_CREDENTIALS: "Incorrect IAM authentication information.",
    THROTTLED: "The throttling threshold has been reached.",
    NO_SUCH_API: "The API does not exist or has not been published in the environment.",
}


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer; ``padding`` blanks follow the body, made while they are sent."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    padding: int = 0


class Shape(Enum):
    """The forms in which errors come."""

    PLAIN = "plain"
    BATCH = "batch"
    NAMELESS = "nameless"
    NESTED = "nested"
    HTML = "html"
    EMPTY = "empty"


def error_fields(code: str, message: str = "") -> dict[str, str]:
    """Return an error on one entry of an answer."""
    known = "The task does not exist." if code == DOES_NOT_EXIST else "The operation failed."
    return {"error_code": code, "error_msg": message or known}


def json_reply(status: int, value: Any, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """Return an answer whose body is ``value`` as JSON."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate, which a scenario can hold as an escape, has no UTF-8 form; JSON has one.
    try:
        body = text.encode()
    except UnicodeEncodeError:
        body = json.dumps(value, separators=(",", ":")).encode()
    return Response(status, body, headers=headers)


def error_reply(
    status: int,
    code: str = "",
    message: str = "",
    *,
    shape: Shape = Shape.PLAIN,
    tasks: tuple[str, ...] = (),
    request_id: str = "",
) -> Response:
    """Return an error in one of the service's shapes.

    Args:
        status: the HTTP status.
        code: the error code; without it, the one that the service is known to use for ``status``.
        message: the error's text; without it, one that fits the code.
        shape: the form of the body.
        tasks: the tasks at fault, for the batch shapes.
        request_id: named in the body too when the gateway in front of the service answers.
    """
    if shape is Shape.HTML:
        title = f"{status} {message or 'Error'}"
        page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>{title}</body>\r\n</html>"
        return Response(status, page.encode(), content_type="text/html")
    if shape is Shape.EMPTY:
        return Response(status, b"")
    in_batch = shape in (Shape.BATCH, Shape.NAMELESS)
    # (unverified) the code for any other status.
    code = code or (DOES_NOT_EXIST if in_batch else _CODES.get(status, FAILED))
    message = message or _MESSAGES.get(code, "The operation failed.")
    if shape is Shape.NESTED:
        return json_reply(status, {"error": {"code": code, "message": message}})
    error = {"error_code": code, "error_msg": message}
    if in_batch:
        # (unverified) that the entries name the task under `id`, and that tasks without a fault
        # have none; only the fields of the error itself are known.
        named = shape is Shape.BATCH
        results = [{"id": task, **error} if named else error for task in tasks or ("",)]
        return json_reply(status, {"results": results, "count": len(results)})
    if code.startswith("APIGW."):
        error["request_id"] = request_id
    return json_reply(status, error)
