"""What went over the wire, as it may be shown: for ``--debug-http``, and under every logger."""

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

__all__ = ["Exchange", "SecretFilter", "guard_loggers", "shown_url"]

# The headers whose values are no secret; whatever is not named here is masked.
_HARMLESS = frozenset(
    {
        *("accept", "accept-encoding", "age", "cache-control", "connection", "content-encoding"),
        *("content-length", "content-type", "date", "host", "retry-after", "server"),
        *("transfer-encoding", "user-agent", "via", "x-language", "x-project-id", "x-request-id"),
        *("pragma", "x-sdk-date"),
    }
)
_LOGGERS = ("requests", "urllib3", "urllib3.connection", "urllib3.connectionpool")
_MORE_LOGGERS = ("urllib3.poolmanager", "urllib3.response", "urllib3.util.retry")


@dataclass(slots=True)
class Exchange:
    """One request and what came of it; its ``repr`` has no header in it.

    Attributes:
        method: such as ``GET``.
        url: where it went.
        status: of the reply; None where none came.
        fault: why none came.
        seconds: how long it took.
        sent_bytes: the size of the request's body.
        received_bytes: the size of the reply's body.
        sent_headers: of the request; empty where it could not be made.
        received_headers: of the reply.
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
        """Yield the exchange as lines to print, without any credential."""
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
    """Return a URL without a password, and without what its query says."""
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
    """Takes secrets, and passwords in URLs, out of what is logged."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change a record so that it shows none; always let it through."""
        try:
            text = record.getMessage()
        except Exception:  # a wrong format is the logger's own trouble, and told by logging
            text = str(record.msg)
        record.msg, record.args = hide_secrets(hide_credentials(text)), ()
        # A traceback would show what the frames of others hold.
        record.exc_info, record.exc_text, record.stack_info = None, None, None
        return True


def guard_loggers() -> None:
    """Put a `SecretFilter` under the loggers of what sends requests, once."""
    for name in (*_LOGGERS, *_MORE_LOGGERS):
        logger = logging.getLogger(name)
        if not any(isinstance(one, SecretFilter) for one in logger.filters):
            logger.addFilter(SecretFilter())
