"""Which keys of a scenario's fault mean something for which kind."""

from __future__ import annotations

from precheck_gate.simulator.faults import FaultKind

__all__ = ["FAULT_KEYS", "FAULT_NEEDS"]

# The keys that mean something for a kind of fault, beside `when` and `kind`.
FAULT_KEYS: dict[FaultKind, frozenset[str]] = {
    FaultKind.STATUS: frozenset({"status", "retry_after", "shape", "code", "message"}),
    FaultKind.HTML: frozenset({"status", "retry_after"}),
    FaultKind.GARBAGE: frozenset({"status"}),
    FaultKind.EMPTY: frozenset({"status", "retry_after"}),
    FaultKind.REDIRECT: frozenset({"status", "location"}),
    FaultKind.WRONG_SHAPE: frozenset({"body"}),
    FaultKind.HUGE: frozenset({"bytes"}),
    FaultKind.RESET: frozenset({"bytes"}),
    FaultKind.TRUNCATE: frozenset({"bytes"}),
    FaultKind.SLOW: frozenset({"bytes_per_second", "where"}),
    FaultKind.DELAY: frozenset({"delay"}),
}
FAULT_NEEDS = {
    FaultKind.STATUS: "status",
    FaultKind.REDIRECT: "location",
    FaultKind.DELAY: "delay",
}
