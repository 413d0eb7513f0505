"""SIGINT and SIGTERM at every kind of moment: what is known is reported, and nothing hangs.

The moments are not guessed: each is told by a line that the program prints, by the import of a
module, by a request that the simulator got, or by the other end of a named pipe.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from precheck_gate.documents.yaml_document import parse_document
from precheck_gate.runtime.process import SystemClock
from precheck_gate.simulator.scenario import load_scenario
from precheck_gate.simulator.server import Simulator
from tests.support.outcome import ID, OTHER, PATIENCE, task_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from precheck_gate.simulator.server import RequestRecord
    from tests.support.gate import Gate, Serve
    from tests.support.outcome import Child, Outcome

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and pipes")

BOTH = pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])


def in_time() -> float:
    """Return the seconds in which the reports have to be there: 2 s, of a core of its own."""
    return 2.0 * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


PENDING = f"""
version: 1
tasks:
  - {{id: {ID}, answer: mysql}}
  - {{id: {OTHER}, answer: mysql, duration: 1h}}
"""
HANGING = f"version: 1\ntasks: [{{id: {ID}, answer: mysql}}]\nfaults: [{{kind: hang}}]\n"


@contextlib.contextmanager
def watched(scenario: str) -> Iterator[tuple[str, queue.SimpleQueue[RequestRecord]]]:
    """Serve a scenario; yield the endpoint, and each request as it comes."""
    asked: queue.SimpleQueue[RequestRecord] = queue.SimpleQueue()
    loaded = load_scenario(parse_document(scenario, "test.yaml"))
    with Simulator(loaded, SystemClock(), on_request=asked.put) as simulator:
        yield simulator.url, asked


def interrupt(child: Child, signum: int, *, with_reports: bool = True) -> Outcome:
    """Send a signal and return what the child left when it ended, in time and with its code."""
    child.send(signum)
    outcome = child.finish(within=in_time(), with_reports=with_reports)
    assert outcome.code == 128 + signum
    return outcome


def check_interrupted(outcome: Outcome, signum: int) -> None:
    report = outcome.report
    assert report["interrupted_by"] == signal.Signals(signum).name
    assert report["verdict"] == "incomplete"
    assert report["exit_code"] == 128 + signum
    outcome.says("INCOMPLETE", f"exit     {128 + signum} (interrupted by ")


def test_what_could_not_be_started_is_told_all_the_same(gate: Gate, serve_now: Serve) -> None:
    scenario = f"""
version: 1
tasks:
  - {{id: {ID}, answer: mysql, duration: 1h}}
  - {{id: {OTHER}, answer: mysql, start_error: {{code: DRS.M05001, message: not now}}}}
"""
    argv = gate.arguments(serve_now(scenario).url, "--start-precheck", tasks=[ID, OTHER])
    with gate.start(*argv) as child:
        child.wait_for(f"{ID}")
        outcome = interrupt(child, signal.SIGINT)
    outcome.reports("its pre-check could not be started: not now", "DRS.M05001")


# --- while it starts ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "signum"),
    [
        ("precheck_gate.errors", signal.SIGINT),
        ("precheck_gate.errors", signal.SIGTERM),
        ("precheck_gate.runtime.process", signal.SIGINT),
        ("click", signal.SIGTERM),
        ("precheck_gate.cli", signal.SIGINT),
        ("precheck_gate.cli.options.judging", signal.SIGTERM),
    ],
)
def test_while_the_program_is_imported(
    gate: Gate, serve_now: Serve, module: str, signum: int
) -> None:
    argv = gate.arguments(serve_now(HANGING).url)
    with gate.start(*argv, tell_imports=True) as child:
        child.wait_for(f" {module}\n")
        child.send(signum)
        # It may end its imports first, and how long they take says nothing of the signal.
        outcome = child.finish(with_reports=False)
    # Before the program has handlers of its own the system ends it, which a shell shows as 128+N.
    assert outcome.code in (128 + signum, -signum)


@pytest.mark.parametrize(
    ("module", "signum"),
    [
        ("requests", signal.SIGINT),
        ("precheck_gate.drs.api.v3", signal.SIGTERM),
        ("precheck_gate.polling.poller", signal.SIGINT),
    ],
)
def test_after_the_options_are_read_even_a_start_leaves_reports(
    gate: Gate, serve_now: Serve, module: str, signum: int
) -> None:
    argv = gate.arguments(serve_now(HANGING).url)
    with gate.start(*argv, tell_imports=True) as child:
        child.wait_for(f" {module}\n")
        outcome = interrupt(child, signum)
    check_interrupted(outcome, signum)


# --- while it waits -----------------------------------------------------------------------------


@BOTH
def test_while_polling(gate: Gate, serve_now: Serve, signum: int) -> None:
    argv = gate.arguments(serve_now(PENDING).url, tasks=[ID, OTHER])
    with gate.start(*argv) as child:
        child.wait_for(f"{OTHER}  0 %")
        outcome = interrupt(child, signum)
    check_interrupted(outcome, signum)
    assert outcome.verdicts() == {ID: "passed", OTHER: "incomplete"}
    # Time was not what it lacked.
    assert "a longer --timeout" not in outcome.text


def test_all_that_is_known_of_every_task_is_reported(gate: Gate, serve_now: Serve) -> None:
    """The pending task comes first, so that what ended follows the one that did not."""
    argv = gate.arguments(serve_now(PENDING).url, tasks=[OTHER, ID])
    with gate.start(*argv) as child:
        child.wait_for(f"{ID}  100 %")
        outcome = interrupt(child, signal.SIGTERM)
    check_interrupted(outcome, signal.SIGTERM)
    assert outcome.verdicts() == {OTHER: "incomplete", ID: "passed"}
    (ended,) = (task for task in outcome.report["tasks"] if task["task"] == ID)
    assert len(ended["findings"]) == 40


@BOTH
def test_while_a_request_hangs(gate: Gate, signum: int) -> None:
    with watched(HANGING) as (url, asked), gate.start(*gate.arguments(url)) as child:
        asked.get(timeout=PATIENCE)
        outcome = interrupt(child, signum)
    check_interrupted(outcome, signum)
    assert outcome.verdicts() == {ID: "incomplete"}


def test_while_a_fault_is_waited_out(gate: Gate, serve_now: Serve) -> None:
    service = serve_now(HANGING.replace("kind: hang", "status: 503, retry_after: 600"))
    with gate.start(*gate.arguments(service.url)) as child:
        child.wait_for("Retrying in 600 s")
        outcome = interrupt(child, signal.SIGTERM)
    assert outcome.report["interrupted_by"] == "SIGTERM"
    outcome.reports("HTTP 503")


def test_advisory_does_not_soften_an_interruption(gate: Gate) -> None:
    with watched(PENDING) as (url, asked):
        argv = gate.arguments(url, "--advisory", "--quiet", tasks=[ID, OTHER])
        with gate.start(*argv) as child:
            asked.get(timeout=PATIENCE)
            interrupt(child, signal.SIGTERM)


def test_while_the_list_of_tasks_is_awaited(gate: Gate, serve_now: Serve) -> None:
    """The pipe's other end takes its time, as ``terraform output`` may."""
    argv = gate.arguments(serve_now(PENDING).url, "--tasks-from", "-", tasks=[])
    with gate.start(*argv, tell_imports=True) as child:
        child.wait_for(" precheck_gate.polling.poller\n")
        outcome = interrupt(child, signal.SIGTERM)
    assert outcome.report["interrupted_by"] == "SIGTERM"


# --- while reports are written ------------------------------------------------------------------


def many_tasks(count: int) -> str:
    return "version: 1\ntasks:\n" + "".join(
        f"  - {{id: {task_id(n)}, answer: mysql}}\n" for n in range(count)
    )


@BOTH
def test_while_reports_are_written(
    gate: Gate, serve_now: Serve, tmp_path: Path, signum: int
) -> None:
    """A report larger than a pipe holds goes into one, and its reader is slow."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    asked = [task_id(n) for n in range(20)]
    argv = gate.arguments(serve_now(many_tasks(20)).url, "--report", f"json={pipe}", tasks=asked)
    with gate.start(*argv) as child:
        # Opens as soon as the other side does, to write.
        with pipe.open(encoding="utf-8") as reader:
            beginning = reader.read(1)
            child.send(signum)
            content = beginning + reader.read()
        outcome = child.finish(within=in_time())
    assert outcome.code == 128 + signum
    assert len(json.loads(content)["tasks"]) == 20
    assert len(outcome.report["tasks"]) == 20


@BOTH
def test_a_second_signal_ends_it_at_once(
    gate: Gate, serve_now: Serve, tmp_path: Path, signum: int
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    argv = gate.arguments(serve_now(HANGING).url, "--report", f"json={pipe}")
    with gate.start(*argv) as child:
        child.wait_for("token from")
        child.send(signal.SIGINT)
        child.wait_for("interrupted; writing the reports (again: stop at once)")
        # Nobody reads the pipe: without a second signal it would wait for a reader.
        child.send(signum)
        outcome = child.finish(within=in_time(), with_reports=False)
    assert outcome.code == 128 + signum
    # No report is left half-written.
    assert not (gate.folder / "junit.xml").exists()
    assert not (gate.folder / "report.json").exists()


# --- the other commands -------------------------------------------------------------------------


@BOTH
def test_simulate(gate: Gate, signum: int) -> None:
    with gate.start("simulate", "--port", "0") as child:
        child.wait_for("PRECHECK_GATE_TOKEN")
        interrupt(child, signum, with_reports=False)


@BOTH
def test_demo(gate: Gate, signum: int) -> None:
    with gate.start("demo") as child:
        child.wait_for("[00:00] ")
        outcome = interrupt(child, signum)
    check_interrupted(outcome, signum)
    assert len(outcome.verdicts()) == 3


def answers(folder: Path) -> Path:
    """Save 300 times the same answer for 100 tasks: seconds of reading."""
    item = {"item": "network", "result": "PASSED", "group": "g", "data": "x" * 50}
    entries = [
        {"precheck_id": task_id(n), "process": "100%", "result": True,
         "precheck_result": [{**item, "item": f"item{i}"} for i in range(40)]}
        for n in range(100)
    ]  # fmt: skip
    first = folder / "0000.json"
    first.write_text(json.dumps({"results": entries, "count": 100}))
    for n in range(1, 300):
        os.link(first, folder / f"{n:04d}.json")
    return folder


def test_evaluate_while_it_reads_thousands_of_tasks(gate: Gate, tmp_path: Path) -> None:
    files = sorted(map(str, answers(tmp_path).glob("*.json")))
    with gate.start("evaluate", *gate.outputs, *files, tell_imports=True) as child:
        child.wait_for(" precheck_gate.saved.answers\n")
        outcome = interrupt(child, signal.SIGINT)
    check_interrupted(outcome, signal.SIGINT)


def test_evaluate_while_it_waits_for_an_answer(gate: Gate, tmp_path: Path) -> None:
    pipe = tmp_path / "answer.json"
    os.mkfifo(pipe)
    # The pipe opens as soon as the other side does, to read.
    with gate.start("evaluate", *gate.outputs, str(pipe)) as child, pipe.open("w"):
        outcome = interrupt(child, signal.SIGTERM)
    assert outcome.report["interrupted_by"] == "SIGTERM"


def test_evaluate_reads_an_answer_from_a_pipe(gate: Gate, tmp_path: Path) -> None:
    pipe = tmp_path / "answer.json"
    os.mkfifo(pipe)
    entry = {"precheck_id": ID, "process": "100%", "result": True,
             "precheck_result": [{"item": "network", "result": "PASSED"}]}  # fmt: skip
    with gate.start("evaluate", *gate.outputs, str(pipe)) as child:
        with pipe.open("w") as writer:
            json.dump({"results": [entry], "count": 1}, writer)
        outcome = child.finish(within=in_time())
    assert outcome.code == 0
