"""The Python API: judge an answer of DRS that the caller already has. Documented in docs/python.md.

It takes the same way as ``evaluate`` with one answer and ``--task``, and never passes where that
would not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from precheck_gate.catalog import advise, group_of
from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.drs.auth.discovery import mask_environment
from precheck_gate.errors import ExitCode, NotAnAnswer, PrecheckGateError, UsageError
from precheck_gate.gate import Case, judge_case
from precheck_gate.judgement.context import JudgementContext
from precheck_gate.model.snapshots import Observation, Snapshot, Trouble, TroubleKind, is_task_id
from precheck_gate.model.verdicts import Finding, TaskVerdict, Verdict
from precheck_gate.policy import loading
from precheck_gate.policy.model import Policy
from precheck_gate.safetext.pasted_secrets import quoted

if TYPE_CHECKING:
    import os

__all__ = [
    "ExitCode",
    "Finding",
    "Judgement",
    "Policy",
    "PrecheckGateError",
    "TaskVerdict",
    "UsageError",
    "Verdict",
    "judge",
    "load_policy",
]

MAX_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on the requested tasks. True only if all of them passed.

    Attributes:
        verdict: the worst of all tasks, and of what concerns the whole.
        exit_code: what ``precheck-gate evaluate`` would exit with.
        tasks: the verdict and the findings of each requested task, by its ID.
        findings: what concerns no single task, such as an unreadable answer or too many warnings.
        remarks: notes that change no verdict.
    """

    verdict: Verdict
    exit_code: ExitCode
    tasks: Mapping[str, TaskVerdict]
    findings: tuple[Finding, ...]
    remarks: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether the migration may start: all tasks passed, perhaps with warnings."""
        return self.exit_code is ExitCode.PASSED

    def __bool__(self) -> bool:
        return self.passed


def load_policy(
    path: str | os.PathLike[str] = loading.BUILTIN_DEFAULT,
    *,
    profile: str | None = None,
    today: date | None = None,
) -> Policy:
    """Return the policy of a file, or a built-in one such as ``builtin:strict``.

    Args:
        path: the file, or the name of the built-in policy.
        profile: the profile of the policy to apply.
        today: the date that waivers are checked by. Default: today in UTC.

    Raises:
        UsageError: the policy cannot be read, or is invalid. The message lists every problem.
    """
    options = loading.PolicyOptions(profile, today or _today())
    return loading.load_policy(Path(path), options)


def judge(
    answer: bytes | str | Mapping[str, Any],
    *,
    tasks: Sequence[str],
    policy: Policy | str | os.PathLike[str] = loading.BUILTIN_DEFAULT,
    today: date | None = None,
) -> Judgement:
    """Judge an answer of ``batch-precheck-result`` for the tasks that were requested.

    A task that the answer does not contain is an error, and so is an answer that is not valid.

    Args:
        answer: the body of the answer, or the parsed JSON object. Prefer the body: a parser may
            have rounded numbers and dropped duplicate keys, which a judgement refuses.
        tasks: the IDs of the requested tasks; at least one.
        policy: what `load_policy` returned, or takes as ``path``.
        today: the date that waivers are valid by. Default: today in UTC.

    Raises:
        UsageError: the tasks or the policy are invalid, or the answer is empty or no JSON object.
    """
    # What is a credential of this process is hidden in every text.
    mask_environment()
    requested = _checked(tasks)
    body = _body_of(answer)
    today = today or _today()
    if not isinstance(policy, Policy):
        policy = load_policy(policy, today=today)
    observations, troubles, remarks = _observe(body, requested)
    case = Case(
        requested,
        observations,
        JudgementContext(policy, today, advise, group_of=group_of),
        troubles=troubles,
        remarks=remarks,
    )
    verdicts: dict[str, TaskVerdict] = {}
    run, code = judge_case(case, lambda task: verdicts.update({task.task_id: task}))
    return Judgement(run.verdict, ExitCode(code), verdicts, run.findings, run.remarks)


def _today() -> date:
    return datetime.now(UTC).date()


def _checked(tasks: Sequence[Any]) -> tuple[str, ...]:
    requested = tuple(tasks)
    if not requested:
        raise UsageError("No task is named.", hint="Pass the IDs of the requested tasks.")
    for task in requested:
        if not isinstance(task, str) or not is_task_id(task):
            raise UsageError(
                f"{quoted(str(task))} is not a task ID.",
                hint="A task ID looks like 140b5236-88ad-43c8-811c-1268453jb101.",
            )
    if len(set(requested)) < len(requested):
        raise UsageError("A task is named twice.", hint="Pass each task ID once.")
    return requested


def _body_of(answer: bytes | str | Mapping[str, Any]) -> bytes:
    try:
        match answer:
            case bytes():
                body = answer
            case str():
                body = answer.encode()
            case Mapping():
                _refuse_floats(answer)
                body = json.dumps(dict(answer), allow_nan=False).encode()
            case _:
                raise UsageError(
                    f"An answer cannot be a {type(answer).__name__}.",
                    hint="Pass its body as bytes or str, or the parsed JSON object.",
                )
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"The answer is not JSON ({type(error).__name__}).", hint="Pass its body as bytes."
        ) from None
    if not body.strip():
        raise UsageError("The answer is empty.", hint="Pass the body of the service's answer.")
    return body


def _refuse_floats(value: Any) -> None:
    """Refuse numbers that a parser may have rounded, such as a progress of 99.9999… to 100."""
    match value:
        case float():
            raise UsageError(
                "The answer contains a float, which may have been rounded.",
                hint="Pass the body of the service's answer as bytes.",
            )
        case Mapping():
            for one in value.values():
                _refuse_floats(one)
        case list() | tuple():
            for one in value:
                _refuse_floats(one)


def _observe(
    body: bytes, requested: Sequence[str]
) -> tuple[list[Observation], list[Trouble], list[str]]:
    """Return what an answer says about each task, what is wrong with it, and remarks."""
    entries: Mapping[str, Snapshot | Trouble] = {}
    remarks: list[str] = []
    troubles = []
    try:
        if len(body) > MAX_BYTES:
            raise NotAnAnswer(f"The answer has more than {MAX_BYTES:,} bytes.")
        read = parse_answer(body)
        entries = read.entries
        extra = (task for task in entries if task not in requested)
        remarks = [
            *(f"the answer also contains task {task}, which was not requested" for task in extra),
            *read.remarks,
        ]
    except NotAnAnswer as error:
        troubles.append(Trouble(TroubleKind.SERVICE, error.message, hint=error.hint))
    observations = []
    for task in requested:
        entry = entries.get(task, _NOT_IN_ANSWER)
        if isinstance(entry, Snapshot):
            observations.append(Observation(task, entry))
        else:
            observations.append(Observation(task, None, entry))
    return observations, troubles, remarks


_NOT_IN_ANSWER = Trouble(
    TroubleKind.NOT_ANSWERED,
    "the answer does not contain this task",
    hint="Pass an answer that contains all requested tasks.",
)
