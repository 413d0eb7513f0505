"""What every CI system is told, how it is recognised, and what it may use to say it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from precheck_gate.judgement.readiness import Readiness, TaskFinding
    from precheck_gate.model.verdicts import Finding

__all__ = [
    "SYSTEMS",
    "CiSystem",
    "CiWorld",
    "Written",
    "detect",
    "load_system",
    "said_of",
    "within",
]


@dataclass(frozen=True, slots=True)
class CiWorld:
    """The surroundings that a CI system is spoken to through.

    Attributes:
        environ: the environment of the process.
        command: prints one line as it is, for the runner to read.
        now: seconds since 1970, for sections of a log.
    """

    environ: Mapping[str, str]
    command: Callable[[str], None]
    now: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written of a run.

    Attributes:
        reports: for each format the path of its report.
        markdown: the verdict as Markdown, within the room that the system asked for.
        policy: the name of the policy that judged; "" when none could be loaded.
    """

    reports: Mapping[str, str]
    markdown: str = ""
    policy: str = ""


class CiSystem(Protocol):
    """What the gate says to one CI system. Nothing of it may raise `OSError`."""

    name: str

    def summary_room(self) -> int:
        """Return how many bytes of Markdown the system takes; 0 for none."""
        ...

    def open_section(self, title: str) -> None:
        """Begin a part of the log that can be folded."""
        ...

    def close_section(self) -> None:
        """End the part of the log that was begun last."""
        ...

    def conclude(self, readiness: Readiness, written: Written) -> list[str]:
        """Tell the verdict, its findings and outputs; return what could not be told."""
        ...


# As import paths, so that a system costs nothing where it is not in use.
SYSTEMS = {
    "github": "precheck_gate.ci.github:GitHubActions",
    "gitlab": "precheck_gate.ci.gitlab:GitLabCi",
    "jenkins": "precheck_gate.ci.plain:Jenkins",
    "azure": "precheck_gate.ci.azure:AzurePipelines",
    "none": "precheck_gate.ci.plain:NoCi",
}


def detect(environ: Mapping[str, str]) -> str:
    """Return the name of the CI system that this process runs in, ``none`` outside of any."""
    if environ.get("GITHUB_ACTIONS") == "true":
        return "github"
    if environ.get("GITLAB_CI") == "true":
        return "gitlab"
    if environ.get("TF_BUILD", "").lower() == "true":
        return "azure"
    if environ.get("JENKINS_URL") or environ.get("JENKINS_HOME"):
        return "jenkins"
    return "none"


def load_system(name: str, world: CiWorld) -> CiSystem:
    """Return what speaks to the system ``name``, a key of `SYSTEMS`."""
    module, _, attribute = SYSTEMS[name].partition(":")
    return cast("CiSystem", getattr(importlib.import_module(module), attribute)(world))


def within(
    limit: int, findings: Sequence[TaskFinding], count: int
) -> tuple[Sequence[TaskFinding], int]:
    """Return those of ``count`` findings that a runner is shown, and the number of the rest.

    A runner shows ``limit`` messages of a kind; where there are more findings, the last message
    has to tell of the rest.
    """
    room = limit if count <= limit else limit - 1
    return findings[:room], max(0, count - room)


def said_of(finding: Finding) -> str:
    """Return what was found and what to do next, in one line."""
    step = f" Next: {finding.next_step}" if finding.next_step else ""
    return f"{finding.message}.{step}"
