"""A machine without memory, threads or file descriptors left is told so: no bug, no green."""

from __future__ import annotations

import errno
import threading
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
import urllib3.util.connection

from precheck_gate.cli import main_group
from precheck_gate.drs.api import v3_wire
from precheck_gate.drs.http import transport
from precheck_gate.drs.http.parallel import in_parallel
from precheck_gate.reports.json_report import JsonReporter
from precheck_gate.runtime.process import shortage
from tests.support.outcome import ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.gate import Gate, Serve

SCENARIO = f"\nversion: 1\ntasks: [{{id: {ID}, items: [{{item: a}}]}}]\n"
NO_THREAD = RuntimeError("can't start new thread")
NO_FILE = OSError(errno.EMFILE, "Too many open files")
NO_MEMORY = MemoryError()


def failing(work: Callable[..., Any], error: BaseException, times: int) -> Callable[..., Any]:
    """Return what raises the error so many times, and then does the work."""
    left = times

    def instead(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if left >= 0:
            raise type(error)(*error.args)
        return work(*args, **kwargs)

    return instead


def lack_threads(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    start = threading.Thread.start
    refuse = failing(start, NO_THREAD, times)

    def instead(thread: threading.Thread) -> None:
        # The service of the test has threads, too.
        (refuse if thread.name.startswith("precheck-gate-") else start)(thread)

    monkeypatch.setattr(threading.Thread, "start", instead)


def lack_files(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    connection = urllib3.util.connection
    made = failing(connection.create_connection, NO_FILE, times)
    monkeypatch.setattr(connection, "create_connection", made)


def lack_memory(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    monkeypatch.setattr(transport, "_body", failing(transport._body, NO_MEMORY, times))


LACKS = {
    "threads": (lack_threads, "ulimit -u"),
    "file descriptors": (lack_files, "ulimit -n"),
    "memory": (lack_memory, "more memory"),
}


@pytest.mark.parametrize("what", LACKS)
def test_a_lack_that_passes_costs_a_run_nothing(
    gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    LACKS[what][0](monkeypatch, 2)
    outcome = gate.run(serve(SCENARIO).url)
    assert outcome.code == 0
    assert outcome.report["service"]["retries"] == 2
    outcome.says(f"This machine has no {what} left", "Retrying")


@pytest.mark.parametrize("what", LACKS)
def test_a_lack_that_lasts_is_told_as_what_it_is(
    gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    lack, advice = LACKS[what]
    lack(monkeypatch, 10_000)
    outcome = gate.run(serve(SCENARIO).url)
    assert outcome.code == 4
    outcome.reports(f"This machine has no {what} left", advice)
    assert "bug" not in outcome.text


def test_memory_that_runs_out_while_an_answer_is_read_is_no_bug(
    gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(v3_wire, "parse_answer", failing(lambda: None, NO_MEMORY, 1))
    outcome = gate.run(serve(SCENARIO).url)
    assert outcome.code == 4
    outcome.reports("This machine has no memory left")
    assert "bug" not in outcome.text


@pytest.mark.parametrize("error", [NO_THREAD, NO_FILE, NO_MEMORY])
def test_a_lack_outside_of_any_command_is_no_bug(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(main_group, "invoke", failing(lambda: None, error, 1))
    outcome = gate.main("catalog", with_reports=False)
    assert outcome.code == 4
    outcome.says("This machine has no")
    assert "bug" not in outcome.text


def test_memory_that_is_gone_for_the_message_as_well_ends_in_no_code_of_a_verdict(
    monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    monkeypatch.setattr(main_group, "invoke", failing(lambda: None, NO_MEMORY, 1))
    monkeypatch.setattr(
        "precheck_gate.runtime.console.Console.error", failing(lambda: None, NO_MEMORY, 9)
    )
    assert gate.main("catalog", with_reports=False).code == 4


def test_a_report_that_lacked_memory_is_one_that_could_not_be_written(
    gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JsonReporter, "finish", failing(lambda: None, NO_MEMORY, 1))
    outcome = gate.main(*gate.arguments(serve(SCENARIO).url, "--no-details"), with_reports=False)
    assert outcome.code == 5
    outcome.says("the json report", "no memory left")
    assert "bug" not in outcome.text


def test_fewer_threads_do_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [str(number) for number in range(9)]
    for lacking in (1, 3, 4):
        with monkeypatch.context() as patch:
            start, begun = threading.Thread.start, 0

            def instead(
                thread: threading.Thread, lacking: int = lacking, start: Any = start
            ) -> None:
                nonlocal begun
                begun += 1
                if begun > 4 - lacking:
                    raise NO_THREAD
                start(thread)

            patch.setattr(threading.Thread, "start", instead)
            assert in_parallel(str.upper, names, 4) == {name: name for name in names}


def chained(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def during(cause: Exception) -> Exception:
    """Return a bug that came while another error was handled."""

    def fail() -> NoReturn:
        try:
            raise cause
        except type(cause):
            raise KeyError("a bug")  # noqa: B904

    with pytest.raises(KeyError) as caught:
        fail()
    return caught.value


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (OSError(errno.ENFILE, "Too many open files in system"), "file descriptors"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory"),
        (chained(OSError("wrapped"), NO_FILE), "file descriptors"),
        (OSError(NO_FILE), "file descriptors"),
        (OSError(errno.ENOENT, "No such file"), None),
        (RuntimeError("anything else"), None),
        (during(NO_FILE), None),
        (chained(chained(ValueError(), KeyError()), ValueError()), None),
    ],
)
def test_a_lack_is_known_by_its_cause_alone(error: Exception, what: str | None) -> None:
    found = shortage(error)
    assert (found.message if found else None) == (what and f"This machine has no {what} left.")
