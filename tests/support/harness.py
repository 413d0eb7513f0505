"""Short ways to what the tests need: answers, judged cases, and a scripted service."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from precheck_gate.catalog import advise, group_of
from precheck_gate.documents.yaml_document import parse_document
from precheck_gate.drs.api.v3 import DrsClient
from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.drs.http.messages import Reply as HttpReply
from precheck_gate.errors import TimeOver
from precheck_gate.judgement.context import JudgementContext
from precheck_gate.judgement.run import RunJudge, exit_code
from precheck_gate.judgement.task import judge_task
from precheck_gate.model.snapshots import Observation, Snapshot, Trouble, TroubleKind
from precheck_gate.policy.loading import (
    BUILTIN_DEFAULT,
    PolicyOptions,
    builtin_policy,
    parse_policy,
)
from precheck_gate.polling.poller import Poller, PollOptions
from precheck_gate.polling.timing import FixedCadence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from precheck_gate.drs.api.v3_wire import Answer
    from precheck_gate.errors import ServiceError
    from precheck_gate.model.verdicts import Finding, RunVerdict, TaskVerdict, Verdict
    from precheck_gate.policy.model import Policy
    from precheck_gate.polling.events import Event
    from precheck_gate.polling.timing import Cadence
    from tests.support.fakes import FakeClock

TASK = "140b5236-88ad-43c8-811c-1268453jb101"
OTHER = "a281f62f-4631-45d6-a2d3-679a9f4jb105"
DEFAULT = builtin_policy(BUILTIN_DEFAULT)
TODAY = date(2026, 6, 15)


def task_id(number: int) -> str:
    """Return one of many well-formed task IDs."""
    return f"140b5236-88ad-43c8-811c-{number:07d}jb101"


def item(name: str = "srcDbConnection", result: Any = "PASSED", **more: Any) -> dict[str, Any]:
    return {"item": name, "result": result, "group": "network", **more}


def entry(
    task: str = TASK, *, items: Any = None, process: Any = "100%", result: Any = True, **more: Any
) -> dict[str, Any]:
    """Return an entry of ``results``; by default one that passes."""
    return {
        "precheck_id": task,
        "process": process,
        "result": result,
        "precheck_result": [item()] if items is None else items,
        **more,
    }


def without(value: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: inner for name, inner in value.items() if name != key}


def body(*entries: Any, **more: Any) -> bytes:
    return json.dumps({"results": list(entries), "count": len(entries), **more}).encode()


def policy(text: str, profile: str | None = None) -> Policy:
    return parse_policy(parse_document(text, "policy.yaml"), PolicyOptions(profile, TODAY))


@dataclass
class Judged:
    """A judged run, and ways to look at it."""

    run: RunVerdict
    tasks: list[TaskVerdict]

    @property
    def code(self) -> int:
        return exit_code(self.run.verdict)

    @property
    def verdict(self) -> Verdict:
        return self.run.verdict

    @property
    def findings(self) -> list[Finding]:
        return [*self.run.findings, *(one for task in self.tasks for one in task.findings)]

    def blocking(self) -> list[str]:
        return [finding.message for finding in self.findings if not finding.verdict.green]

    def says(self, text: str) -> bool:
        return any(text in finding.message for finding in self.findings) or any(
            text in remark for remark in self.run.remarks
        )


def judge(
    content: bytes,
    requested: Sequence[str] = (TASK,),
    by: Policy = DEFAULT,
    **more: Any,
) -> Judged:
    """Judge one answer as the program does, without the poller."""
    answer = parse_answer(content)
    remarks = list(answer.remarks)
    observations = []
    for one in requested:
        match answer.entries.get(one):
            case Snapshot() as snapshot:
                observations.append(Observation(one, snapshot))
            case Trouble() as trouble:
                observations.append(Observation(one, trouble=trouble))
            case None:
                missing = Trouble(TroubleKind.NOT_ANSWERED, "the service answered, but not for it")
                observations.append(Observation(one, trouble=missing))
    return judge_observations(observations, requested, by, remarks=remarks, **more)


def judge_observations(
    observations: Iterable[Observation],
    requested: Sequence[str],
    by: Policy = DEFAULT,
    *,
    troubles: Sequence[Trouble] = (),
    remarks: Sequence[str] = (),
    today: date = TODAY,
    known: frozenset[tuple[str, ...]] = frozenset(),
    strict_waivers: bool = False,
) -> Judged:
    judge = RunJudge(requested, by, today, strict_waivers=strict_waivers)
    context = bench_of(by, today, known)
    tasks = [judge_task(observation, context) for observation in observations]
    for task in tasks:
        judge.add(task)
    return Judged(judge.finish(troubles=troubles, remarks=remarks), tasks)


def bench_of(
    by: Policy = DEFAULT, today: date = TODAY, known: frozenset[tuple[str, ...]] = frozenset()
) -> JudgementContext:
    return JudgementContext(by, today, advise, known=known, group_of=group_of)


Reply = bytes | Exception


@dataclass
class ScriptedService:
    """Answers from a function of the time and the tasks asked for; notes what was asked.

    It keeps ``pace`` seconds between two requests, as the transport does.
    """

    clock: FakeClock
    script: Callable[[float, Sequence[str]], Reply]
    asked: list[tuple[float, tuple[str, ...]]] = field(default_factory=list)
    pace: float = 0.1

    def precheck_results(self, task_ids: Sequence[str], seconds: float) -> Answer:
        assert seconds > 0
        assert 0 < len(task_ids) <= 10
        if self.asked:
            wait = self.asked[-1][0] + self.pace - self.clock.monotonic()
            if wait >= seconds:
                raise TimeOver("The rate of requests is used up.")
            self.clock.sleep(wait)
        now = self.clock.monotonic()
        self.asked.append((now, tuple(task_ids)))
        reply = self.script(now, task_ids)
        if isinstance(reply, Exception):
            raise reply
        content = reply
        client = DrsClient(
            "http://127.0.0.1:1",
            lambda _: "p",
            lambda *_: HttpReply(200, {}, content),
            self.clock,
        )
        return client.precheck_results(task_ids, seconds)


@dataclass
class Events:
    """Keeps the events that a poller tells."""

    seen: list[Event] = field(default_factory=list)

    def notify(self, event: Event) -> None:
        self.seen.append(event)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.seen if isinstance(event, kind)]


@dataclass
class Polled:
    """A poller at the end of its work."""

    poller: Poller
    service: ScriptedService
    events: Events
    clock: FakeClock
    requested: Sequence[str]

    @property
    def elapsed(self) -> float:
        return self.clock.monotonic()

    def judged(self, by: Policy = DEFAULT) -> Judged:
        trouble = self.poller.trouble
        return judge_observations(
            self.poller.observations(),
            self.requested,
            by,
            troubles=[trouble] if trouble else [],
            remarks=self.poller.remarks,
        )


def poll(
    clock: FakeClock,
    script: Callable[[float, Sequence[str]], Reply | ServiceError],
    requested: Sequence[str] = (TASK,),
    *,
    cadence: Cadence | None = None,
    **options: Any,
) -> Polled:
    """Poll a scripted service to the end, in no time."""
    settings = PollOptions(**options)
    service = ScriptedService(clock, script, pace=settings.pace)
    events = Events()
    poller = Poller(
        service,
        clock,
        cadence or FixedCadence(5.0),
        settings,
        events,
        lambda: 1.0,
        parallel=clock.in_parallel,
    )
    poller.poll(requested)
    return Polled(poller, service, events, clock, requested)
