"""GitLab CI: sections of the log that can be folded; the rest it reads from reports.

Source: GitLab documentation, "Custom collapsible sections": a marker in the log with a time in
seconds since 1970 and a name of letters, digits, ``_ . -``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from precheck_gate.safetext.cleaning import clean_line

if TYPE_CHECKING:
    from precheck_gate.ci.base import CiWorld, Written
    from precheck_gate.judgement.readiness import Readiness

__all__ = ["GitLabCi"]

_ERASE = "\x1b[0K"


class GitLabCi:
    """Speaks to the runner through markers in the log."""

    name = "gitlab"

    def __init__(self, world: CiWorld) -> None:
        self._world = world
        self._open: list[str] = []
        self._number = 0

    def summary_room(self) -> int:
        """Return 0: there is no place for a summary."""
        return 0

    def open_section(self, title: str) -> None:
        """Begin a section."""
        self._number += 1
        name = f"precheck_gate_{self._number}"
        self._open.append(name)
        self._marker("start", name, clean_line(title))

    def close_section(self) -> None:
        """End the section that was begun last."""
        if self._open:
            self._marker("end", self._open.pop(), "")

    def _marker(self, kind: str, name: str, title: str) -> None:
        moment = int(self._world.now())
        self._world.command(f"{_ERASE}section_{kind}:{moment}:{name}\r{_ERASE}{title}")

    def conclude(self, readiness: Readiness, written: Written) -> list[str]:  # noqa: ARG002
        """Do nothing: GitLab reads the JUnit, code quality and dotenv reports of the job."""
        return []
