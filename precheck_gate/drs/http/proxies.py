"""The proxy that the environment names for a URL, and whether it can be used."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import NamedTuple
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, select_proxy

from precheck_gate.errors import UsageError

__all__ = ["ProxyTrouble", "check_proxy", "proxy_for", "proxy_trouble"]

_VARIABLES = ("https_proxy", "all_proxy")
_SOCKS = frozenset({"socks4", "socks4a", "socks5", "socks5h"})


class ProxyTrouble(NamedTuple):
    """Why a proxy cannot be used, and what to do; without its URL, which may hold a password."""

    message: str
    hint: str


def proxy_for(url: str) -> str | None:
    """Return the proxy's URL as the environment has it; None where a request goes directly."""
    # What goes unencrypted goes to this machine alone: no proxy is in between.
    if urlsplit(url).scheme == "http":
        return None
    return select_proxy(url, get_environ_proxies(url))


def proxy_trouble(url: str) -> ProxyTrouble | None:
    """Return why requests to a URL cannot go through the proxy that is named for it, if so."""
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
        return ProxyTrouble(
            f"{variable} names a SOCKS proxy, and support for SOCKS is not installed.",
            "Install it (pip install 'requests[socks]'), or name an HTTP proxy.",
        )
    if scheme not in ("http", "https", *_SOCKS) or not host:
        return ProxyTrouble(
            f"{variable} is not the URL of a proxy.",
            f"Set it to one such as http://proxy.example:3128, or unset {variable}.",
        )
    return None


def check_proxy(url: str) -> None:
    """Check the proxy for a URL before anything is sent.

    Raises:
        UsageError: it cannot be used.
    """
    trouble = proxy_trouble(url)
    if trouble is not None:
        raise UsageError(trouble.message, hint=trouble.hint)


def _variable(proxy: str) -> str:
    """Return the name of the variable that a proxy's URL comes from."""
    names = sorted(os.environ, key=lambda name: (name.lower() == "all_proxy", name.isupper()))
    for name in names:
        if name.lower() in _VARIABLES and os.environ[name] == proxy:
            return name
    return "The system's proxy setting"
