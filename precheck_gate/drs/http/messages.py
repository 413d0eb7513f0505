"""What is sent and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from requests.auth import AuthBase

__all__ = ["Reply", "Send", "http_date", "retry_after_seconds"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the status, the headers (their names in any case) and the whole body.

    Headers and body may hold a credential, one that was just issued or one that the service
    repeats: neither is in its ``repr``, and every text of them is hidden on its way to a person.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Send(Protocol):
    """What sends a request with a credential: `HttpTransport.send`, or a fake."""

    def __call__(  # noqa: D102
        self,
        method: str,
        url: str,
        *,
        auth: AuthBase,
        seconds: float,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Reply: ...


def http_date(headers: Mapping[str, Any]) -> datetime | None:
    """Return the moment of a ``Date`` header, or None."""
    try:
        date = parsedate_to_datetime(str(headers.get("Date", "")))
    except ValueError:
        return None
    return date if date.tzinfo is not None else None


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
