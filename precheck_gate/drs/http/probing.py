"""Looks at the way to a host, step by step: proxy, name, connection, TLS. No credential is sent."""

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
from precheck_gate.drs.http.proxies import proxy_for
from precheck_gate.drs.http.transport import in_time
from precheck_gate.safetext.cleaning import clean_line, shorten

if TYPE_CHECKING:
    from collections.abc import Callable

    from precheck_gate.runtime.signals import Interrupts

__all__ = ["Finding", "Prober"]

_T = TypeVar("_T")
_TLS_ADVICE = (
    "If a proxy of your own signs the traffic, give its certificate with --ca-bundle; "
    "verification cannot be turned off."
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a step showed; ``good`` None is: not done. ``advice`` says what to do."""

    good: bool | None
    text: str
    advice: str = ""


class Prober:
    """Looks at the way to one base URL.

    Args:
        url: checked; ``https``, or ``http`` on this machine.
        ca_bundle: certificates to trust; None for the usual ones.
        seconds: the time for each step.
        interrupts: what may end a wait early.
    """

    def __init__(
        self, url: str, ca_bundle: str | None, seconds: float, interrupts: Interrupts | None
    ) -> None:
        parts = urlsplit(url)
        self._url = url
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._secure else 80)
        self._ca_bundle = ca_bundle
        self._seconds = seconds
        self._interrupts = interrupts
        self._proxy = proxy_for(url)

    def proxy(self) -> Finding:
        """Say whether a proxy is in between."""
        if not self._secure:
            return Finding(None, "not used for http on this machine")
        if self._proxy is None:
            return Finding(None, f"none for {self._host}")
        proxy = self._proxy if "://" in self._proxy else f"http://{self._proxy}"
        return Finding(True, f"{shown_url(proxy)} for {self._host}")

    def name(self) -> Finding:
        """Look the host's name up."""
        if self._proxy is not None:
            return Finding(None, f"the proxy looks {self._host} up")
        try:
            ipaddress.ip_address(self._host)
        except ValueError:
            pass
        else:
            return Finding(None, f"{self._host} is an address")
        advice = "Check --endpoint or --region, and this machine's DNS."
        result = self._bounded(
            lambda: socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        )
        if isinstance(result, str):
            return Finding(False, f"{self._host} does not resolve: {result}", advice)
        addresses = sorted({str(entry[4][0]) for entry in result})
        return Finding(True, f"{self._host} is {', '.join(addresses[:4])}")

    def connection(self) -> Finding:
        """Connect, and shake hands where it is TLS."""
        if self._proxy is not None:
            return Finding(None, "through the proxy: see the clock's line")
        place = f"{self._host}:{self._port}"
        result = self._bounded(self._shake_hands if self._secure else self._connect)
        if isinstance(result, _Shaken):
            if not result.version:
                return Finding(True, f"{place} accepts connections (not encrypted)")
            return Finding(True, f"{place}, {result.version}, certificate until {result.end}")
        refused = "certificate" in result
        text = f"{place}: {result}"
        return Finding(False, text, _TLS_ADVICE if refused else "Check the address, and firewalls.")

    def _connect(self) -> _Shaken:
        with socket.create_connection((self._host, self._port), timeout=self._seconds):
            return _Shaken("", "")

    def _shake_hands(self) -> _Shaken:
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
            certificate = secure.getpeercert() or {}
            return _Shaken(secure.version() or "TLS", str(certificate.get("notAfter", "?")))

    def _bounded(self, work: Callable[[], _T]) -> _T | str:
        """Return the work's result, or in words why there is none."""
        result = in_time(work, self._seconds, self._interrupts)
        if result is None:
            return f"nothing within {self._seconds:.0f} s"
        if isinstance(result, ssl.SSLCertVerificationError):
            return clean_line(f"the certificate does not verify: {result.verify_message}")
        if isinstance(result, OSError):
            return clean_line(shorten(result.strerror or str(result) or type(result).__name__, 200))
        if isinstance(result, BaseException):
            raise result
        return result


@dataclass(frozen=True, slots=True)
class _Shaken:
    version: str
    end: str
