"""Every row of the design's table of exit codes."""

from __future__ import annotations

import click
import pytest

from precheck_gate import __main__ as entry_point
from precheck_gate.errors import (
    EXIT_CODE_MEANINGS,
    ExitCode,
    PrecheckGateError,
    ReportError,
    ServiceError,
    UsageError,
)
from precheck_gate.judgement.run import exit_code
from precheck_gate.model.snapshots import Trouble, TroubleKind
from precheck_gate.model.verdicts import Verdict
from tests.support.harness import (
    OTHER,
    TASK,
    body,
    entry,
    item,
    judge,
    judge_observations,
    policy,
)


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Verdict.PASSED, 0),
        (Verdict.PASSED_WITH_WARNINGS, 0),
        (Verdict.BLOCKED, 1),
        (Verdict.INCOMPLETE, 3),
        (Verdict.ERROR, 4),
    ],
)
def test_each_verdict_has_its_code(verdict: Verdict, code: int) -> None:
    assert exit_code(verdict) == code


@pytest.mark.parametrize(("error", "code"), [(UsageError, 2), (ServiceError, 4), (ReportError, 5)])
def test_each_error_has_its_code(error: type[PrecheckGateError], code: int) -> None:
    assert error("x").exit_code == code


def test_the_signals_are_128_and_their_number() -> None:
    assert (ExitCode.SIGINT, ExitCode.SIGTERM, ExitCode.BUG) == (130, 143, 70)


def test_every_code_is_explained() -> None:
    assert set(EXIT_CODE_MEANINGS) == set(ExitCode)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_advisory_turns_blocked_and_nothing_else_into_0(verdict: Verdict) -> None:
    plain, advisory = exit_code(verdict), exit_code(verdict, advisory=True)
    assert advisory == (0 if verdict is Verdict.BLOCKED else plain)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_warn_exit_code_gives_passed_with_warnings_and_nothing_else_its_own(
    verdict: Verdict,
) -> None:
    expected = 10 if verdict is Verdict.PASSED_WITH_WARNINGS else exit_code(verdict)
    assert exit_code(verdict, warn_code=10) == expected


def test_the_worst_task_decides_and_what_is_not_known_is_worse_than_blocked() -> None:
    blocked, passed = entry(result=False), entry(OTHER)
    assert judge(body(blocked, passed), [TASK, OTHER]).code == 1
    assert judge(body(blocked, entry(OTHER, process="5%")), [TASK, OTHER]).code == 3
    assert judge(body(blocked), [TASK, OTHER]).code == 4
    assert judge(body(entry(process="5%")), [TASK, OTHER]).code == 4


def test_trouble_with_the_run_is_an_error_even_where_every_task_passed() -> None:
    good = judge(body(entry()))
    assert good.code == 0
    trouble = Trouble(TroubleKind.SERVICE, "the token was refused")
    assert judge_observations([], [], troubles=[trouble]).code == 4


def test_more_warnings_than_the_limit_block_the_run() -> None:
    by = policy("version: 1\nlimits: {max_warnings: 1}\n")
    one = entry(items=[item("a", "ALARM")])
    assert judge(body(one), by=by).code == 0
    judged = judge(body(one, entry(OTHER, items=[item("b", "ALARM")])), [TASK, OTHER], by)
    assert (judged.verdict, judged.code) == (Verdict.BLOCKED, 1)
    assert judged.says("2 warnings exceed the limit of 1")
    assert judged.run.findings[0].decided_by == "policy.yaml:2 limits.max_warnings"


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (click.Abort(), 130),
        (click.ClickException("x"), 2),
        (click.UsageError("x"), 2),
        (UsageError("x"), 2),
        (RuntimeError("secret words"), 70),
        (SystemExit(0), 70),
        (KeyboardInterrupt(), 70),
        (MemoryError(), 4),
    ],
)
def test_no_exception_ends_in_1_or_0(
    raised: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from precheck_gate import cli

    def explode(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(cli.main_group, "main", explode)
    assert entry_point.run_main(["run"]) == code
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert "secret words" not in captured.err


@pytest.mark.parametrize("result", [None, False, True, "0", 0.0])
def test_a_command_that_does_not_say_how_it_ended_is_a_bug(
    result: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from precheck_gate import cli

    monkeypatch.setattr(cli.main_group, "main", lambda *_, **__: result)
    assert entry_point.run_main(["run"]) == 70


@pytest.mark.parametrize("arguments", [["--nonsense"], ["rnu"], ["run", "--nonsense"], []])
def test_a_command_line_that_cannot_be_read_ends_in_2(arguments: list[str]) -> None:
    assert entry_point.run_main(arguments) == 2


def test_a_misspelt_command_is_told_what_was_probably_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    entry_point.run_main(["evalute"])
    assert "Did you mean 'evaluate'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "code", ["0", "1", "2", "3", "4", "5", "70", "130", "143", "-1", "x", "126"]
)
def test_warn_exit_code_refuses_codes_that_mean_something_else(
    code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry_point.run_main(["evaluate", "x.json", "--warn-exit-code", code]) == 2
    assert "taken" in capsys.readouterr().err
