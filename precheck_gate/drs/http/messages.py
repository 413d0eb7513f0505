"""Requests and replies: how they are sent, and what the headers of a reply say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from requests.auth import AuthBase

    from precheck_gate.runtime.process import Clock

# The gateway refuses signatures that are more than 15 minutes off; say so well before.
MAX_SKEW_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request without its credential; the body, if any, is JSON."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """The status, the headers (their names in any case) and the whole body of a reply.

    Headers and body may hold a credential, issued or repeated by the service. So neither is in the
    ``repr``, and every text of them is cleaned before a person sees it.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


Send: TypeAlias = "Callable[[HttpRequest, AuthBase, float], Reply]"
"""Sends a request with a credential within so many seconds."""

AuthorizedSend: TypeAlias = "Callable[[HttpRequest, float], Reply]"
"""Sends a request with the credential of the run within so many seconds."""


def http_date(headers: Mapping[str, Any]) -> datetime | None:
    """Return the moment of a ``Date`` header, or None."""
    date = _date(str(headers.get("Date", "")))
    return date if date is not None and date.tzinfo is not None else None


def retry_after_seconds(headers: Mapping[str, Any], now: datetime) -> float | None:
    """Return the seconds of a ``Retry-After`` header, or None.

    Source: RFC 9110, section 10.2.3; both forms, a number of seconds and a date.
    """
    value = str(headers.get("Retry-After", "")).strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    date = _date(value)
    if date is None:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=now.tzinfo)
    return max(0.0, (date - now).total_seconds())


def _date(text: str) -> datetime | None:
    # Only here: it imports much that a run without a service does not need.
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None


class Skew:
    """How many seconds our clock is ahead of the service's, by its last ``Date``; None: unknown."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.seconds: float | None = None

    def note(self, headers: Mapping[str, Any]) -> None:
        """Remember the date in a reply's headers, if there is one."""
        date = http_date(headers)
        if date is not None:
            self.seconds = (self._clock.now() - date).total_seconds()

    @property
    def advice(self) -> str:
        """What is wrong with our clock and what to do; "" where it is right or unknown."""
        if self.seconds is None or abs(self.seconds) <= MAX_SKEW_SECONDS:
            return ""
        return (
            f"This computer's clock is {self.description} the service's: set it right "
            "(signatures more than 15 minutes off are refused)."
        )

    @property
    def description(self) -> str:
        """The difference in words, such as ``20 min behind``."""
        seconds = self.seconds or 0.0
        size = abs(seconds)
        if size < 1:
            return "within a second of"
        amount = f"{size / 60:.0f} min" if size >= 120 else f"{size:.0f} s"
        return f"{amount} {'ahead of' if seconds > 0 else 'behind'}"
