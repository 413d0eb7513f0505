"""The exit code of every verdict, and the two options that change one, each by its name only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.harness import body, entry
from tests.support.outcome import ID, PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.gate import Gate, Serve
    from tests.support.outcome import Outcome


def one_task(item: str, more: str = "") -> str:
    return f"version: 1\ntasks: [{{id: {ID}, items: [{item}]}}]\n{more}\n"


SCENARIOS = {
    "passed": one_task("{item: network}"),
    "passed_with_warnings": one_task("{item: network, result: ALARM}"),
    "blocked": one_task("{item: network, result: FAILED}"),
    "incomplete": one_task("{item: network}").replace("items:", "duration: 1h, items:"),
    "error": one_task("{item: network}", "token: another"),
}
CODES = {"passed": 0, "passed_with_warnings": 0, "blocked": 1, "incomplete": 3, "error": 4}
ADVISORY = ["--advisory"]
WARN = ["--warn-exit-code", "77"]


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        ([], {}),
        (ADVISORY, {"blocked": 0}),
        (WARN, {"passed_with_warnings": 77}),
        ([*ADVISORY, *WARN], {"blocked": 0, "passed_with_warnings": 77}),
    ],
    ids=["plain", "advisory", "warn", "both"],
)
@pytest.mark.parametrize("verdict", SCENARIOS)
def test_a_verdict_and_its_code(
    gate: Gate, serve: Serve, verdict: str, options: list[str], changed: dict[str, int]
) -> None:
    outcome = gate.run(serve(SCENARIOS[verdict]).url, "--timeout", "2m", *options)
    code = changed.get(verdict, CODES[verdict])
    assert outcome.code == code
    outcome.says(f"exit     {code} (", verdict.replace("_", " ").upper())
    # Whatever the code, every report says what the verdict is.
    assert outcome.report["verdict"] == verdict
    assert outcome.report["advisory"] == ("--advisory" in options)


def advised(gate: Gate, *argv: str) -> Outcome:
    return gate.judge("run", *argv, *ADVISORY, *gate.outputs)


def test_the_exit_line_says_what_advisory_made_of_it(gate: Gate, serve: Serve) -> None:
    outcome = gate.run(serve(SCENARIOS["blocked"]).url, *ADVISORY)
    assert outcome.code == 0
    outcome.says("exit     0 (blocked, but --advisory is set)")
    passed = gate.run(serve(SCENARIOS["passed"]).url, *ADVISORY)
    passed.says("exit     0 (passed, or passed with warnings)")


def test_a_saved_answer_ran_out_of_no_time(gate: Gate, tmp_path: Path) -> None:
    answer = tmp_path / "answer.json"
    answer.write_bytes(body(entry(ID, process="50%")))
    outcome = gate.judge("evaluate", *gate.outputs, str(answer))
    assert outcome.code == 3
    outcome.says("exit     3 (incomplete: not every task is known to be at 100 %)")
    assert "--timeout" not in outcome.text
    assert "time ran out" not in outcome.text


def test_advisory_does_not_soften_a_usage_error(gate: Gate) -> None:
    assert advised(gate).code == 2


def test_advisory_does_not_soften_a_policy_error(gate: Gate, serve: Serve, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 0\n")
    url = serve("mysql").url
    outcome = advised(gate, ID, "--endpoint", url, "--project-id", PROJECT, "--policy", str(policy))
    assert outcome.code == 2


@pytest.mark.parametrize("verdict", ["passed", "passed_with_warnings", "blocked"])
@pytest.mark.parametrize("options", [ADVISORY, [*ADVISORY, *WARN]])
def test_advisory_does_not_soften_a_lost_report(
    gate: Gate, serve: Serve, tmp_path: Path, verdict: str, options: list[str]
) -> None:
    outcome = gate.run(serve(SCENARIOS[verdict]).url, *options, "--report", f"json={tmp_path}")
    assert outcome.code == 5


def test_advisory_does_not_soften_a_bug(
    gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fault of ours ends in 70, names its place and none of its values, and is reported."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("s3cr3t-MARK")

    monkeypatch.setattr("precheck_gate.polling.poller.Poller.poll", fail)
    with pytest.raises(AssertionError, match="bug in precheck-gate"):
        gate.run(serve("mysql").url, *ADVISORY)
    report = (gate.folder / "report.json").read_text()
    assert '"exit_code": 70' in report
    assert "ZeroDivisionError in " in report
    assert "s3cr3t-MARK" not in report


@pytest.mark.parametrize("code", ["0", "1", "2", "3", "4", "5", "70", "130", "143", "126", "256",
                                  "-1", "x", "١", ""])  # fmt: skip
def test_a_warn_exit_code_that_means_something_else_is_refused(gate: Gate, code: str) -> None:
    outcome = gate.main("run", ID, f"--warn-exit-code={code}", with_reports=False)
    assert outcome.code == 2
    assert "is not a free code from 1 to 125" in outcome.err


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "Usage: precheck-gate"),
        (["rum"], "Did you mean 'run'?"),
        (["run", "--timout", "5m"], "--timeout"),
        (["run", "--timeout", "soon"], "write 30s, 15m or 1h30m"),
        (["run", "--timeout", "0"], "is not between 1 s and 7 days"),
        (["run", "--max-rps", "nan"], "is not a number"),
        (["run", "--max-rps", "inf"], "is not in the range"),
        (["run", ID, "--mode", "forStartJob"], "--mode needs --start-precheck"),
        (["policy", "test", "x", "--min-coverage", "nan"], "is not a number"),
        (["run", "--timeout", "nan"], "is not a duration"),
        (["run", "--interval", "1000d"], "is not between"),
        (["run", "--report", "junit.xml"], "is not FORMAT=PATH"),
        (["run", "--report", "pdf=x"], "known: "),
        (["run", "--language", "de"], "zh-cn"),
        (["run", "--token", "s3cr3t-MARK"], "No such option"),
        (["run", "--token=s3cr3t-MARK"], "No such option"),
        (["evaluate"], "Missing argument"),
        (["simulate", "--port", "70000"], "70000"),
        (["simulate", "--scenario", "none.yaml"], "neither a file nor built in"),
        (["demo", "--fail"], "No such option"),
    ],
)
def test_a_command_line_that_cannot_be_used(gate: Gate, argv: list[str], words: str) -> None:
    outcome = gate.main(*argv, with_reports=False)
    assert outcome.code == 2
    assert words in outcome.text
