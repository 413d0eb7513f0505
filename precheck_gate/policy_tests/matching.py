"""Compare what a case expects with the verdict. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from precheck_gate.judgement.run import exit_code
from precheck_gate.model.verdicts import Finding, FindingKind, Verdict
from precheck_gate.policy.model import Patterns
from precheck_gate.safetext.cleaning import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from precheck_gate.model.verdicts import RunVerdict, TaskVerdict
    from precheck_gate.policy_tests.case_files import Expectation, PolicyCase

_SHOWN = 200
_SHOWN_FINDINGS = 8


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One expectation that is not met."""

    expectation: Expectation
    expected: str
    got: Sequence[str]

    @property
    def lines(self) -> list[str]:
        """The mismatch as a diff: expected lines with a minus, actual lines with a plus."""
        head = f"{self.expectation.path} (line {self.expectation.line})"
        return [head, f"  - {self.expected}", *(f"  + {line}" for line in self.got)]


@dataclass(frozen=True, slots=True)
class _Found:
    """A finding and its task; "" for the run itself."""

    task: str
    finding: Finding


def compare(case: PolicyCase, run: RunVerdict, tasks: Sequence[TaskVerdict]) -> list[Mismatch]:
    """Return every expectation of ``case`` that the verdict does not meet."""
    found = [_Found("", finding) for finding in run.findings]
    found += [_Found(task.task_id, finding) for task in tasks for finding in task.findings]
    return [*_run(case, run, found), *_tasks(case, tasks), *_waivers(case, run), *_all(case, found)]


def _run(case: PolicyCase, run: RunVerdict, found: Sequence[_Found]) -> Iterator[Mismatch]:
    for key, got in (("verdict", run.verdict.value), ("exit_code", exit_code(run.verdict))):
        expected = case.expected.get(key)
        if expected is not None and expected.want != got:
            because = [one for one in found if one.finding.verdict is run.verdict]
            yield Mismatch(expected, str(expected.want), [str(got), *_described(because)])


def _tasks(case: PolicyCase, tasks: Sequence[TaskVerdict]) -> Iterator[Mismatch]:
    for name, expected in case.tasks.items():
        pattern = Patterns([name])
        named = [task for task in tasks if pattern.match(task.task_id)]
        wrong = [task for task in named if task.verdict.value != expected.want]
        if not named:
            ids = ", ".join(task.task_id for task in tasks[:_SHOWN_FINDINGS]) or "none"
            yield Mismatch(expected, f"a task {name}", [f"tasks: {ids}"])
        elif wrong:
            first = wrong[0]
            more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            because = [
                _Found(first.task_id, finding)
                for finding in first.findings
                if finding.verdict is first.verdict
            ]
            got = f"{first.verdict.value} ({first.task_id}{more})"
            yield Mismatch(expected, expected.want, [got, *_described(because)])


def _waivers(case: PolicyCase, run: RunVerdict) -> Iterator[Mismatch]:
    states = {waiver.id: waiver.state.value for waiver in run.waivers}
    for name, expected in case.waivers.items():
        got = states.get(name, f"no such waiver; the waivers are: {', '.join(states) or 'none'}")
        if got != expected.want:
            yield Mismatch(expected, expected.want, [got])


def _all(case: PolicyCase, found: Sequence[_Found]) -> Iterator[Mismatch]:
    for expected in case.findings:
        count = expected.want.get("count")
        like = [one for one in found if not _differing(expected.want, one)]
        if count is None and not like:
            yield Mismatch(expected, _spell(expected.want), list(_nearest(expected.want, found)))
        elif count is not None and len(like) != count:
            got = [f"{len(like)} matching findings", *_described(like)]
            yield Mismatch(expected, _spell(expected.want), got)
    exactly = case.expected.get("exactly")
    if exactly is not None and exactly.want:
        extra = [
            one
            for one in found
            if one.finding.verdict is not Verdict.PASSED
            and all(_differing(other.want, one) for other in case.findings)
        ]
        if extra:
            yield Mismatch(exactly, "no other finding warns or blocks", list(_described(extra)))


def _differing(want: dict[str, Any], found: _Found) -> list[str]:
    """Return the keys in which ``found`` differs from an expected finding."""
    return [key for key, value in want.items() if not _matches(key, value, found)]


def _matches(key: str, want: Any, found: _Found) -> bool:
    if key == "count":
        return True
    if key == "known":
        return want is found.finding.known
    patterns = Patterns([want] if isinstance(want, str) else want)
    return any(map(patterns.match, _spellings(key, found)))


def _spellings(key: str, found: _Found) -> tuple[str, ...]:
    """Return a key's value in every form that an expectation may use."""
    value = _value(key, found)
    if key != "decided_by":
        return (value,)
    place, blank, path = value.rpartition(" ")
    # "team/policy.yaml:4 rules[0]" may be given as "rules[0]" too, but not "gate: result …".
    if not blank or place.startswith("gate"):
        return (value,)
    return (value, value.rpartition("/")[2], path)


def _value(key: str, found: _Found) -> str:
    if key == "task":
        return found.task
    value = getattr(found.finding, "title" if key == "item" else key)
    return str(value.value if isinstance(value, Enum) else value)


def _nearest(want: dict[str, Any], found: Sequence[_Found]) -> Iterator[str]:
    """Yield the closest finding, and how it differs."""

    def rank(one: _Found) -> tuple[bool, int]:
        differing = _differing(want, one)
        return ("title" in differing or "item" in differing, len(differing))

    best = min(found, key=rank, default=None)
    if best is None:
        yield "there are no findings"
        return
    differing = _differing(want, best)
    about = "no such finding; the closest" if rank(best)[0] else "the finding"
    said = ", ".join(f"{key} {_shown(key, best)}" for key in differing)
    yield f"{about} has {said}"
    yield from _described([best])


def _shown(key: str, found: _Found) -> str:
    return str(found.finding.known).lower() if key == "known" else _value(key, found) or "(none)"


def _described(found: Sequence[_Found]) -> Iterator[str]:
    for one in found[:_SHOWN_FINDINGS]:
        finding = one.finding
        whose = f"{one.task}: " if one.task else ""
        waived = f", waived by {finding.waived_by}" if finding.waived_by else ""
        effect = "" if finding.kind is FindingKind.RUN else f"{finding.effect.value}: "
        message = shorten(finding.message, _SHOWN)
        yield f"{whose}{effect}{message}; decided by {finding.decided_by}{waived}"
    if len(found) > _SHOWN_FINDINGS:
        yield f"… and {len(found) - _SHOWN_FINDINGS} more"


def _spell(want: Any) -> str:
    if isinstance(want, dict):
        return ", ".join(f"{key} {_spell(value)}" for key, value in want.items())
    if isinstance(want, list):
        return " or ".join(map(_spell, want))
    return str(want).lower() if isinstance(want, bool) else str(want) or "(none)"
