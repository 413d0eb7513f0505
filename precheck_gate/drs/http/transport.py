"""One HTTP exchange: bounded in time and size, never redirected, its faults told by name."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import requests
from requests import exceptions as faults

from precheck_gate import __version__
from precheck_gate.drs.http.caches import cache_sign
from precheck_gate.drs.http.connections import Adapter, Lifeline
from precheck_gate.drs.http.debug_log import Exchange
from precheck_gate.drs.http.decompression import ACCEPTED, Damaged, unpacked
from precheck_gate.drs.http.faults import host_of, name_fault
from precheck_gate.drs.http.framing import UnreadableAnswer
from precheck_gate.drs.http.messages import Reply
from precheck_gate.errors import NotAnAnswer, TransientFault
from precheck_gate.runtime.clock import SLICE_SECONDS
from precheck_gate.runtime.shortages import shortage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from requests.auth import AuthBase

    from precheck_gate.runtime.signals import Interrupts

__all__ = [
    "MAX_ANSWER_BYTES",
    "HttpTransport",
    "in_time",
]

MAX_ANSWER_BYTES = 32 * 1024 * 1024
CONNECT_SECONDS = 10.0
MAX_LEFT_BEHIND = 16

_PACKAGE = str(Path(__file__).parents[2])
_T = TypeVar("_T")


class HttpTransport:
    """Sends requests and gives each a hard limit of time.

    A socket's timeouts bound each wait for bytes, never their sum, and no name look-up at all.
    So each exchange runs in a thread of its own. When its time is over, its socket is shut down,
    which ends the thread. What cannot be ended so, a name look-up, is left behind, and bounded in
    number.

    Args:
        auth: what puts the credential on a request, where none is given with it.
        ca_bundle: a file of certificates to trust; None for the usual ones.
        interrupts: what may end a wait early.
        on_exchange: told of each exchange at its end.
    """

    def __init__(
        self,
        auth: AuthBase,
        *,
        ca_bundle: str | None = None,
        interrupts: Interrupts | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
    ) -> None:
        self._auth = auth
        self._ca_bundle = ca_bundle
        self._interrupts = interrupts
        self._on_exchange = on_exchange
        self._session = self._new_session()
        self._left_behind: list[Lifeline] = []
        self._lock = threading.Lock()

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.headers["User-Agent"] = f"precheck-gate/{__version__}"
        session.headers["Accept-Encoding"] = ACCEPTED
        # An answer of an earlier moment proves nothing. HTTP/1.0's caches know the second alone.
        session.headers["Cache-Control"] = session.headers["Pragma"] = "no-cache"
        for scheme in ("https://", "http://"):
            session.mount(scheme, Adapter())
        if self._ca_bundle is not None:
            session.verify = self._ca_bundle
        return session

    def post(self, url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Reply:
        """Send a POST with the usual credential and return the reply; see `send`."""
        return self.send("POST", url, auth=self._auth, seconds=seconds, headers=headers, body=body)

    def send(
        self,
        method: str,
        url: str,
        *,
        auth: AuthBase,
        seconds: float,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Reply:
        """Send a request and return the reply.

        Args:
            method: such as ``GET``.
            url: where to.
            auth: what puts the credential on it.
            seconds: the time in which the whole reply has to be here.
            headers: besides the credential and the content type.
            body: what, as JSON.

        Raises:
            TransientFault: network faults and time-outs.
            NotAnAnswer: the body is larger than `MAX_ANSWER_BYTES`, what came is not HTTP, or a
                cache answered.
            ServiceError: TLS that does not verify, and requests that cannot be sent.
        """
        request = requests.Request(method, url, headers=dict(headers or {}), auth=auth)
        if body:
            request.data = body
            request.headers["Content-Type"] = "application/json"
        self._refuse_more_left_behind(url)
        session, exchange, began = self._session, Exchange(method, url), time.monotonic()
        lifeline = Lifeline()

        def work() -> Reply:
            with lifeline:
                return _exchange(session, request, seconds, exchange)

        try:
            result: Reply | BaseException | None = in_time(work, seconds, self._interrupts)
        finally:
            # Nothing where it ended by itself.
            lifeline.cut()
        if result is None:
            with self._lock:
                self._left_behind.append(lifeline)
            result = TransientFault(
                f"{host_of(url)} gave no whole answer within {seconds:.0f} s.",
                hint="Is the service reachable and fast from this runner?",
            )
        elif isinstance(result, requests.RequestException | OSError):
            result = name_fault(result, url)
        if self._on_exchange is not None:
            self._on_exchange(exchange.ended(time.monotonic() - began, result))
        if isinstance(result, BaseException):
            raise shortage(result) or result
        _refuse_cached(result, url)
        return result

    def _refuse_more_left_behind(self, url: str) -> None:
        """Raise if too many exchanges have not ended though their time is over."""
        with self._lock:
            self._left_behind = [one for one in self._left_behind if not one.ended]
            count = len(self._left_behind)
        if count >= MAX_LEFT_BEHIND:
            raise TransientFault(
                f"Nothing is sent to {host_of(url)}: {count} requests whose time is over have not "
                "ended yet.",
                hint="Check this runner's DNS: a look-up that hangs cannot be ended.",
            )


def _refuse_cached(reply: Reply, url: str) -> None:
    """Raise if a cache answered; what is a fault of the moment anyway keeps its own words."""
    sign = cache_sign(reply.headers) if reply.status < 500 else ""
    if sign:
        raise NotAnAnswer(
            f"A cache answered in place of {host_of(url)} ({sign}): that is not the state of now.",
            hint="Check --endpoint and HTTPS_PROXY: the proxy or CDN between must pass requests on "
            "(they carry Cache-Control: no-cache).",
        )


def _exchange(
    session: requests.Session, request: requests.Request, seconds: float, exchange: Exchange
) -> Reply:
    prepared = session.prepare_request(request)
    url = prepared.url or ""
    # What goes unencrypted goes to this machine alone: no proxy is in between.
    plain = urlsplit(url).scheme == "http"
    direct = {"no_proxy": urlsplit(url).hostname or ""} if plain else {}
    exchange.sent_headers = dict(prepared.headers)
    exchange.sent_bytes = len(prepared.body or b"")
    settings: Any = session.merge_environment_settings(url, direct, True, session.verify, None)
    try:
        # Not by the session: that follows a redirect, or at least reads its body without a bound.
        # A redirect would carry the credential to a host that nobody configured.
        response = session.get_adapter(url).send(
            prepared,
            # Later than the limit of the whole exchange, so that always that one ends it.
            timeout=(min(CONNECT_SECONDS, seconds + 1.0), seconds + 1.0),
            **settings,
        )
    except requests.RequestException:
        raise
    except UnreadableAnswer as error:
        raise _not_http(error, url) from None
    except (TypeError, ValueError) as error:
        # How requests and urllib3 end on some values of the proxy variables.
        raise faults.InvalidProxyURL(type(error).__name__) from None
    with response:
        try:
            return Reply(response.status_code, response.headers, _body(response, host_of(url)))
        except UnreadableAnswer as error:
            raise _not_http(error, url) from None
        except Damaged as error:
            raise faults.ContentDecodingError(str(error)) from None


def _not_http(error: UnreadableAnswer, url: str) -> NotAnAnswer:
    return NotAnAnswer(
        f"The answer of {host_of(url)} is not HTTP that can be trusted: {error}.",
        hint="Is the endpoint really that of DRS? A proxy or firewall may sit between.",
    )


def _body(response: requests.Response, host: str) -> bytes:
    """Return the whole body, its compression undone, or raise what speaks against it."""
    # Chunks are put together by `framing.ExactResponse`; and without this header nobody below
    # undoes the compression.
    response.raw.chunked = False
    response.raw.headers.pop("Content-Encoding", None)
    chunks = response.iter_content(64 * 1024)
    received = bytearray()
    for chunk in unpacked(chunks, response.headers.get("Content-Encoding", "")):
        received += chunk
        if len(received) > MAX_ANSWER_BYTES:
            raise NotAnAnswer(
                f"The answer of {host} is larger than {MAX_ANSWER_BYTES // 1024 // 1024} MiB.",
                hint="Is the endpoint really that of DRS?",
            )
    return bytes(received)


def in_time(
    work: Callable[[], _T], seconds: float, interrupts: Interrupts | None = None
) -> _T | BaseException | None:
    """Do some work in a thread of its own.

    Returns:
        Its result, the exception that ended it, or None when its time is over; the thread is
        left behind then.
    """
    outcome: queue.SimpleQueue[_T | BaseException] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put(work())
        except BaseException as error:  # handed over to the thread that waits
            outcome.put(_without_foreign_frames(error))

    try:
        threading.Thread(target=run, name="precheck-gate-exchange", daemon=True).start()
    except RuntimeError as error:  # no thread left
        return error
    end = time.monotonic() + seconds
    with nullcontext() if interrupts is None else interrupts.waiting():
        # In slices: a signal that comes in the moment before a wait is seen at its end.
        while (rest := end - time.monotonic()) > SLICE_SECONDS:
            with suppress(queue.Empty):
                return outcome.get(timeout=SLICE_SECONDS)
        try:
            return outcome.get(timeout=max(0.0, rest))
        except queue.Empty:
            return None


def _without_foreign_frames(error: BaseException) -> BaseException:
    """Cut an error's trace off where it leaves this package: beyond, frames hold credentials."""
    last: TracebackType | None = error.__traceback__
    while last is not None and last.tb_next is not None:
        if not last.tb_next.tb_frame.f_code.co_filename.startswith(_PACKAGE):
            last.tb_next = None
        last = last.tb_next
    if not isinstance(error, requests.RequestException):
        error.__context__ = error.__cause__ = None
    return error
