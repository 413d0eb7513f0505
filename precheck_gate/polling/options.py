"""How to poll: times and sizes."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["GENTLE_SECONDS", "PollOptions"]

GENTLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class PollOptions:
    """How to poll; all times in seconds.

    Attributes:
        timeout: the time for the whole run, never exceeded.
        grace: how long a task may go unanswered, in error, or at 100 % with an item that has no
            status, before that is final, and how long the service may be out of reach at the start.
        max_staleness: the greatest age of a snapshot that the verdict rests on.
        batch_size: tasks in a request; the service advises at most 10.
        pace: the least time between two requests; whoever sends them keeps to it.
        width: the most batches that are asked for at once, when answers have to be confirmed.
        backoff: the first pause after a fault; doubled with each further one up to
            ``longest_backoff``, of which a random part is waited (full jitter).
        longest_backoff: see ``backoff``.
        heartbeat: the longest time without an event.
        gentle: how often a pre-check is asked for that has ended and is not accepted.
    """

    timeout: float = 1800.0
    grace: float = 60.0
    max_staleness: float = 60.0
    batch_size: int = 10
    pace: float = 0.1
    width: int = 4
    backoff: float = 1.0
    longest_backoff: float = 30.0
    heartbeat: float = 20.0
    gentle: float = GENTLE_SECONDS
