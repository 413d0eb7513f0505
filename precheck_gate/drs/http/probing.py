"""Checks the way to a host, step by step: proxy, name, connection, TLS. Sends no credential."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from precheck_gate.drs.http.debug_log import shown_url
from precheck_gate.drs.http.endpoints import proxy_for
from precheck_gate.drs.http.transport import TLS_HINT, in_time
from precheck_gate.safetext.cleaning import clean_line, shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    from precheck_gate.runtime.process import Interrupts

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The outcome of a step; ``good`` is None where it was skipped, ``advice`` says what to do."""

    good: bool | None
    text: str
    advice: str = ""


class Prober:
    """Checks the way to one base URL, which is ``https``, or ``http`` on this machine.

    Each step may take so many seconds.
    """

    def __init__(
        self, url: str, ca_bundle: str | None, seconds: float, interrupts: Interrupts | None
    ) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._secure else 80)
        self._ca_bundle = ca_bundle
        self._seconds = seconds
        self._interrupts = interrupts
        self._proxy = proxy_for(url)

    def proxy(self) -> ProbeResult:
        """Say whether a proxy is in between."""
        if not self._secure:
            return ProbeResult(None, "not used for http on this machine")
        if self._proxy is None:
            return ProbeResult(None, f"none for {self._host}")
        proxy = self._proxy if "://" in self._proxy else f"http://{self._proxy}"
        return ProbeResult(True, f"{shown_url(proxy)} for {self._host}")

    def name(self) -> ProbeResult:
        """Look up the host's name."""
        if self._proxy is not None:
            return ProbeResult(None, f"the proxy looks up {self._host}")
        try:
            ipaddress.ip_address(self._host)
        except ValueError:
            pass
        else:
            return ProbeResult(None, f"{self._host} is an address")
        entries, trouble = self._bounded(
            lambda: socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        )
        if entries is None:
            advice = "Check --endpoint or --region, and this machine's DNS."
            return ProbeResult(False, f"{self._host} does not resolve: {trouble}", advice)
        addresses = sorted({str(entry[4][0]) for entry in entries})
        return ProbeResult(True, f"{self._host} is {', '.join(addresses[:4])}")

    def connection(self) -> ProbeResult:
        """Connect, with a TLS handshake for https."""
        if self._proxy is not None:
            return ProbeResult(None, "through the proxy: see the clock's line")
        place = f"{self._host}:{self._port}"
        shown, trouble = self._bounded(self._handshake if self._secure else self._connect)
        if shown is not None:
            return ProbeResult(True, f"{place}{shown}")
        advice = TLS_HINT if "certificate" in trouble else "Check the address, and firewalls."
        return ProbeResult(False, f"{place}: {trouble}", advice)

    def _connect(self) -> str:
        with socket.create_connection((self._host, self._port), timeout=self._seconds):
            return " accepts connections (not encrypted)"

    def _handshake(self) -> str:
        bundle = (
            self._ca_bundle
            or os.environ.get("REQUESTS_CA_BUNDLE")
            or os.environ.get("CURL_CA_BUNDLE")
            or DEFAULT_CA_BUNDLE_PATH
        )
        folder = os.path.isdir(bundle)  # noqa: PTH112
        context = ssl.create_default_context(
            cafile=None if folder else bundle, capath=bundle if folder else None
        )
        with (
            socket.create_connection((self._host, self._port), timeout=self._seconds) as plain,
            context.wrap_socket(plain, server_hostname=self._host) as secure,
        ):
            end = str((secure.getpeercert() or {}).get("notAfter", "?"))
            return f", {secure.version() or 'TLS'}, certificate until {end}"

    def _bounded(self, work: Callable[[], _T]) -> tuple[_T | None, str]:
        """Return the work's result, or None and what went wrong."""
        result = in_time(work, self._seconds, self._interrupts)
        if result is None:
            return None, f"no answer within {self._seconds:.0f} s"
        if isinstance(result, ssl.SSLCertVerificationError):
            return None, clean_line(f"the certificate does not verify: {result.verify_message}")
        if isinstance(result, OSError):
            said = result.strerror or str(result) or type(result).__name__
            return None, clean_line(shorten(said, 200))
        if isinstance(result, BaseException):
            raise result
        return result, ""
