"""What a runner makes of a log: the commands in it, taken apart as the runner does."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from precheck_gate.ci import CiSystem, CiWorld, Written, load_system
from precheck_gate.judgement.readiness import ReadinessCollector
from tests.support.verdicts import FACTS, run_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from precheck_gate.judgement.readiness import Readiness
    from precheck_gate.model.verdicts import Finding, TaskVerdict

NOW = 1_790_000_000.7


@dataclass
class Spoken:
    """A CI system, and the lines that it was told."""

    name: str
    environ: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.system: CiSystem = load_system(
            self.name, CiWorld(self.environ, self.lines.append, lambda: NOW)
        )

    def conclude(self, outcome: Readiness, **written: object) -> list[str]:
        """Conclude; return what could not be told."""
        values: dict[str, object] = {"reports": {}, **written}
        return self.system.conclude(outcome, Written(**values))  # type: ignore[arg-type]


def outcome_of(
    tasks: Sequence[TaskVerdict], *findings: Finding, exit_code: int = 0, advisory: bool = False
) -> Readiness:
    """Return what comes of these tasks and findings about the run."""
    from dataclasses import replace

    collector = ReadinessCollector()
    for one in tasks:
        collector.add_task(one)
    facts = replace(FACTS, exit_code=exit_code, advisory=advisory)
    return collector.finish(run_of(tasks, *findings), facts)


@dataclass
class Command:
    """One command to a runner."""

    name: str
    properties: Mapping[str, str]
    text: str


_GITHUB = re.compile(r"^::(?P<name>[a-z-]+)(?: (?P<fields>.*?))?::(?P<text>.*)$", re.DOTALL)


def github_command(line: str) -> Command:
    """Take a command apart as actions/runner does: at the first ``::`` after the name."""
    found = _GITHUB.match(line)
    assert found, f"not a command: {line!r}"
    properties = dict(_pair(part) for part in (found["fields"] or "").split(",") if part)
    return Command(
        found["name"],
        {name: _unescape(_unescape(value, ":,")) for name, value in properties.items()},
        _unescape(found["text"]),
    )


def _pair(part: str) -> tuple[str, str]:
    name, equals, value = part.partition("=")
    assert equals, f"a property without a value: {part!r}"
    return name, value


def _unescape(text: str, more: str = "") -> str:
    for character in (*more, "\r", "\n", "%"):
        text = text.replace(f"%{ord(character):02X}", character)
    return text


_AZURE = re.compile(r"^##vso\[(?P<name>[a-z.]+)(?: (?P<fields>[^\]]*))?\](?P<text>.*)$", re.DOTALL)


def azure_command(line: str) -> Command:
    """Take a logging command apart as the agent does: at the first ``]``, then at each ``;``."""
    found = _AZURE.match(line)
    assert found, f"not a command: {line!r}"
    properties = dict(_pair(part) for part in (found["fields"] or "").split(";") if part)
    return Command(
        found["name"],
        {name: _azure_text(value) for name, value in properties.items()},
        _azure_text(found["text"]),
    )


def _azure_text(text: str) -> str:
    for mark, character in (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]")):
        text = text.replace(mark, character)
    return text.replace("%AZP25", "%")


_OUTPUT = re.compile(r"([^\n=<]+)<<([^\n]+)\n(.*?)\n?\2\n|([^\n=<]+)=([^\n]*)\n", re.DOTALL)


def outputs_in(text: str) -> dict[str, str]:
    """Return what a step wrote to GITHUB_OUTPUT; every byte has to belong to an output, once."""
    outputs: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _OUTPUT.match(text, position)
        assert match, f"not an output: {text[position:]!r}"
        name, value = (match[1], match[3]) if match[1] else (match[4], match[5])
        assert name not in outputs, f"{name} is told twice"
        outputs[name] = value
        position = match.end()
    return outputs
