"""What went wrong on the network, in words that quote no credential."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests
from requests import exceptions as faults

from precheck_gate.drs.http.proxies import proxy_trouble
from precheck_gate.errors import ServiceError, TransientFault
from precheck_gate.runtime.shortages import shortage
from precheck_gate.safetext.cleaning import clean_line, hide_credentials, shorten

__all__ = ["host_of", "name_fault"]


def host_of(url: str) -> str:
    """Return the host and port of a URL, for messages; never the user and password in it."""
    return urlsplit(url).netloc.rpartition("@")[2]


_TLS_HINT = (
    "If a proxy of your own signs the traffic, give its certificate with --ca-bundle; "
    "verification cannot be turned off."
)


def name_fault(error: OSError, url: str) -> ServiceError:
    """Return what the fault is, in words; the request itself is not kept, it bears the token."""
    if (lack := shortage(error)) is not None:
        return lack
    host = host_of(url)
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
        case faults.ContentDecodingError():
            return TransientFault(
                f"The compressed answer of {host} is cut off or damaged: {_gist(str(error))}",
                hint="A proxy or firewall may sit between; the gate asks again.",
            )
        case faults.ConnectionError() | faults.ChunkedEncodingError():
            return _name_connection_fault(host, text, root)
        case requests.RequestException():
            trouble = proxy_trouble(url)
            if trouble is not None:
                return ServiceError(
                    f"The request to {host} could not be sent: {trouble.message}", hint=trouble.hint
                )
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
