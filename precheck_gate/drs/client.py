"""One call of DRS v3: ask for the pre-check results of some tasks, get an answer or a named error.

Nothing is repeated here: whoever asks decides about that, and can say so.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from precheck_gate.drs import wire
from precheck_gate.drs.refusals import refusal, said
from precheck_gate.drs.transport import Reply
from precheck_gate.errors import AccessRefused, BatchRefused, ServiceError
from precheck_gate.secrets import hide_secrets_in_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from precheck_gate.clock import Clock

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
        project_id: whose tasks are asked for, or what finds that out within so many seconds.
        post: what sends a request.
        clock: for ``Retry-After`` dates.
        language: of the service's messages, ``en-us`` or ``zh-cn``.
        on_reply: told of each reply, whatever it is, with the tasks that were asked for.
        advice: what to do about a 401 or a 403.
    """

    def __init__(
        self,
        endpoint: str,
        project_id: str | Callable[[float], str],
        post: Post,
        clock: Clock,
        *,
        language: str = "en-us",
        on_reply: Callable[[Sequence[str], Reply], None] | None = None,
        advice: Callable[[int], str] | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._project_id = project_id
        self._advice = advice or _ADVICE.__getitem__
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
        end = self._clock.monotonic() + seconds
        project = (
            self._project_id if isinstance(self._project_id, str) else self._project_id(seconds)
        )
        url = f"{self._endpoint}/v3/{quote(project, safe='')}/jobs/batch-precheck-result"
        self.requests += 1
        body = json.dumps(wire.results_request(list(task_ids))).encode()
        left = max(1.0, end - self._clock.monotonic())
        reply = self._post(url, body, self._headers, min(left, seconds))
        # A service may repeat what it was sent, and what it says is printed and kept.
        reply = Reply(reply.status, reply.headers, hide_secrets_in_bytes(reply.body))
        if self._on_reply is not None:
            self._on_reply(task_ids, reply)
        if reply.status == 200:
            return wire.parse_answer(reply.body)
        raise self._refusal(reply)

    def _refusal(self, reply: Reply) -> ServiceError:
        message, code, request_id = said(reply)
        match reply.status:
            case 400:
                return BatchRefused(
                    message,
                    hint=wire.error_hint(code),
                    code=code,
                    request_id=request_id,
                    culprits=dict(wire.parse_error(reply.body).culprits),
                )
            case 401 | 403 as status:
                hint = self._advice(status)
                return AccessRefused(message, hint=hint, code=code, request_id=request_id)
            case 404:
                hint = "Check --endpoint or --region, and --project-id."
                return ServiceError(message, hint=hint, code=code, request_id=request_id)
            case _:
                return refusal(reply, self._clock, option="--endpoint")


_ADVICE = {
    401: "The token is wrong or has expired (it lives 24 h): get a new one.",
    403: "The token's user may not query DRS in this project: check its permissions.",
}
