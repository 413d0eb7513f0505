"""How requests are sent: bounded in time, size and rate, never redirected or cached."""

from __future__ import annotations

import queue
import re
import threading
import time
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import requests
from requests import exceptions as faults

from precheck_gate.drs.http.connections import (
    ACCEPTED,
    Adapter,
    Damaged,
    Lifeline,
    UnreadableAnswer,
    unpacked,
)
from precheck_gate.drs.http.debug_log import Exchange
from precheck_gate.drs.http.endpoints import proxy_trouble
from precheck_gate.drs.http.messages import Reply
from precheck_gate.errors import NotAnAnswer, ServiceError, TimeOver, TransientFault
from precheck_gate.runtime.process import SLICE_SECONDS, shortage
from precheck_gate.runtime.version import __version__
from precheck_gate.safetext.cleaning import clean_line, hide_credentials, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from requests.auth import AuthBase

    from precheck_gate.drs.http.messages import HttpRequest, Send
    from precheck_gate.runtime.process import Clock, Interrupts

MAX_ANSWER_BYTES = 32 * 1024 * 1024
CONNECT_SECONDS = 10.0
EXCHANGE_SECONDS = 30.0
MAX_LEFT_BEHIND = 16
TLS_HINT = (
    "If a proxy of your own signs the traffic, give its certificate with --ca-bundle; "
    "verification cannot be turned off."
)
_BETWEEN = "A proxy or firewall may be in between; the gate asks again."

_PACKAGE = str(Path(__file__).parents[2])
_T = TypeVar("_T")


class HttpTransport:
    """Sends requests and gives each a hard limit of time.

    A socket's timeouts bound each wait for bytes, never their sum, and no name look-up at all. So
    each exchange runs in a thread of its own. When its time is over, its socket is shut down, which
    ends the thread. A name look-up cannot be ended so: it is left behind, and bounded in number.

    ``on_exchange`` is called at the end of each exchange.
    """

    def __init__(
        self,
        *,
        ca_bundle: str | None = None,
        interrupts: Interrupts | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
    ) -> None:
        self._interrupts = interrupts
        self._on_exchange = on_exchange
        self._session = requests.Session()
        headers = self._session.headers
        headers["User-Agent"] = f"precheck-gate/{__version__}"
        headers["Accept-Encoding"] = ACCEPTED
        # An earlier answer proves nothing. Caches of HTTP/1.0 know the second header alone.
        headers["Cache-Control"] = headers["Pragma"] = "no-cache"
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, Adapter())
        if ca_bundle is not None:
            self._session.verify = ca_bundle
        self._left_behind: list[Lifeline] = []
        self._lock = threading.Lock()

    def send(self, request: HttpRequest, auth: AuthBase, seconds: float) -> Reply:
        """Send a request and return the reply, which has to be here within ``seconds``.

        Raises:
            TransientFault: network faults and time-outs.
            NotAnAnswer: the body is too large, what came is not HTTP, or a cache answered.
            ServiceError: TLS that does not verify, and requests that cannot be sent.
        """
        url = request.url
        headers = dict(request.headers)
        if request.body:
            headers["Content-Type"] = "application/json"
        prepared = requests.Request(request.method, url, headers, data=request.body, auth=auth)
        self._refuse_more_left_behind(url)
        exchange, began, lifeline = Exchange(request.method, url), time.monotonic(), Lifeline()
        try:
            result: Reply | BaseException | None = in_time(
                partial(_exchange, self._session, prepared, seconds, exchange, lifeline),
                seconds,
                self._interrupts,
            )
        finally:
            # Nothing where it ended by itself.
            lifeline.cut()
        if result is None:
            with self._lock:
                self._left_behind.append(lifeline)
            result = TransientFault(
                f"{_host_of(url)} gave no complete answer within {seconds:.0f} s.",
                hint="Is the service reachable and fast from this runner?",
            )
        elif isinstance(result, OSError | UnreadableAnswer | Damaged):
            result = _name_fault(result, url)
        if self._on_exchange is not None:
            self._on_exchange(exchange.ended(time.monotonic() - began, result))
        if isinstance(result, BaseException):
            raise shortage(result) or result
        # A fault of the moment keeps its own words.
        sign = cache_sign(result.headers) if result.status < 500 else ""
        if sign:
            raise NotAnAnswer(
                f"A cache answered in place of {_host_of(url)} ({sign}), so the answer may be out "
                "of date.",
                hint="Check --endpoint and HTTPS_PROXY: the proxy or CDN in between must pass "
                "requests on (they carry Cache-Control: no-cache).",
            )
        return result

    def _refuse_more_left_behind(self, url: str) -> None:
        """Raise if too many exchanges have not ended though their time is over."""
        with self._lock:
            self._left_behind = [one for one in self._left_behind if not one.ended]
            count = len(self._left_behind)
        if count >= MAX_LEFT_BEHIND:
            raise TransientFault(
                f"Nothing is sent to {_host_of(url)}: {count} requests whose time is over have not "
                "ended yet.",
                hint="Check this runner's DNS: a look-up that hangs cannot be ended.",
            )


def _exchange(
    session: requests.Session,
    request: requests.Request,
    seconds: float,
    exchange: Exchange,
    lifeline: Lifeline,
) -> Reply:
    with lifeline:
        prepared = session.prepare_request(request)
        url = prepared.url or ""
        # Plain http goes to this machine alone: no proxy is in between.
        plain = urlsplit(url).scheme == "http"
        direct = {"no_proxy": urlsplit(url).hostname or ""} if plain else {}
        exchange.sent_headers = dict(prepared.headers)
        exchange.sent_bytes = len(prepared.body or b"")
        settings: Any = session.merge_environment_settings(url, direct, True, session.verify, None)
        try:
            # Not by the session: that follows a redirect, or at least reads its body without a
            # bound. A redirect would carry the credential to a host that nobody configured.
            response = session.get_adapter(url).send(
                prepared,
                # Later than the limit of the whole exchange, so that always that one ends it.
                timeout=(min(CONNECT_SECONDS, seconds + 1.0), seconds + 1.0),
                **settings,
            )
        except requests.RequestException:
            raise
        except (TypeError, ValueError) as error:
            # How requests and urllib3 end on some values of the proxy variables.
            raise faults.InvalidProxyURL(type(error).__name__) from None
        with response:
            return Reply(response.status_code, response.headers, _body(response, _host_of(url)))


def _body(response: requests.Response, host: str) -> bytes:
    """Return the whole body without its compression, or raise what is wrong with it."""
    # `connections` puts chunks together; and without this header nobody below uncompresses.
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


class PacedSend:
    """Sends requests at a bounded rate, each for a bounded time; a `messages.Send`.

    The caller's time covers the wait for a turn and the exchange. An exchange that takes longer
    than ``exchange_seconds`` is a fault of the service; anything else that uses up the caller's
    time is not: that is a `TimeOver`.
    """

    def __init__(
        self,
        send: Send,
        clock: Clock,
        max_rps: float,
        exchange_seconds: float = EXCHANGE_SECONDS,
    ) -> None:
        self.bytes_sent = 0
        self.bytes_received = 0
        self._send = send
        self._clock = clock
        self._gap = 1.0 / max_rps
        self._exchange_seconds = exchange_seconds
        self._next = clock.monotonic()
        self._lock = threading.Lock()

    def __call__(self, request: HttpRequest, auth: AuthBase, seconds: float) -> Reply:
        """Send a request when it is its turn.

        Raises:
            TimeOver: the seconds are over, or will be before its turn.
            ServiceError: as with the inner ``send``.
        """
        with self._lock:
            now = self._clock.monotonic()
            wait = max(0.0, self._next - now)
            if wait >= seconds:
                raise TimeOver(
                    "The rate of requests is used up (--max-rps), and the time with it.",
                    hint="Give more time with --timeout, or a higher --max-rps.",
                )
            self._next = now + wait + self._gap
        if wait > 0:
            self._clock.sleep(wait)
        with self._lock:
            self.bytes_sent += len(request.body)
        left = min(seconds - wait, self._exchange_seconds)
        try:
            reply = self._send(request, auth, left)
        except TransientFault as error:
            if self._clock.monotonic() < now + seconds:
                raise
            raise TimeOver(error.message, hint=error.hint) from None
        with self._lock:
            self.bytes_received += len(reply.body)
        return reply


# What went wrong, in words that quote no credential


def _host_of(url: str) -> str:
    """Return the host and port of a URL, without a user and password in it."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _name_fault(error: Exception, url: str) -> ServiceError:
    """Return a fault in words; the request itself, which carries the credential, is not kept."""
    if (lack := shortage(error)) is not None:
        return lack
    host = _host_of(url)
    chain = _chain(error)
    text, root = " ".join(chain), chain[-1]
    match error:
        case UnreadableAnswer():
            return NotAnAnswer(
                f"The answer of {host} is not valid HTTP: {error}.",
                hint="Is the endpoint really that of DRS? A proxy or firewall may be in between.",
            )
        case Damaged() | faults.ContentDecodingError():
            return TransientFault(
                f"The compressed answer of {host} is cut off or damaged: {_gist(str(error))}",
                hint=_BETWEEN,
            )
        case faults.SSLError() if "CERTIFICATE_VERIFY_FAILED" in text or "match" in text:
            return ServiceError(
                f"The TLS certificate of {host} does not verify: {_gist(root)}", hint=TLS_HINT
            )
        case faults.ProxyError():
            return TransientFault(
                f"The proxy on the way to {host} failed: {_gist(root)}",
                hint="Check HTTPS_PROXY and NO_PROXY.",
            )
        case faults.Timeout():
            return TransientFault(
                f"{host} did not answer in time.", hint="Is it reachable from this runner?"
            )
        case faults.ConnectionError() | faults.ChunkedEncodingError():
            return _name_connection_fault(host, text, root)
        case requests.RequestException():
            trouble = proxy_trouble(url)
            # Its own words are left out: they may quote a proxy's URL with the password in it.
            said = trouble.message if trouble is not None else type(error).__name__
            hint = "Check the endpoint, HTTPS_PROXY, and the token's characters."
            return ServiceError(
                f"The request to {host} could not be sent: {said}",
                hint=trouble.hint if trouble is not None else hint,
            )
        case _:
            # requests raises a plain OSError for a file that is missing, such as a CA bundle.
            return ServiceError(
                f"The request to {host} could not be sent: {_gist(str(error))}",
                hint="Check REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and --ca-bundle.",
            )


def _name_connection_fault(host: str, text: str, root: str) -> TransientFault:
    for signs, message, hint in (
        (
            ("NameResolutionError", "getaddrinfo", "Name or service not known"),
            f"The host {host} does not resolve.",
            "Check --endpoint or --region, and this runner's DNS.",
        ),
        (
            ("Connection refused",),
            f"{host} refused the connection.",
            "Check the host and port of --endpoint, and firewalls.",
        ),
        (
            ("reset by peer", "Connection aborted", "RemoteDisconnected", "broken pipe"),
            f"{host} closed the connection.",
            _BETWEEN,
        ),
        (
            ("IncompleteRead", "InvalidChunkLength", "Connection broken"),
            f"The answer of {host} ended early.",
            _BETWEEN,
        ),
    ):
        if any(sign in text for sign in signs):
            return TransientFault(message, hint=hint)
    return TransientFault(
        f"The connection to {host} failed: {_gist(root)}", hint=f"Check --endpoint. {_BETWEEN}"
    )


def _chain(error: BaseException | None) -> list[str]:
    """Return the words of an error and of all that caused it."""
    words: list[str] = []
    while error is not None and len(words) < 10:
        reason = getattr(error, "reason", None) or next(
            (arg for arg in error.args if isinstance(arg, BaseException)), None
        )
        words.append(f"{type(error).__name__}: {error}")
        error = reason if isinstance(reason, BaseException) else error.__cause__
    return words


def _gist(text: str) -> str:
    return shorten(clean_line(hide_credentials(text)), 300)


# RFC 9211, and what Squid, nginx, Varnish and the usual CDNs send.
_CACHE_HEADERS = (
    *("Cache-Status", "X-Cache", "X-Cache-Status", "X-Proxy-Cache", "CF-Cache-Status"),
    *("X-Cache-Remote", "X-Drupal-Cache", "X-Varnish-Cache"),
)
# The name of the cache is no word of what it says: "MISS from white.example".
_CACHE_NAME = re.compile(r"\bfrom\s+[^,;]*", re.IGNORECASE)
_HIT = re.compile(
    r"(?<![a-z0-9])(?:refresh)?(hit|stale|updating)(?![a-z0-9])(?!\s*=\s*\?0)", re.IGNORECASE
)


def cache_sign(headers: Mapping[str, Any]) -> str:
    """Return the header of an answer from a cache, such as ``Age: 30``, or ""."""
    age = headers.get("Age")
    if age is not None:
        text = str(age).strip()
        if not (text.isascii() and text.isdigit()):
            return "Age, which is not a number of seconds"
        if text.strip("0"):
            return f"Age: {text[:9]}"
    for name in _CACHE_HEADERS:
        found = _HIT.search(_CACHE_NAME.sub("", str(headers.get(name, ""))))
        if found is not None:
            return f"{name}: {found[1].upper()}"
    return ""


# Work with a limit of time


def in_time(
    work: Callable[[], _T], seconds: float, interrupts: Interrupts | None = None
) -> _T | BaseException | None:
    """Do some work in a thread of its own; return its result or the exception that ended it.

    None means that the time is over; the thread is then left behind.
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
    """Cut off an error's trace where it leaves this package: other frames hold credentials."""
    last: TracebackType | None = error.__traceback__
    while last is not None and last.tb_next is not None:
        if not last.tb_next.tb_frame.f_code.co_filename.startswith(_PACKAGE):
            last.tb_next = None
        last = last.tb_next
    if not isinstance(error, requests.RequestException):
        error.__context__ = error.__cause__ = None
    return error
