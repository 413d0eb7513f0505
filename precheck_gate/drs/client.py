"""One call of DRS v3: ask for the pre-check results of some tasks, get an answer or a named error.

Nothing is repeated here: whoever asks decides about that, and can say so.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlsplit

from precheck_gate.drs import wire
from precheck_gate.drs.transport import retry_after_seconds
from precheck_gate.errors import (
    AccessRefused,
    BatchRefused,
    NotAnAnswer,
    ServiceError,
    TransientFault,
)
from precheck_gate.text import clean_line, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from precheck_gate.clock import Clock
    from precheck_gate.drs.transport import Reply

__all__ = ["DrsClient", "Post"]


class Post(Protocol):
    """What sends a request: `HttpTransport.post`, or a fake."""

    def __call__(  # noqa: D102
        self, url: str, body: bytes, headers: Mapping[str, str], seconds: float
    ) -> Reply: ...


class DrsClient:
    """Asks one project's DRS for pre-check results.

    Args:
        endpoint: base URL, checked.
        project_id: whose tasks are asked for.
        post: what sends a request.
        clock: for ``Retry-After`` dates.
        language: of the service's messages, ``en-us`` or ``zh-cn``.
        on_reply: told of each reply, whatever it is, with the tasks that were asked for.
    """

    def __init__(
        self,
        endpoint: str,
        project_id: str,
        post: Post,
        clock: Clock,
        *,
        language: str = "en-us",
        on_reply: Callable[[Sequence[str], Reply], None] | None = None,
    ) -> None:
        self._url = f"{endpoint}/v3/{quote(project_id, safe='')}/jobs/batch-precheck-result"
        self._post = post
        self._clock = clock
        self._headers = {"X-Language": language}
        self._on_reply = on_reply
        self.requests = 0

    def precheck_results(self, task_ids: Sequence[str], seconds: float) -> wire.Answer:
        """Ask for the results of at most 10 tasks.

        Args:
            task_ids: not empty, unique.
            seconds: the time in which the whole answer has to be here.

        Raises:
            TransientFault: the fault may pass: network, 408, 429, 5xx, no answer (`NotAnAnswer`).
            AccessRefused: 401 or 403.
            BatchRefused: 400.
            ServiceError: anything else that is no answer, redirects included.
        """
        self.requests += 1
        body = json.dumps(wire.results_request(list(task_ids))).encode()
        reply = self._post(self._url, body, self._headers, seconds)
        if self._on_reply is not None:
            self._on_reply(task_ids, reply)
        if reply.status == 200:
            return wire.parse_answer(reply.body)
        raise self._refusal(reply)

    def _refusal(self, reply: Reply) -> ServiceError:
        said = wire.parse_error(reply.body)
        request_id = clean_line(shorten(reply.headers.get("X-Request-Id") or said.request_id, 100))
        words = clean_line(shorten(str(said), 500))
        message = f"The service answered HTTP {reply.status}{f': {words}' if words else ''}"
        if request_id:
            message += f" (request {request_id})"
        code = clean_line(shorten(said.code, 60))
        match reply.status:
            case 400:
                return BatchRefused(
                    message,
                    hint=wire.error_hint(code),
                    code=code,
                    request_id=request_id,
                    culprits=dict(said.culprits),
                )
            case 401:
                hint = "The token is wrong or has expired (it lives 24 h): get a new one."
                return AccessRefused(message, hint=hint, code=code, request_id=request_id)
            case 403:
                hint = "The token's user may not query DRS in this project: check its permissions."
                return AccessRefused(message, hint=hint, code=code, request_id=request_id)
            case 404:
                hint = "Check --endpoint or --region, and --project-id."
                return ServiceError(message, hint=hint, code=code, request_id=request_id)
            case status if 300 <= status < 400:
                return ServiceError(
                    f"The endpoint redirects to {_target(reply)} (HTTP {status}); "
                    "credentials are not sent along.",
                    hint="Give the real endpoint with --endpoint; is a proxy in between?",
                    request_id=request_id,
                )
            case status if status in (408, 429) or status >= 500:
                return TransientFault(
                    message,
                    hint="The service is busy or ill; the gate asks again until its time is over.",
                    code=code,
                    request_id=request_id,
                    retry_after=retry_after_seconds(reply.headers, self._clock.now()),
                )
            case status if 200 <= status < 300:
                return NotAnAnswer(message, code=code, request_id=request_id)
            case _:
                return ServiceError(message, code=code, request_id=request_id)


def _target(reply: Reply) -> str:
    """Return the host that a redirect names; the rest of its URL may hold secrets."""
    try:
        host = urlsplit(reply.headers.get("Location", "")).hostname
    except ValueError:
        host = None
    return clean_line(shorten(host, 100)) if host else "another place"
