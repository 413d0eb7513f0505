"""The signs that a cache answered in place of the service: what it says is not of now."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["cache_sign"]

# RFC 9211, and what Squid, nginx, Varnish and the usual CDNs send.
_STATUS_HEADERS = (
    *("Cache-Status", "X-Cache", "X-Cache-Status", "X-Proxy-Cache", "CF-Cache-Status"),
    *("X-Cache-Remote", "X-Drupal-Cache", "X-Varnish-Cache"),
)
# Who says it is no word of what is said: "MISS from white.example".
_SPEAKER = re.compile(r"\bfrom\s+[^,;]*", re.IGNORECASE)
_HIT = re.compile(
    r"(?<![a-z0-9])(?:refresh)?(hit|stale|updating)(?![a-z0-9])(?!\s*=\s*\?0)", re.IGNORECASE
)


def cache_sign(headers: Mapping[str, Any]) -> str:
    """Return the header that says that an answer comes from a cache, such as ``Age: 30``; or "".

    Args:
        headers: of the answer, their names in any case.
    """
    age = headers.get("Age")
    if age is not None:
        text = str(age).strip()
        if not (text.isascii() and text.isdigit()):
            return "Age, which is no number of seconds"
        if text.strip("0"):
            return f"Age: {text[:9]}"
    for name in _STATUS_HEADERS:
        found = _HIT.search(_SPEAKER.sub("", str(headers.get(name, ""))))
        if found is not None:
            return f"{name}: {found[1].upper()}"
    return ""
