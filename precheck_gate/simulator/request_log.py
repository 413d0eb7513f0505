"""What the simulator was asked, without any credential."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["RequestLog", "RequestRecord", "harmless_headers"]

_SECRET_WORDS = (
    "auth", "token", "secret", "cookie", "password", "signature", "credential", "key",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request and how it was answered.

    ``moment`` counts in seconds from the simulator's start; ``path`` is without the query;
    ``jobs`` are the IDs of the tasks in the body; ``credential`` is the kind that came with it
    (``token``, ``signature`` or ``none``); ``status`` is the HTTP status of the answer, which a
    fault may have kept from arriving; ``faults`` are the kinds of faults that hit it.
    """

    moment: float
    method: str
    path: str
    jobs: tuple[str, ...]
    headers: Mapping[str, str]
    credential: str
    status: int
    faults: tuple[str, ...]
    request_id: str


class RequestLog:
    """Keeps the last requests; safe to use from several threads."""

    def __init__(self, limit: int = 20_000) -> None:
        self._records: deque[RequestRecord] = deque(maxlen=limit)
        self._lock = threading.Lock()

    def add(self, record: RequestRecord) -> None:
        """Append a record; the oldest gives way at the limit."""
        with self._lock:
            self._records.append(record)

    def records(self) -> tuple[RequestRecord, ...]:
        """Return the records so far, the oldest first."""
        with self._lock:
            return tuple(self._records)


def harmless_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers, their names in lower case, without any that may carry a credential."""
    lowered = ((name.lower(), value) for name, value in headers)
    return {
        name: value for name, value in lowered if not any(word in name for word in _SECRET_WORDS)
    }
