"""Large waves: told before anything is started, and asked for one by one for a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from precheck_gate.polling.poller import Poller
from tests.support.outcome import task_id

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.gate import Gate, Serve

TASKS = [task_id(number) for number in range(30)]
LINES = "\n".join(f"  - {{id: {one}, items: [{{item: srcDbConnection}}]}}" for one in TASKS)
SCENARIO = f"version: 1\ntasks:\n{LINES}\n"


def test_a_wave_that_cannot_be_confirmed_is_told_before_its_pre_checks_are_started(
    gate: Gate, serve: Serve
) -> None:
    slowly = ("--max-rps", "1", "--max-staleness", "1s", "--timeout", "5m")
    outcome = gate.run(serve(SCENARIO).url, "--start-precheck", *slowly, tasks=TASKS)
    assert outcome.code == 3
    assert (
        0
        < outcome.err.index("is expected to end incomplete")
        < outcome.err.index("pre-checks started")
    )
    assert outcome.err.count("is expected to end incomplete") == 1


@pytest.mark.parametrize(("save", "width"), [(False, 4), (True, 1)])
def test_answers_that_are_saved_are_asked_for_one_at_a_time(
    gate: Gate,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    save: bool,
    width: int,
) -> None:
    widths: list[int] = []
    poll = Poller.poll

    def noting(self: Poller, task_ids: list[str]) -> None:
        widths.append(self.options.width)
        poll(self, task_ids)

    monkeypatch.setattr(Poller, "poll", noting)
    options = ("--save-answers", str(tmp_path / "answers")) if save else ()
    assert gate.run(serve(SCENARIO).url, *options, tasks=TASKS).code == 0
    assert widths == [width]
