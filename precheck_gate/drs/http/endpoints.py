"""Where the service is: endpoints by region, and what may stand in an endpoint's URL."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from precheck_gate.errors import UsageError
from precheck_gate.safetext.pasted_secrets import quoted, safe_name

__all__ = ["check_endpoint", "is_loopback", "region_endpoint"]

_REGION = re.compile(r"[a-z]{2,}(?:-[a-z0-9]+)+")
# Regions whose hosts end otherwise; source: the official SDK's region list.
_DOMAINS = {"eu-west-101": "myhuaweicloud.eu"}


def region_endpoint(region: str) -> str:
    """Return the endpoint of DRS in a region, such as ``https://drs.eu-west-101…``.

    Raises:
        UsageError: that is not the name of a region.
    """
    if not _REGION.fullmatch(region):
        raise UsageError(
            f"{quoted(region)} is not the name of a region.",
            hint="Give one such as eu-west-101 or ap-southeast-1, or --endpoint with a URL.",
        )
    return f"https://drs.{region}.{_DOMAINS.get(region, 'myhuaweicloud.com')}"


def check_endpoint(url: str) -> str:
    """Return an endpoint's URL without a trailing slash, safe to send credentials to.

    Raises:
        UsageError: no http(s) URL, one with credentials, a query or a fragment in it, or http to
            anything but this machine.
    """
    hint = "Give one such as https://drs.eu-west-101.myhuaweicloud.eu."
    if "@" in url:
        # Before anything of it is quoted: however it is spelt, what stands before @ is a secret.
        raise UsageError(
            "The endpoint's URL has credentials in it.",
            hint="Take them out; the token comes from --token-file or PRECHECK_GATE_TOKEN.",
        )
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise UsageError("The endpoint is not a URL.", hint=hint) from None
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(f"The endpoint {quoted(url, 100)} is not an http(s) URL.", hint=hint)
    if parts.query or parts.fragment or re.search(r"[\s\\\x00-\x1f]", url.strip()):
        raise UsageError(
            f"The endpoint {quoted(parts.netloc, 100)} has more in it than a base URL.", hint=hint
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageError(
            f"The endpoint http://{safe_name(parts.netloc)} would carry the token unencrypted.",
            hint="Use https; http is for this machine alone (127.0.0.1, localhost).",
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, as far as its name or address alone tells."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
