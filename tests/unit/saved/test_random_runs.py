"""Runs against a service that says anything at all: read back, each is what it was, or worse."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.drs.api.v3 import DrsClient
from precheck_gate.drs.http.messages import HttpRequest, Reply
from precheck_gate.errors import ServiceError, TransientFault, UsageError
from precheck_gate.model.snapshots import Observation, Trouble
from precheck_gate.model.verdicts import Verdict
from precheck_gate.polling.poller import Poller, PollOptions
from precheck_gate.polling.retries import Backoff, Retrier, RetryBudget
from precheck_gate.polling.starting import FreshResults, Starter
from precheck_gate.polling.timing import FixedCadence
from precheck_gate.saved.answers import SavedAnswers
from precheck_gate.saved.archive import AnswerArchive
from tests.support.fakes import FakeClock
from tests.support.harness import Events, entry, item, judge_observations, task_id
from tests.support.harness import body as answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TASKS = [task_id(number) for number in range(4)]


class AnyService:
    """Answers at random, mostly well; what it says of a task goes up and down."""

    def __init__(self, random: Random, clock: FakeClock) -> None:
        self._random = random
        self._clock = clock
        self._own: dict[str, str] = {}

    def send(self, request: HttpRequest, seconds: float) -> Reply:
        self._clock.advance(self._random.choice([0.0, 0.2, 3.0]))
        asked = json.loads(request.body)["jobs"]
        fault = self._random.random()
        if fault < 0.05:
            raise TransientFault("The connection was reset.")
        if fault < 0.15:
            status = self._random.choice([429, 500, 503, 429, 500, 503, 401, 302])
            return Reply(status, {"X-Request-Id": "r-1"}, b'{"error_code": "X.1"}')
        if fault < 0.25:
            return Reply(200, {}, self._random.choice([b"", b"<html>", b'{"results": 5}', b"{}"]))
        if request.url.endswith("/batch-precheck"):
            return self._started([job["job_id"] for job in asked])
        if fault < 0.35:
            return self._refused(asked)
        return Reply(200, {}, answer(*(one for task in asked for one in self._entries(task))))

    def _started(self, tasks: Sequence[str]) -> Reply:
        results = []
        for task in tasks:
            own = self._random.choice([task, f"own-{self._random.random()}"])
            self._own[task] = own
            status = self._random.choice(["success"] * 9 + ["failed"])
            results.append({"id": task, "precheck_id": own, "status": status})
        return Reply(200, {}, answer(*results))

    def _refused(self, tasks: Sequence[str]) -> Reply:
        bad = {"error_code": "DRS.M05004", "error_msg": "deleted"}
        named = self._random.choice([{}, {"id": self._random.choice(tasks)}])
        return Reply(400, {}, self._random.choice([answer(bad | named), json.dumps(bad).encode()]))

    def _entries(self, task: str) -> list[dict[str, Any]]:
        name = self._random.choice([task, self._own.get(task, task)])
        good = entry(
            name,
            process=self._random.choice(["100%"] * 6 + ["0%", "60%", "odd"]),
            result=self._random.choice([True] * 6 + [False, "true"]),
            items=[item(result=self._random.choice(["PASSED"] * 6 + ["ALARM", "FAILED"]))],
        )
        return self._random.choice(
            [[good]] * 9 + [[], [good, good | {"result": False}], [good | {"error_code": "X.2"}]]
        )


def run(folder: Path, seed: int) -> tuple[list[Observation], list[Trouble]]:
    """Run as the program does, and return what it knows at the end."""
    random, clock = Random(seed), FakeClock()
    archive = AnswerArchive(folder, clock)
    archive.begin(TASKS)

    def save(tasks: Sequence[str], reply: Reply, started: Mapping[str, str]) -> None:
        request_id = reply.headers.get("X-Request-Id", "")
        archive.save(tasks, reply.status, reply.body, request_id, started)

    service = AnyService(random, clock)
    client = DrsClient("https://127.0.0.1", lambda _: "p", service.send, clock, on_reply=save)
    events, budget = Events(), RetryBudget(random.choice([None, 0, 2, 20]), clock)
    retrier = Retrier(clock, Backoff(lambda: 1.0), budget, events, 10.0)
    fresh = FreshResults(client, Starter(client, retrier, "forStartJob"))
    starts = random.random() < 0.5
    options = PollOptions(
        timeout=random.choice([5.0, 20.0, 60.0]),
        grace=random.choice([0.0, 5.0, 20.0]),
        max_staleness=random.choice([1.0, 10.0]),
        batch_size=random.choice([1, 2, 10]),
        width=1,  # as with --save-answers
    )
    asker = fresh if starts else client
    poller = Poller(asker, clock, FixedCadence(2.0), options, events, lambda: 1.0, budget=budget)
    failed: dict[str, Trouble] = {}
    try:
        failed = fresh.begin(TASKS, 60.0) if starts else {}
        poller.poll([task for task in TASKS if task not in failed])
    except ServiceError as error:
        poller.give_up(error)
    known = {one.task_id: one for one in poller.observations()}
    known |= {task: Observation(task, None, trouble) for task, trouble in failed.items()}
    observations = [known.get(task, Observation(task)) for task in TASKS]
    troubles = [poller.trouble] if poller.trouble else []
    archive.end(observations, troubles, poller.remarks)
    assert archive.failure == ""
    return observations, troubles


def read(folder: Path) -> tuple[dict[str, Observation], list[Trouble]]:
    answers = SavedAnswers([folder])
    assert answers.listed
    assert answers.tasks == TASKS
    return {one.task_id: one for one in answers.observations(TASKS)}, answers.troubles


@pytest.mark.parametrize("seed", range(300))
def test_what_is_read_back_is_what_the_run_knew(tmp_path: Path, seed: int) -> None:
    observations, troubles = run(tmp_path, seed)
    known, of_run = read(tmp_path)
    assert of_run == troubles
    for one in observations:
        again = known[one.task_id]
        assert again == (one if one.snapshot else replace(one, age=None))
    if seed < 60:
        cut_off_anywhere_it_is_incomplete(tmp_path)
    elif seed < 90:
        with_one_byte_changed_it_is_refused(tmp_path, Random(seed))


def cut_off_anywhere_it_is_incomplete(folder: Path) -> None:
    run_file = folder / "run.jsonl"
    lines = run_file.read_bytes().splitlines(keepends=True)
    for length in range(1, len(lines)):
        run_file.write_bytes(b"".join(lines[:length]))
        known, troubles = read(folder)
        judged = judge_observations(known.values(), TASKS, troubles=troubles)
        assert {task.verdict for task in judged.tasks} == {Verdict.INCOMPLETE}


def with_one_byte_changed_it_is_refused(folder: Path, random: Random) -> None:
    run_file = folder / "run.jsonl"
    content = run_file.read_bytes()
    for _ in range(50):
        at, byte = random.randrange(len(content)), random.randrange(256)
        changed = bytes([*content[:at], byte, *content[at + 1 :]])
        if changed != content:
            run_file.write_bytes(changed)
            with pytest.raises(UsageError, match=r"run\.jsonl (is damaged|was written)"):
                SavedAnswers([folder])


def test_these_runs_end_in_every_way(tmp_path: Path) -> None:
    # What is tested above is worth something only where it is not always the same.
    codes: set[int] = set()
    for seed in range(300):
        observations, troubles = run(tmp_path / str(seed), seed)
        codes.add(judge_observations(observations, TASKS, troubles=troubles).code)
        if codes == {0, 1, 3, 4}:
            return
    raise AssertionError(f"they end in {codes} alone")
