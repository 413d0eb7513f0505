"""What may be shown of requests: for ``--debug-http``, and in the logs of libraries."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from precheck_gate.safetext.cleaning import clean_line, hide_credentials, shorten
from precheck_gate.safetext.secrets import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from precheck_gate.drs.http.messages import Reply

# The headers whose values are no secret; all others are masked.
_HARMLESS = frozenset(
    {
        *("accept", "accept-encoding", "age", "cache-control", "connection", "content-encoding"),
        *("content-length", "content-type", "date", "host", "pragma", "retry-after", "server"),
        *("transfer-encoding", "user-agent", "via", "x-language", "x-project-id", "x-request-id"),
        "x-sdk-date",
    }
)
_LOGGERS = (
    *("requests", "urllib3", "urllib3.connection", "urllib3.connectionpool"),
    *("urllib3.poolmanager", "urllib3.response", "urllib3.util.retry"),
)


@dataclass(slots=True)
class Exchange:
    """One request and its outcome; the ``repr`` has no header in it.

    ``status`` is None where no reply came, and ``fault`` says why. The bytes are those of bodies.
    """

    method: str
    url: str = field(repr=False)
    status: int | None = None
    fault: str = ""
    seconds: float = 0.0
    sent_bytes: int = 0
    received_bytes: int = 0
    sent_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    received_headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def ended(self, seconds: float, result: Reply | BaseException) -> Exchange:
        """Return the exchange at its end."""
        if isinstance(result, BaseException):
            message = getattr(result, "message", "") or type(result).__name__
            return replace(self, seconds=seconds, fault=str(message))
        return replace(
            self,
            seconds=seconds,
            status=result.status,
            received_bytes=len(result.body),
            received_headers=result.headers,
        )

    def lines(self) -> Iterator[str]:
        """Yield lines to print, without any credential."""
        outcome = f"HTTP {self.status}" if self.status is not None else _shown(self.fault)
        yield (
            f"http {self.method} {shown_url(self.url)}: {outcome}, {self.sent_bytes} B sent, "
            f"{self.received_bytes} B received, {self.seconds:.3f} s"
        )
        for sign, headers in ((">", self.sent_headers), ("<", self.received_headers)):
            for name, value in headers.items():
                shown = _shown(value) if name.lower() in _HARMLESS else "***"
                yield f"http   {sign} {_shown(name)}: {shown}"


def shown_url(url: str) -> str:
    """Return a URL without a password and without the values of its query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(no URL)"
    host = parts.netloc.rpartition("@")[2]
    query = "?…" if parts.query else ""
    return clean_line(shorten(f"{parts.scheme}://{host}{parts.path}{query}", 200))


def _shown(value: object) -> str:
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return clean_line(shorten(hide_credentials(text), 200))


class SecretFilter(logging.Filter):
    """Removes secrets, and passwords in URLs, from log records."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change a record so that it shows no secret; always let it through."""
        try:
            text = record.getMessage()
        except Exception:  # logging itself reports a wrong format
            text = str(record.msg)
        record.msg, record.args = hide_secrets(hide_credentials(text)), ()
        # A traceback would show what the frames of libraries hold.
        record.exc_info, record.exc_text, record.stack_info = None, None, None
        return True


def guard_loggers() -> None:
    """Put a `SecretFilter` on the loggers of the libraries that send requests, once."""
    for logger in map(logging.getLogger, _LOGGERS):
        if not any(isinstance(one, SecretFilter) for one in logger.filters):
            logger.addFilter(SecretFilter())
