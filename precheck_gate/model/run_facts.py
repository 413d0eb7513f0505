"""How a verdict came about."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RunFacts"]


@dataclass(frozen=True, slots=True)
class RunFacts:
    """How the verdict came about. Every text is safe for any sink.

    Attributes:
        mode: the command, ``run`` or ``evaluate``.
        judged_on: the date of the judgement, ISO 8601, in UTC.
        exit_code: the code with which the process ends, as far as it is known.
        policy: the policy's name; "" when none could be loaded.
        policy_digest: its SHA-256.
        advisory: whether a blocked verdict exits 0.
        interrupted_by: the signal that ended the run early; "" for none.
        started_at: ISO 8601, UTC; "" offline, where equal input gives equal bytes.
        seconds: how long the run took; None offline.
        endpoint: what was asked; "" offline.
        project_id: whose tasks these are; "" offline.
        requests: how many requests were sent; None offline.
        retries: how many of them were repetitions after a fault; None offline.
        bytes_sent: the size of the requests' bodies; None offline.
        bytes_received: the size of the replies' bodies; None offline.
        waited: the seconds that passed between requests; None offline.
    """

    mode: str
    judged_on: str
    exit_code: int
    policy: str = ""
    policy_digest: str = ""
    advisory: bool = False
    interrupted_by: str = ""
    started_at: str = ""
    seconds: float | None = None
    endpoint: str = ""
    project_id: str = ""
    requests: int | None = None
    retries: int | None = None
    bytes_sent: int | None = None
    bytes_received: int | None = None
    waited: float | None = None
