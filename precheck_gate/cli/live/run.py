"""Run against the service: select tasks, start pre-checks, wait for their results, and judge."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from precheck_gate.cli.live.connection import Connection, NamedResults
from precheck_gate.cli.options.live import LiveOptions
from precheck_gate.cli.options.tasks import check_count, find_tasks
from precheck_gate.cli.progress import NoProgress, PlainProgress
from precheck_gate.errors import Interrupted, ServiceError, TimeOver
from precheck_gate.gate import Case
from precheck_gate.judgement.task import judge_task
from precheck_gate.model.snapshots import About, Observation, Snapshot, Trouble
from precheck_gate.polling.poller import Poller
from precheck_gate.polling.retries import Backoff, Retrier, RetryBudget
from precheck_gate.polling.starting import FreshResults, Restarts, Starter
from precheck_gate.polling.timing import AdaptiveCadence, FixedCadence
from precheck_gate.runtime.process import CountingClock
from precheck_gate.safetext.cleaning import clean_line, count, hide_credentials, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.cli.options.judging import JudgeOptions
    from precheck_gate.cli.options.service import ServiceSettings
    from precheck_gate.cli.progress import Progress
    from precheck_gate.gate import Gate
    from precheck_gate.judgement.context import JudgementContext
    from precheck_gate.model.verdicts import Verdict
    from precheck_gate.polling.poller import Asker, PollOptions
    from precheck_gate.runtime.process import Runtime

MAX_SHOWN = 40
# Reports take so many times as long as the judgement; generous.
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
    """Ask the service for pre-check results, judge them, and return the exit code.

    Raises:
        UsageError: the policy or the selection of tasks cannot be used.
        ServiceError: the tasks could not be selected.
    """
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
        self.client, self.archive = self.connection.client, self.connection.archive
        self.started, self.began = self.clock.now(), self.clock.monotonic()
        self.deadline = self.began + self.polling.timeout
        self.budget = RetryBudget(self.live.max_retries, self.clock, self.deadline)
        self.quiet = self.gate.outputs.quiet

    def go(self, tasks: Sequence[str]) -> int:
        """Return the exit code of the run."""
        self._say_service()
        if self.live.select:
            tasks = self._select()
        check_count(self.live.expect_tasks, len(tasks))
        if not self.quiet:
            self.gate.outputs.ci.open_section("precheck-gate: waiting for the pre-checks")
        self._say_tasks(len(tasks))
        if self.archive is not None:
            self.archive.begin(tasks)
        observer = self._observer(tasks)
        fresh = self._fresh(observer)
        poller = self._poller(fresh or self.client, observer, len(tasks))
        context = replace(self.context, unfinished=_MORE_TIME)
        try:
            self._ask(tasks, poller, fresh)
        except Interrupted:
            context = self.context  # more time would not have helped
            observer.close()
            self.gate.console.say("interrupted; writing the reports (again: stop at once)")
        finally:
            observer.close()
        if not self.quiet:
            self.gate.outputs.ci.close_section()
        observations = self._observations(tasks, poller)
        troubles = [poller.trouble] if poller.trouble else []
        remarks = [*poller.remarks, *self._remarks(fresh, observations)]
        if self.archive is not None:
            self.archive.end(observations, troubles, remarks)
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
        """Start pre-checks if wanted, keep why some could not be started, and poll the others."""
        poller.plan(len(tasks))
        if fresh is not None and self.live.start_precheck:
            try:
                self.unstarted = fresh.begin(tasks, self.deadline)
            except TimeOver:
                # No result counts then: it may be from before the start.
                return
            except ServiceError as error:
                poller.give_up(error)
                return
        left = max(0.0, self.deadline - self.clock.monotonic())
        poller.options = replace(poller.options, timeout=left)
        poller.poll([task for task in tasks if task not in self.unstarted])

    def _select(self) -> list[str]:
        """Return the tasks that match --select."""
        retrier = self._retrier(self._observer([]))
        found = find_tasks(
            self.live.select,
            lambda wanted, page, size: retrier.call(
                lambda seconds: self.client.task_page(wanted, page, size, seconds), self.deadline
            ),
        )
        if not self.live.no_details:
            self.names |= found
        self._say(f"{count(len(found), 'task')} selected by {self._conditions()}:")
        for task, about in list(found.items())[:MAX_SHOWN]:
            words = (about.name, about.status, about.kind, about.engine)
            self._say(f"  {task}  {clean_line(shorten('  '.join(filter(None, words)), 200))}")
        if len(found) > MAX_SHOWN:
            self._say(f"  … and {len(found) - MAX_SHOWN} more")
        return list(found)

    # The parts of the run

    def _fresh(self, observer: Progress) -> FreshResults | None:
        every = self.live.restart_every
        if not self.live.start_precheck and every is None:
            return None
        return FreshResults(
            self.client,
            Starter(self.client, self._retrier(observer), self.live.mode),
            Restarts(every, self._passes) if every is not None else None,
        )

    def _retrier(self, observer: Progress) -> Retrier:
        return Retrier(
            self.clock,
            Backoff(random.random),
            self.budget,
            observer,
            self.polling.grace,
            request_timeout=math.inf,  # the connection limits the time of each request
        )

    def _poller(self, asker: Asker, observer: Progress, tasks: int) -> Poller:
        self.naming = NamedResults(asker, self.client.details, self.clock, self.names)
        if not self.live.no_details:
            asker = self.naming
        interval = self.live.interval
        poller = Poller(
            asker,
            self.clock,
            FixedCadence(interval) if interval is not None else AdaptiveCadence(),
            replace(
                self.polling,
                heartbeat=min(self.polling.heartbeat, observer.heartbeat),
                width=self.polling.width if self.archive is None else 1,
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
        """Return what shows the progress of these tasks; their names may come later."""
        console, verbose = self.gate.console, self.gate.outputs.verbose
        if self.quiet:
            return NoProgress()
        if console.columns(console.progress) is None or not tasks:
            return PlainProgress(console, self.clock, len(tasks), verbose=verbose, names=self.names)
        from precheck_gate.cli.progress.live import LiveProgress

        return LiveProgress(
            console, self.clock, tasks, self._judge, verbose=verbose, names=self.names
        )

    def _judge(self, snapshot: Snapshot) -> Verdict:
        context = self._of_today(self.context)
        return judge_task(Observation(snapshot.task_id, snapshot), context).verdict

    def _of_today(self, context: JudgementContext) -> JudgementContext:
        """Return the context with the current day: the run may pass midnight."""
        return replace(context, today=self.judging.day(self.clock))

    def _seconds_to_conclude(self, snapshot: Snapshot) -> float:
        """Return about how long it takes to judge such a task and to write its reports."""
        times = []
        for _ in range(3):
            began = self.clock.monotonic()
            self._judge(snapshot)
            times.append(self.clock.monotonic() - began)
        return _REPORTS * min(times)

    def _passes(self, snapshot: Snapshot) -> bool:
        return self._judge(snapshot).green

    # Messages and facts

    def _say(self, text: str) -> None:
        if not self.quiet:
            self.gate.console.say(text)

    def _say_service(self) -> None:
        """Say which endpoint and project the run uses, before the first request."""
        service = self.connection.settings
        endpoint = hide_credentials(service.endpoint)
        region = f", region {service.region}" if service.region else ""
        project = service.project_id or f"{service.project_name} (its ID from IAM)"
        self._say(clean_line(f"precheck-gate: endpoint {endpoint}{region}, project {project}"))

    def _say_tasks(self, tasks: int) -> None:
        """Say how many tasks there are, and which policy and credential apply."""
        service, found = self.connection.settings, self.connection.known_project_id
        project = f", project {found}" if found and not service.project_id else ""
        policy, credential = self.context.policy.name, service.found.description
        self._say(
            clean_line(
                f"precheck-gate: {count(tasks, 'task')}{project}, policy {policy}, {credential}"
            )
        )

    def _conditions(self) -> str:
        return " and ".join(clean_line(shorten(str(one), 100)) for one in self.live.select)

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
        """Return what is unusual, how the tasks were selected, and whose result may be old."""
        remarks: list[str] = fresh.remarks() if fresh is not None else []
        if self.naming.failure:
            remarks.append(f"the names of the tasks are not known: {self.naming.failure}")
        tasks = len(observations)
        if self.live.select:
            were = "task was" if tasks == 1 else "tasks were"
            remarks.append(f"{tasks} {were} selected by {self._conditions()}")
        old = sum(
            one.snapshot is not None and all(percent >= 100 for _, percent in one.timeline)
            for one in observations
        )
        if old and not self.live.start_precheck:
            remarks.append(
                f"{old} of {count(tasks, 'pre-check')} had finished before this run, so "
                f"{'its result' if old == 1 else 'their results'} may be out of date; use "
                f"--start-precheck to run {'it' if old == 1 else 'them'} again"
            )
        return remarks

    def _note_facts(self, poller: Poller) -> None:
        if self.archive is not None and self.archive.failure:
            self.gate.losses.append(
                f"the answers could not be saved to {self.live.save_answers}: "
                f"{self.archive.failure}"
            )
        self.gate.facts = replace(
            self.connection.account(self.gate.facts),
            started_at=self.started.isoformat(timespec="seconds"),
            seconds=round(self.clock.monotonic() - self.began, 1),
            retries=poller.retries,
            waited=round(self.clock.waited, 1),
        )
