"""CI systems: what the gate reports to each of them. Nothing else knows their variables.

No credential is ever printed for a runner, not even to be masked: the process cannot know whether
its streams lead to the runner, to a file, or to another program. A runner masks the secrets that it
handed out itself, and what the gate obtains meanwhile is printed nowhere.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from precheck_gate.runtime.policy_locations import Location, Locator
from precheck_gate.safetext.cleaning import clean_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from precheck_gate.judgement.readiness import Readiness

MAX_ANNOTATIONS = 10
"""Of a kind in one step, on GitHub."""


@dataclass(frozen=True, slots=True)
class CiWorld:
    """What a CI system is reached through.

    Attributes:
        environ: the environment of the process.
        command: prints one line unchanged, for the runner to read.
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
        markdown: the verdict as Markdown, within `CiSystem.summary_room`.
        policy: the name of the policy; "" if none could be loaded.
    """

    reports: Mapping[str, str]
    markdown: str = ""
    policy: str = ""


class CiSystem:
    """One CI system. This base reports nothing: the exit code and the reports are enough.

    No method raises `OSError`.
    """

    name = "none"

    def __init__(self, world: CiWorld) -> None:
        self._world = world

    def summary_room(self) -> int:
        """Return how many bytes of Markdown the system takes; 0 for none."""
        return 0

    def open_section(self, title: str) -> None:
        """Begin a part of the log that can be folded."""

    def close_section(self) -> None:
        """End the part of the log that was begun last."""

    def conclude(self, readiness: Readiness, written: Written) -> list[str]:  # noqa: ARG002
        """Write the verdict, its findings and outputs; return what could not be written."""
        return []


class Jenkins(CiSystem):
    """Jenkins masks by its credentials binding and reads the JUnit report; see examples/jenkins."""

    name = "jenkins"


class GitLabCi(CiSystem):
    """GitLab: sections of the log that can be folded. The rest it reads from reports.

    Source: GitLab documentation, "Custom collapsible sections": a marker in the log with a time in
    seconds since 1970 and a name of letters, digits, ``_ . -``.
    """

    name = "gitlab"
    _ERASE = "\x1b[0K"

    def __init__(self, world: CiWorld) -> None:
        super().__init__(world)
        self._open: list[str] = []
        self._number = 0

    def open_section(self, title: str) -> None:  # noqa: D102
        self._number += 1
        name = f"precheck_gate_{self._number}"
        self._open.append(name)
        self._marker("start", name, clean_line(title))

    def close_section(self) -> None:  # noqa: D102
        if self._open:
            self._marker("end", self._open.pop(), "")

    def _marker(self, kind: str, name: str, title: str) -> None:
        moment = int(self._world.now())
        self._world.command(f"{self._ERASE}section_{kind}:{moment}:{name}\r{self._ERASE}{title}")


# As import paths, so that a system that is not in use costs no start-up time.
SYSTEMS = {
    "github": "precheck_gate.ci.github:GitHubActions",
    "gitlab": "precheck_gate.ci:GitLabCi",
    "jenkins": "precheck_gate.ci:Jenkins",
    "azure": "precheck_gate.ci.azure:AzurePipelines",
    "none": "precheck_gate.ci:CiSystem",
}


def detect(environ: Mapping[str, str]) -> str:
    """Return the name of the CI system that this process runs in, or ``none``."""
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
    """Return the CI system of a name, a key of `SYSTEMS`."""
    module, _, attribute = SYSTEMS[name].partition(":")
    system: type[CiSystem] = getattr(importlib.import_module(module), attribute)
    return system(world)


class Annotation(NamedTuple):
    """A message that a runner shows beside the log; ``place`` is None for one that counts others.

    ``kind`` is ``error`` or ``warning``.
    """

    kind: str
    place: Location | None
    task_id: str
    title: str
    text: str


def annotations_of(readiness: Readiness, policy: str, more: str) -> Iterator[Annotation]:
    """Yield what a runner shows of a run: at most `MAX_ANNOTATIONS` of a kind.

    If there are more findings, the last annotation counts the others and ends with ``more``.
    """
    locator = Locator(policy)
    for kind, findings, number in (
        ("error", readiness.blocking, readiness.blocking_count),
        ("warning", readiness.warning, readiness.warning_count),
    ):
        room = MAX_ANNOTATIONS if number <= MAX_ANNOTATIONS else MAX_ANNOTATIONS - 1
        for task_id, finding in ((one.task_id, one.finding) for one in findings[:room]):
            step = f" Next: {finding.next_step}" if finding.next_step else ""
            place = locator.locate(finding.decided_by)
            yield Annotation(kind, place, task_id, finding.title, f"{finding.message}.{step}")
        if number > room:
            yield Annotation(kind, None, "", "precheck-gate", f"{number - room} more; {more}")
