"""Waivers are judged by the day of the verdict, and not by the day on which the run began."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from precheck_gate.saved.answers import SavedAnswers
from tests.support.fakes import EPOCH, FakeClock
from tests.support.harness import body, entry, item
from tests.support.outcome import ID

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.gate import Gate, Serve

DAY = 86400
LAST, NEXT = (f"{EPOCH.date() + timedelta(days):%Y-%m-%d}" for days in (0, 1))


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock at half a minute to midnight."""
    return FakeClock(DAY - 30)


def scenario(duration: str) -> str:
    items = "[{item: srcDbConnection}, {item: a, result: ALARM}]"
    return f"version: 1\ntasks: [{{id: {ID}, items: {items}, duration: {duration}}}]\n"


def waiving(folder: Path, days: str) -> list[str]:
    path = folder / "policy.yaml"
    waiver = f"{{id: W-1, match: {{item: a}}, reason: r, owner: o, {days}}}"
    path.write_text(f"version: 1\nextends: builtin:strict\nwaivers: [{waiver}]\n")
    return ["--policy", str(path)]


def test_a_waiver_that_expires_while_the_gate_waits_no_longer_waives(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    options = waiving(tmp_path, f"expires: {LAST}")
    outcome = gate.run(serve(scenario("60s")).url, *options)
    assert outcome.code == 1
    assert outcome.report["judged_on"] == NEXT
    [waiver] = outcome.report["waivers"]
    assert (waiver["state"], waiver["days_left"]) == ("expired", -1)
    outcome.says(f"until {LAST}): expired 1 day ago")


def test_a_waiver_waives_to_the_end_of_its_last_day(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    options = waiving(tmp_path, f"expires: {LAST}")
    outcome = gate.run(serve(scenario("10s")).url, *options)
    assert (outcome.code, outcome.report["judged_on"]) == (0, LAST)


def test_a_waiver_that_begins_while_the_gate_waits_waives(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    options = waiving(tmp_path, f"since: {NEXT}, expires: {NEXT}")
    outcome = gate.run(serve(scenario("60s")).url, *options)
    assert (outcome.code, outcome.report["judged_on"]) == (0, NEXT)


def test_the_day_that_was_named_stays_the_day(gate: Gate, serve: Serve, tmp_path: Path) -> None:
    options = waiving(tmp_path, f"expires: {LAST}")
    outcome = gate.run(serve(scenario("60s")).url, *options, "--now", LAST)
    assert (outcome.code, outcome.report["judged_on"]) == (0, LAST)


def test_waiting_for_a_pass_goes_on_where_the_waiver_has_expired_meanwhile(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    options = waiving(tmp_path, f"expires: {LAST}")
    url = serve(scenario("60s")).url
    outcome = gate.run(url, *options, "--until", "passed", "--timeout", "5m")
    assert outcome.code == 1
    assert outcome.report["service"]["seconds"] > 290


def test_saved_answers_are_judged_by_the_day_on_which_they_have_been_read(
    gate: Gate, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = SavedAnswers.__init__

    def slowly(*arguments: object, **options: object) -> None:
        read(*arguments, **options)  # type: ignore[arg-type]
        clock.advance(60)

    monkeypatch.setattr(SavedAnswers, "__init__", slowly)
    answer = tmp_path / "answer.json"
    answer.write_bytes(body(entry(items=[item("a", "ALARM")])))
    options = waiving(tmp_path, f"expires: {LAST}")
    outcome = gate.judge("evaluate", str(answer), *gate.outputs, *options)
    assert (outcome.code, outcome.report["judged_on"]) == (1, NEXT)


def test_a_bound_on_waivers_is_measured_before_the_wait(
    gate: Gate, serve: Serve, tmp_path: Path
) -> None:
    # 30 days from the day on which the run begins is within the bound of builtin:strict.
    expires = f"{EPOCH.date() + timedelta(30):%Y-%m-%d}"
    assert gate.run(serve(scenario("60s")).url, *waiving(tmp_path, f"expires: {expires}")).code == 0
