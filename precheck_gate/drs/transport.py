"""One HTTP exchange: bounded in time and size, never redirected, its faults told by name."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests import exceptions as faults

from precheck_gate import __version__
from precheck_gate.clock import SLICE_SECONDS
from precheck_gate.errors import NotAnAnswer, ServiceError, TransientFault
from precheck_gate.text import clean_line, hide_credentials, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from requests.auth import AuthBase

    from precheck_gate.interrupts import Interrupts

__all__ = ["MAX_ANSWER_BYTES", "HttpTransport", "Reply", "retry_after_seconds"]

MAX_ANSWER_BYTES = 32 * 1024 * 1024
CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the status, the headers (their names in any case) and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpTransport:
    """Sends requests to one service and gives each a hard limit of time.

    A socket's timeouts bound each wait for bytes, never their sum, and no name look-up at all.
    So each exchange runs in a thread of its own, which is left behind when its time is over.

    Args:
        auth: what puts the credential on a request.
        ca_bundle: a file of certificates to trust; None for the usual ones.
        interrupts: what may end a wait early.
    """

    def __init__(
        self,
        auth: AuthBase,
        *,
        ca_bundle: str | None = None,
        interrupts: Interrupts | None = None,
    ) -> None:
        self._auth = auth
        self._ca_bundle = ca_bundle
        self._interrupts = interrupts
        self._session = self._new_session()

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.auth = self._auth
        session.headers["User-Agent"] = f"precheck-gate/{__version__}"
        if self._ca_bundle is not None:
            session.verify = self._ca_bundle
        return session

    def post(self, url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Reply:
        """Send a POST and return the reply.

        Args:
            url: where to.
            body: what, as JSON.
            headers: besides the credential and the content type.
            seconds: the time in which the whole reply has to be here.

        Raises:
            TransientFault: network faults and time-outs.
            NotAnAnswer: the body is larger than `MAX_ANSWER_BYTES`.
            ServiceError: TLS that does not verify, and requests that cannot be sent.
        """
        outcome: queue.SimpleQueue[Reply | BaseException] = queue.SimpleQueue()
        session = self._session

        def work() -> None:
            try:
                outcome.put(self._exchange(session, url, body, headers, seconds))
            except BaseException as error:  # handed over to the thread that waits
                outcome.put(error)

        threading.Thread(target=work, name="precheck-gate-exchange", daemon=True).start()
        try:
            result = self._await(outcome, seconds)
        except queue.Empty:
            # The thread that hangs keeps the old session to itself.
            self._session = self._new_session()
            raise TransientFault(
                f"{_host(url)} gave no whole answer within {seconds:.0f} s.",
                hint="Is the service reachable and fast from this runner?",
            ) from None
        if isinstance(result, requests.RequestException | OSError):
            raise _name_fault(result, url) from None
        if isinstance(result, BaseException):
            raise result
        return result

    def _await(
        self, outcome: queue.SimpleQueue[Reply | BaseException], seconds: float
    ) -> Reply | BaseException:
        end = time.monotonic() + seconds
        with nullcontext() if self._interrupts is None else self._interrupts.waiting():
            # In slices: a signal that comes in the moment before a wait is seen at its end.
            while (rest := end - time.monotonic()) > SLICE_SECONDS:
                with suppress(queue.Empty):
                    return outcome.get(timeout=SLICE_SECONDS)
            return outcome.get(timeout=max(0.0, rest))

    @staticmethod
    def _exchange(
        session: requests.Session, url: str, body: bytes, headers: Mapping[str, str], seconds: float
    ) -> Reply:
        try:
            response = session.post(
                url,
                data=body,
                headers={"Content-Type": "application/json", **headers},
                timeout=(min(CONNECT_SECONDS, seconds), seconds),
                # A redirect would carry the token to a host that nobody configured.
                allow_redirects=False,
                stream=True,
            )
        except requests.RequestException:
            raise
        except (TypeError, ValueError) as error:
            # How requests and urllib3 end on some values of the proxy variables.
            raise faults.InvalidProxyURL(type(error).__name__) from None
        with response:
            received = bytearray()
            for chunk in response.iter_content(64 * 1024):
                received += chunk
                if len(received) > MAX_ANSWER_BYTES:
                    raise NotAnAnswer(
                        f"The answer of {_host(url)} is larger than "
                        f"{MAX_ANSWER_BYTES // 1024 // 1024} MiB.",
                        hint="Is the endpoint really that of DRS?",
                    )
            return Reply(response.status_code, response.headers, bytes(received))


def _host(url: str) -> str:
    return urlsplit(url).netloc


_TLS_HINT = (
    "If a proxy of your own signs the traffic, give its certificate with --ca-bundle; "
    "verification cannot be turned off."
)


def _name_fault(error: OSError, url: str) -> ServiceError:
    """Return what the fault is, in words; the request itself is not kept, it bears the token."""
    host = _host(url)
    chain = _chain(error)
    text, root = " ".join(chain), chain[-1]
    match error:
        case faults.SSLError() if "CERTIFICATE_VERIFY_FAILED" in text or "match" in text:
            return ServiceError(
                f"The TLS certificate of {host} does not verify: {_gist(root)}", hint=_TLS_HINT
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
        case (
            faults.ConnectionError() | faults.ChunkedEncodingError() | faults.ContentDecodingError()
        ):
            return _name_connection_fault(host, text, root)
        case requests.RequestException():
            # Its own words are left out: they may quote a proxy's URL with the password in it.
            return ServiceError(
                f"The request to {host} could not be sent: {type(error).__name__}",
                hint="Check the endpoint, HTTPS_PROXY, and the token's characters.",
            )
        case _:
            # requests' plain OSError is about a file, such as a CA bundle, that is not there.
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
            f"{host} cut the connection off.",
            "A proxy or firewall may sit between; the gate asks again.",
        ),
        (
            ("IncompleteRead", "InvalidChunkLength", "Connection broken"),
            f"The answer of {host} ended early.",
            "A proxy or firewall may sit between; the gate asks again.",
        ),
    ):
        if any(sign in text for sign in signs):
            return TransientFault(message, hint=hint)
    return TransientFault(
        f"The connection to {host} failed: {_gist(root)}",
        hint="Check --endpoint, and what sits between; the gate asks again.",
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


def retry_after_seconds(headers: Mapping[str, Any], now: datetime) -> float | None:
    """Return the wish of a ``Retry-After`` header in seconds, or None.

    Source: RFC 9110, section 10.2.3; both forms, a number of seconds and a date.
    """
    value = str(headers.get("Retry-After", "")).strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=now.tzinfo)
    return max(0.0, (date - now).total_seconds())
