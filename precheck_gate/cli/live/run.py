"""A run against the service: find the tasks, start what is to be started, ask, and judge."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from precheck_gate.cli.live.connection import Connection
from precheck_gate.cli.live.messages import (
    announce,
    progress_of,
    remarks_on,
    tell_selection,
    tell_service,
)
from precheck_gate.cli.options.live import LiveOptions
from precheck_gate.errors import Interrupted, ServiceError, TimeOver
from precheck_gate.model.snapshots import About, Observation, Snapshot, Trouble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.cli.options.judging import JudgeOptions
    from precheck_gate.cli.options.service import ServiceSettings
    from precheck_gate.cli.progress import Progress
    from precheck_gate.gate import Gate
    from precheck_gate.judgement.context import JudgementContext
    from precheck_gate.model.verdicts import Verdict
    from precheck_gate.polling.freshness import FreshResults
    from precheck_gate.polling.poller import Asker, Poller, PollOptions
    from precheck_gate.polling.repeating import Repeater
    from precheck_gate.runtime.clock import CountingClock
    from precheck_gate.runtime.process import Runtime

__all__ = ["gate_live"]

# How many times as long as its judgement a task takes with several reports, and some to spare.
_REPORTS = 8.0
_MORE_TIME = "Run the gate again, with a longer --timeout; was the pre-check started?"


def gate_live(
    gate: Gate,
    runtime: Runtime,
    *,
    tasks: Sequence[str],
    service: ServiceSettings,
    polling: PollOptions,
    judging: JudgeOptions,
    live: LiveOptions | None = None,
) -> int:
    """Ask a service for tasks, judge what it says, and return the exit code.

    Raises:
        UsageError: the policy or the selection cannot be used.
        ServiceError: the tasks could not be found.
    """
    from precheck_gate.runtime.clock import CountingClock

    clock = CountingClock(runtime.the_clock())
    context = judging.context(clock)
    for warning in service.found.warnings:
        gate.console.warn(warning)
    live = live or LiveOptions()
    connection = Connection(gate, runtime, service, live, clock)
    return _Run(gate, connection, polling, live, judging, context, clock).go(tasks)


@dataclass
class _Run:
    """One run, and what is known in it."""

    gate: Gate
    connection: Connection
    polling: PollOptions
    live: LiveOptions
    judging: JudgeOptions
    context: JudgementContext
    clock: CountingClock
    names: dict[str, About] = field(default_factory=dict)
    unstarted: dict[str, Trouble] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from precheck_gate.polling.repeating import RetryBudget

        self.client = self.connection.client
        self.started, self.began = self.clock.now(), self.clock.monotonic()
        self.deadline = self.began + self.polling.timeout
        self.budget = RetryBudget(self.live.max_retries, self.clock, self.deadline)

    def go(self, tasks: Sequence[str]) -> int:
        """Return the exit code of the run."""
        from precheck_gate.cli.options.tasks import check_count
        from precheck_gate.gate import Case

        settings = self.connection.settings
        if not self.gate.outputs.quiet:
            tell_service(self.gate.console, settings)
        if self.live.select:
            tasks = self._find()
        check_count(self.live.expect_tasks, len(tasks))
        if not self.gate.outputs.quiet:
            self.gate.outputs.ci.open_section("precheck-gate: waiting for the pre-checks")
            project = self.connection.known_project_id
            policy = self.context.policy.name
            announce(self.gate.console, settings, project, policy, len(tasks))
        self.connection.begin(tasks)
        observer = self._observer(tasks)
        fresh = self._fresh(observer)
        poller = self._poller(fresh or self.client, observer, len(tasks))
        context = replace(self.context, unfinished=_MORE_TIME)
        try:
            self._ask(tasks, poller, fresh)
        except Interrupted:
            context = self.context  # more time is not what it lacked
            observer.close()
            self.gate.console.say("interrupted; writing what is known (again: end at once)")
        finally:
            observer.close()
        if not self.gate.outputs.quiet:
            self.gate.outputs.ci.close_section()
        observations = self._observations(tasks, poller)
        troubles = [poller.trouble] if poller.trouble else []
        remarks = [*poller.remarks, *self._remarks(fresh, observations)]
        self.connection.end(observations, troubles, remarks)
        self._note_facts(poller)
        return self.gate.judge(
            Case(
                requested=tasks,
                observations=observations,
                context=self._of_today(context),
                strict_waivers=self.judging.strict_waivers,
                troubles=troubles,
                remarks=remarks,
                max_age=self.polling.max_staleness,
                time_over=lambda: self.clock.monotonic() > self.deadline,
            )
        )

    def _ask(self, tasks: Sequence[str], poller: Poller, fresh: FreshResults | None) -> None:
        """Start what is to be started, and poll; ``unstarted`` tells what could not be started."""
        poller.foresee(len(tasks))
        if fresh is not None and self.live.start_precheck:
            try:
                self.unstarted = fresh.begin(tasks, self.deadline)
            except TimeOver:
                # Nothing is asked then: a result might be from before.
                return
            except ServiceError as error:
                poller.give_up(error)
                return
        left = max(0.0, self.deadline - self.clock.monotonic())
        poller.options = replace(poller.options, timeout=left)
        poller.poll([task for task in tasks if task not in self.unstarted])

    # What works together

    def _fresh(self, observer: Progress) -> FreshResults | None:
        if not self.live.start_precheck and self.live.restart_every is None:
            return None
        from precheck_gate.polling.freshness import FreshResults, Restarts
        from precheck_gate.polling.starting import Starter

        every = self.live.restart_every
        return FreshResults(
            self.client,
            Starter(self.client, self._repeater(observer), self.live.mode),
            Restarts(every, self._passes) if every is not None else None,
        )

    def _repeater(self, observer: Progress) -> Repeater:
        from precheck_gate.polling.repeating import Backoff, Repeater

        return Repeater(
            self.clock,
            Backoff(random.random),
            self.budget,
            observer,
            self.polling.grace,
            request_timeout=math.inf,  # what sends the requests bounds each of them
        )

    def _poller(self, asker: Asker, observer: Progress, tasks: int) -> Poller:
        from precheck_gate.polling.cadence import AdaptiveCadence, FixedCadence
        from precheck_gate.polling.naming import NamedResults
        from precheck_gate.polling.poller import Poller

        self.naming = NamedResults(asker, self.client.details, self.clock, self.names)
        interval = self.live.interval
        poller = Poller(
            asker if self.live.no_details else self.naming,
            self.clock,
            FixedCadence(interval) if interval is not None else AdaptiveCadence(),
            replace(
                self.polling,
                heartbeat=min(self.polling.heartbeat, observer.heartbeat),
                width=self.polling.width if self.live.save_answers is None else 1,
            ),
            observer,
            random.random,
            budget=self.budget,
            requests_for=self.client.requests_for,
            afterwards=lambda snapshot: tasks * self._seconds_to_conclude(snapshot),
        )
        if self.live.until == "passed":
            poller.accepts = self._passes
        return poller

    def _observer(self, tasks: Sequence[str]) -> Progress:
        return progress_of(self.gate, self.clock, tasks, self._judge, self.names)

    def _judge(self, snapshot: Snapshot) -> Verdict:
        from precheck_gate.judgement.task import judge_task

        context = self._of_today(self.context)
        return judge_task(Observation(snapshot.task_id, snapshot), context).verdict

    def _of_today(self, context: JudgementContext) -> JudgementContext:
        """Return the context with the day that it is by now: a wait may pass midnight."""
        return replace(context, today=self.judging.day(self.clock))

    def _seconds_to_conclude(self, snapshot: Snapshot) -> float:
        """Return about how long it takes to judge such a task and to write it into reports."""
        times = []
        for _ in range(3):
            began = self.clock.monotonic()
            self._judge(snapshot)
            times.append(self.clock.monotonic() - began)
        return _REPORTS * min(times)

    def _passes(self, snapshot: Snapshot) -> bool:
        return self._judge(snapshot).green

    def _find(self) -> list[str]:
        from precheck_gate.cli.options.tasks import find_tasks

        repeater = self._repeater(self._observer([]))
        found = find_tasks(
            self.live.select,
            lambda wanted, page, size: repeater.call(
                lambda seconds: self.client.task_page(wanted, page, size, seconds), self.deadline
            ),
        )
        if not self.live.no_details:
            self.names |= found
        if not self.gate.outputs.quiet:
            tell_selection(self.gate.console, self.live.select, found)
        return list(found)

    # What is told

    def _observations(self, tasks: Sequence[str], poller: Poller) -> list[Observation]:
        known = {one.task_id: one for one in poller.observations()}
        known |= {
            task: Observation(task, None, trouble) for task, trouble in self.unstarted.items()
        }
        return [
            replace(known.get(task, Observation(task)), about=self.names.get(task, About()))
            for task in tasks
        ]

    def _remarks(
        self, fresh: FreshResults | None, observations: Sequence[Observation]
    ) -> list[str]:
        remarks: list[str] = fresh.remarks() if fresh is not None else []
        if self.naming.failure:
            remarks.append(f"the names of the tasks are not known: {self.naming.failure}")
        return remarks + remarks_on(self.live, observations)

    def _note_facts(self, poller: Poller) -> None:
        if lost := self.connection.lost_answers():
            self.gate.losses.append(lost)
        self.gate.facts = replace(
            self.connection.account(self.gate.facts),
            started_at=self.started.isoformat(timespec="seconds"),
            seconds=round(self.clock.monotonic() - self.began, 1),
            retries=poller.retries,
            waited=round(self.clock.waited, 1),
        )
