"""`evaluate FOLDER` says what the `run` said that wrote it, of each task and in all."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.cli import main_group
from precheck_gate.errors import Interrupted
from precheck_gate.runtime.process import Runtime
from tests.support.fakes import FakeClock
from tests.support.outcome import ID, OTHER, Outcome, check, task_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from precheck_gate.runtime.process import Interrupts
    from tests.support.gate import Gate, Serve

GOOD = "[{item: srcDbConnection}]"
ALARM = "[{item: srcDbConnection, result: ALARM}]"
BAD = "[{item: srcDbConnection, result: FAILED}]"
TEN = [task_id(number) for number in range(10)]


@dataclass(frozen=True)
class Case:
    """A run: what the service does, what the gate is told, and the code that it ends with."""

    code: int
    tasks: dict[str, str]
    faults: str = ""
    options: str = ""
    more: str = ""
    named: Sequence[str] = ()

    @property
    def scenario(self) -> str:
        lines = "\n".join(f"  - {{id: {task}, {what}}}" for task, what in self.tasks.items())
        return f"\nversion: 1\n{self.more}\ntasks:\n{lines}\nfaults: [{self.faults}]\n"

    @property
    def requested(self) -> list[str]:
        return list(self.named or self.tasks)


def one(code: int, what: str, faults: str = "", options: str = "", more: str = "") -> Case:
    return Case(code, {ID: what}, faults, options, more)


def two(code: int, first: str, second: str, faults: str = "", options: str = "") -> Case:
    return Case(code, {ID: first, OTHER: second}, faults, options)


def ten(code: int, bad: str, faults: str = "", more: str = "", *, unknown: bool = False) -> Case:
    tasks = {task: f"items: {GOOD}, duration: {5 + number}s" for number, task in enumerate(TEN)}
    tasks[TEN[6]] = bad or tasks[TEN[6]]
    if unknown:
        del tasks[TEN[6]]
    return Case(code, tasks, faults, "--grace 5s", more, TEN)


START = "--start-precheck"
CONFIRM = "--max-staleness 1s --grace 3s --timeout 30s"
SOON, LATER = f"items: {GOOD}, duration: 1s", f"items: {GOOD}, duration: 8s"

# The first has passed by then, and is asked for again only to confirm that.
IN_THE_END = f"when: {{task: {ID}, from: 5s}}"

CASES = {
    # --- what ends well, or not at all
    "passes at once": one(0, f"items: {GOOD}"),
    "passes later": one(0, f"items: {GOOD}, duration: 20s"),
    "passes with a warning": one(0, f"items: {ALARM}, duration: 20s"),
    "is blocked": one(1, f"items: {BAD}, duration: 20s"),
    "is not ready": one(1, f"items: {GOOD}, result: false"),
    "is empty": one(1, "items: []"),
    "takes too long": one(3, f"items: {GOOD}, duration: 2h", options="--timeout 1m"),
    "has no progress": one(
        3, f"items: {GOOD}, progress: [{{at: 0s, raw: abc}}]", options="--timeout 1m"
    ),
    "some pass and some do not": two(1, f"items: {GOOD}", f"items: {BAD}, duration: 9s"),
    "a limit over all": two(0, f"items: {ALARM}", f"items: {ALARM}, duration: 5s"),
    # --- what turns
    "falls back from 100": one(
        0,
        f"items: {GOOD}, progress: [{{at: 0s, percent: 100}}, {{at: 3s, percent: 40}}, "
        "{at: 20s, percent: 100}]",
        options="--max-staleness 1s",
    ),
    "falls back and stays there": two(
        3,
        f"items: {GOOD}, progress: [{{at: 0s, percent: 100}}, {{at: 5s, percent: 40}}]",
        f"items: {GOOD}, duration: 9s",
        options="--max-staleness 1s --timeout 1m",
    ),
    "vanishes": two(
        4, f"items: {GOOD}, missing: {{from: 2s, to: 2h}}", LATER, options=CONFIRM
    ),
    "vanishes for a while": two(
        0, f"items: {GOOD}, missing: {{from: 2s, to: 9s}}", LATER, options=CONFIRM + " --grace 20s"
    ),
    "is never answered for": two(4, f"items: {GOOD}, missing: true", LATER),
    "is deleted": two(
        4,
        SOON,
        f"items: {GOOD}, duration: 6s",
        f"{{when: {{task: {ID}, from: 5s}}, status: 400, shape: batch, code: DRS.M05004}}",
        CONFIRM,
    ),
    "is deleted, in a document": two(
        4,
        SOON,
        f"items: {GOOD}, duration: 6s",
        f"{{when: {{task: {ID}, from: 5s}}, status: 400, code: DRS.M05004}}",
        CONFIRM,
    ),
    "has an error": one(4, f"items: {GOOD}, error: {{code: DRS.10000001, message: no}}"),
    "has an error for a while": one(
        0, f"items: {GOOD}, error: {{code: DRS.10000001, message: no, from: 0s, to: 20s}}"
    ),
    "gets an error after it passed": two(
        4,
        f"items: {GOOD}, error: {{code: DRS.10000001, message: no, from: 4s, to: 2h}}",
        LATER,
        options=CONFIRM,
    ),
    "stands twice, alike": one(0, f"items: {GOOD}, doubled: same"),
    "stands twice, not alike": one(1, f"items: {GOOD}, doubled: different"),
    "is not named": one(4, f"items: {GOOD}, precheck_id: null"),
    # --- a bad one among others
    "a task that is not known": ten(4, "", unknown=True),
    "a task that is not known, nameless": ten(4, "", more="unknown_task: nameless", unknown=True),
    "a task that is not known, plain": ten(4, "", more="unknown_task: plain", unknown=True),
    "a task that is not known, an entry": ten(4, "", more="unknown_task: entry", unknown=True),
    "a task is refused for a while": ten(
        0, "", f"{{when: {{task: {TEN[6]}, from: 0s, to: 3s}}, status: 400, shape: nameless}}"
    ),
    "a task becomes refused": ten(
        4, "", f"{{when: {{task: {TEN[6]}, from: 4s}}, status: 400, shape: nameless}}"
    ),
    # --- answers that are none
    "malformed, then well": one(
        0,
        f"items: {GOOD}, duration: 3s",
        "{when: {request: 1}, kind: not_json}, {when: {request: 2}, kind: html}, "
        "{when: {request: 3}, kind: duplicate_key}, {when: {request: 4}, kind: nan}, "
        "{when: {request: 5}, kind: wrong_shape}, {when: {request: 6}, kind: empty}, "
        "{when: {request: 7}, kind: garbage}",
        "--interval 1s",
    ),
    "malformed for good": one(4, f"items: {GOOD}", "{kind: not_json}", "--grace 5s"),
    "malformed in the end": two(4, SOON, LATER, f"{{{IN_THE_END}, kind: html}}", CONFIRM),
    "oddities": one(0, f"items: {GOOD}", "{kind: count_off}, {kind: extra_task}"),
    # --- refusals and networks
    "throttled, then well": one(
        0, f"items: {GOOD}, duration: 9s", "{when: {request: 1-3}, status: 429, retry_after: 2}"
    ),
    "throttled for good": one(4, f"items: {GOOD}", "{status: 429}", "--grace 5s"),
    "ill in the end": two(4, SOON, LATER, f"{{{IN_THE_END}, status: 503}}", CONFIRM),
    "ill while it runs": one(4, LATER, "{when: {from: 4s}, status: 500}", "--timeout 30s"),
    "refused in the end": two(4, SOON, LATER, f"{{{IN_THE_END}, status: 401}}", CONFIRM),
    "refused while one runs": two(4, SOON, LATER, "{when: {from: 4s}, status: 403}"),
    "away in the end": two(4, SOON, LATER, f"{{{IN_THE_END}, kind: reset}}", CONFIRM),
    "away while one runs": two(
        4, SOON, LATER, "{when: {from: 4s}, kind: close}", "--timeout 20s"
    ),
    "never there": one(4, f"items: {GOOD}", "{kind: reset}", "--grace 5s"),
    "no repetition": two(
        4, SOON, LATER, "{when: {from: 4s}, status: 500}", "--max-retries 0"
    ),
    "redirected": one(4, f"items: {GOOD}", "{kind: redirect, location: 'http://127.0.0.1:9/'}"),
    # --- pre-checks that were started
    "only the old result": one(
        3, f"items: {GOOD}, lag: 2h", options=f"{START} --timeout 1m"
    ),
    "only the old result of one": two(
        3,
        f"items: {GOOD}, lag: 2h",
        f"items: {GOOD}, duration: 9s",
        options=f"{START} --timeout 1m",
    ),
    "the new one is red": one(
        1, f"items: {GOOD}, lag: 60s, runs: [{{items: {BAD}, duration: 90s}}]", options=START
    ),
    "the new one is green": one(
        0, f"items: {BAD}, runs: [{{items: {GOOD}, duration: 20s}}]", options=START
    ),
    "the new one differs": one(
        0, f"items: {BAD}, runs: [{{items: {GOOD}, duration: 0}}]", options=START
    ),
    "the new one has its own ID": one(
        0, f"items: {GOOD}, runs: [{{items: {GOOD}, duration: 0, precheck_id: own-1}}]",
        options=START,
    ),
    "the new one has its own ID and is red": one(
        1, f"items: {GOOD}, runs: [{{items: {BAD}, duration: 9s, precheck_id: own-1}}]",
        options=START,
    ),
    "somebody else's": one(
        4, f"items: {GOOD}, fields: {{precheck_id: somebody-elses}}",
        options=f"{START} --timeout 5m",
    ),
    "one cannot be started": two(
        4,
        f"items: {GOOD}, start_error: {{code: DRS.M05001, message: not now}}",
        f"items: {GOOD}, duration: 20s",
        options=START,
    ),
    "one is in the wrong status": two(
        4, f"items: {GOOD}, status: INCRE_TRANSFER_STARTED", f"items: {GOOD}, duration: 9s",
        options=START,
    ),
    "no start works": one(4, f"items: {GOOD}", "{when: {call: start}, status: 503}", START),
    "no start is allowed": one(4, f"items: {GOOD}", "{when: {call: start}, status: 403}", START),
    "a start that nobody answered for": one(
        4, f"items: {GOOD}", "{when: {call: start}, kind: not_json}", f"{START} --grace 5s"
    ),
    "until it passes": one(
        0,
        f"items: {BAD}, runs: [{{items: {BAD}, duration: 9s}}, {{items: {GOOD}, duration: 9s}}]",
        options=f"{START} --until passed --restart-every 30s --timeout 10m",
    ),
    "until the time is over": one(
        1,
        f"items: {BAD}, duration: 9s",
        options="--until passed --restart-every 30s --timeout 2m",
    ),
    "started again, and only the old result": one(
        3,
        f"items: {BAD}, lag: 2h",
        options="--until passed --restart-every 30s --timeout 2m",
    ),
}  # fmt: skip


def told(outcome: Outcome) -> dict[str, Any]:
    """Return all that the report says of the tasks and the run, save names and moments.

    What to do about a pre-check that has not ended is another thing to a run, which has a timeout.
    """
    report = outcome.report
    tasks = {
        task["task"]: {
            key: value for key, value in task.items() if key not in ("name", "engine", "timeline")
        }
        for task in report["tasks"]
    }
    for task in tasks.values():
        for finding in task["findings"]:
            if finding.get("decided_by") == "gate: progress must be 100 %":
                assert "un the gate again" in finding.pop("next_step")
    return {"verdict": report["verdict"], "run": report["findings"], "tasks": tasks}


def saved_by(gate: Gate, serve: Serve, case: Case, folder: Path) -> Outcome:
    options = ["--save-answers", str(folder), *case.options.split()]
    outcome = gate.run(serve(case.scenario).url, *options, tasks=case.requested)
    assert outcome.code == case.code, outcome.text
    return outcome


@pytest.mark.parametrize("name", CASES)
def test_evaluate_says_what_the_run_said_and_is_incomplete_where_it_was_killed(
    gate: Gate, serve: Serve, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "answers"
    live = saved_by(gate, serve, CASES[name], folder)
    said = told(live)
    again = gate.judge("evaluate", str(folder), *gate.outputs)
    assert again.code == live.code
    assert told(again) == said

    run_file = folder / "run.jsonl"
    lines = run_file.read_bytes().splitlines(keepends=True)
    # Killed at the end, and in the middle.
    for kept in (lines[:-1], lines[: len(lines) // 2]):
        run_file.write_bytes(b"".join(kept))
        again = gate.judge("evaluate", str(folder), *gate.outputs)
        assert again.code == 3, again.text
        assert set(again.verdicts().values()) == {"incomplete"}


class StoppedClock(FakeClock):
    """A clock on which somebody presses Ctrl-C while the gate waits."""

    def __init__(self, interrupts: Interrupts, at: float) -> None:
        super().__init__()
        self._interrupts, self._at = interrupts, at

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.monotonic() >= self._at and self._interrupts.received is None:
            self._interrupts.received = signal.SIGINT
            raise Interrupted(signal.SIGINT)


@pytest.mark.parametrize("name", CASES)
def test_a_run_that_was_interrupted_is_told_of_as_it_told(
    gate: Gate, serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    case = CASES[name]
    for at in (1.0, 6.0, 10.0):
        runtime = Runtime()
        clock = StoppedClock(runtime.interrupts, at)
        runtime.clock = clock
        folder = tmp_path / f"answers-{at}"
        url = serve(case.scenario, clock).url
        argv = gate.arguments(
            url, "--save-answers", str(folder), *case.options.split(), tasks=case.requested
        )
        code = main_group.main(argv, standalone_mode=False, obj=runtime)
        live = check(Outcome(code, *capsys.readouterr(), gate.folder))
        if runtime.interrupts.received is None:
            break  # It ended before, and would end before any later moment.
        said = told(live)
        again = gate.judge("evaluate", str(folder), *gate.outputs)
        assert told(again) == said
