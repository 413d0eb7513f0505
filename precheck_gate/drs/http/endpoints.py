"""Where requests go: the endpoints of regions, the URLs of users, and the proxies in between."""

from __future__ import annotations

import ipaddress
import os
import re
from importlib.util import find_spec
from urllib.parse import urlsplit

from precheck_gate.errors import UsageError
from precheck_gate.safetext.pasted_secrets import quoted, safe_name

_REGION = re.compile(r"[a-z]{2,}(?:-[a-z0-9]+)+")
# Regions whose hosts have another domain; source: the official SDK's region list.
_DOMAINS = {"eu-west-101": "myhuaweicloud.eu"}
_SOCKS = frozenset({"socks4", "socks4a", "socks5", "socks5h"})


def region_endpoint(region: str) -> str:
    """Return the endpoint of DRS in a region; raise `UsageError` for any other name."""
    if not _REGION.fullmatch(region):
        raise UsageError(
            f"{quoted(region)} is not the name of a region.",
            hint="Give one such as eu-west-101 or ap-southeast-1, or --endpoint with a URL.",
        )
    return f"https://drs.{region}.{_DOMAINS.get(region, 'myhuaweicloud.com')}"


def check_endpoint(url: str) -> str:
    """Return an endpoint's URL without a trailing slash, safe to send credentials to.

    Raises:
        UsageError: not an http(s) URL, or one with credentials, a query or a fragment in it, or
            http to another host than this machine.
    """
    hint = "Give one such as https://drs.eu-west-101.myhuaweicloud.eu."
    if "@" in url:
        # Before anything of it is quoted: all text before @ may be a secret.
        raise UsageError(
            "The endpoint's URL has credentials in it.",
            hint="Remove them; the token comes from --token-file or PRECHECK_GATE_TOKEN.",
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
            f"The endpoint http://{safe_name(parts.netloc)} would send the token unencrypted.",
            hint="Use https; http is for this machine alone (127.0.0.1, localhost).",
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, judged by its name or address alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def proxy_for(url: str) -> str | None:
    """Return the URL of the proxy that the environment names; None for a direct request."""
    # Plain http goes to this machine alone: no proxy is in between.
    if urlsplit(url).scheme == "http":
        return None
    from requests.utils import get_environ_proxies, select_proxy

    return select_proxy(url, get_environ_proxies(url))


def proxy_trouble(url: str) -> UsageError | None:
    """Return why the proxy for a URL cannot be used; None where it can, or there is no proxy.

    The proxy's URL is left out: it may hold a password.
    """
    proxy = proxy_for(url)
    if proxy is None:
        return None
    variable = _variable(proxy)
    full = proxy if "://" in proxy else f"http://{proxy}"
    try:
        parts = urlsplit(full)
        scheme, host, _ = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        scheme, host = "", None
    if scheme in _SOCKS and find_spec("socks") is None:
        return UsageError(
            f"{variable} names a SOCKS proxy, and support for SOCKS is not installed.",
            hint="Install it (pip install 'requests[socks]'), or name an HTTP proxy.",
        )
    if scheme not in ("http", "https", *_SOCKS) or not host:
        return UsageError(
            f"{variable} is not the URL of a proxy.",
            hint=f"Set it to one such as http://proxy.example:3128, or unset {variable}.",
        )
    return None


def check_proxy(url: str) -> None:
    """Raise `UsageError` if the proxy for a URL cannot be used."""
    trouble = proxy_trouble(url)
    if trouble is not None:
        raise trouble


def _variable(proxy: str) -> str:
    """Return the name of the variable that holds a proxy's URL."""
    names = sorted(os.environ, key=lambda name: (name.lower() == "all_proxy", name.isupper()))
    for name in names:
        if name.lower() in ("https_proxy", "all_proxy") and os.environ[name] == proxy:
            return name
    return "The system's proxy setting"
