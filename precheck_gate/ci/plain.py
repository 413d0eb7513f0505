"""Systems that need to be told nothing: none at all, and Jenkins, which reads the reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from precheck_gate.ci.base import CiWorld, Written
    from precheck_gate.judgement.readiness import Readiness

__all__ = ["Jenkins", "NoCi"]


class NoCi:
    """No CI system: a terminal, or one that is not known."""

    name = "none"

    def __init__(self, world: CiWorld) -> None:
        """Take note of nothing."""

    def summary_room(self) -> int:
        """Return 0: there is no place for a summary."""
        return 0

    def open_section(self, title: str) -> None:
        """Do nothing: there is no log to fold."""

    def close_section(self) -> None:
        """Do nothing: there is no log to fold."""

    def conclude(self, readiness: Readiness, written: Written) -> list[str]:  # noqa: ARG002
        """Do nothing: the exit code and the reports say it all."""
        return []


class Jenkins(NoCi):
    """Jenkins masks by its credentials binding and reads the JUnit report; see examples/jenkins."""

    name = "jenkins"
