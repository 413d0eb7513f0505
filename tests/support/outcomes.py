"""One evaluation for each way in which a run can end, made once and read by many tests."""

from __future__ import annotations

import functools
import signal
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from tests.support.evaluating import (
    BLOCKED,
    DDS,
    ID,
    MYSQL,
    OTHER_ID,
    Evaluated,
    answer,
    evaluate,
    item,
    task,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MIXED = answer(
    task("1" * 8 + ID[8:]),
    task("2" * 8 + ID[8:], item("srcCollHasTtlIndex", "ALARM", failed_reason="TTL")),
    task("3" * 8 + ID[8:], item("srcDbBinlogIsOff", "FAILED"), result=False),
    task("4" * 8 + ID[8:], item("srcDbBinlogIsOff", "FAILED"), process="99%"),
    task("5" * 8 + ID[8:], error_code="DRS.M00289", error_msg="no such job"),
)
NO_WARNINGS = "version: 1\nlimits: {max_warnings: 0}\n"


def _limited(folder: Path) -> Evaluated:
    (folder / "policy.yaml").write_text(NO_WARNINGS, encoding="utf-8")
    return evaluate(folder, [DDS], "--policy", "policy.yaml")


def _bug(folder: Path) -> Evaluated:
    with mock.patch("precheck_gate.judgement.task.judge_task", side_effect=RuntimeError("secret")):
        return evaluate(folder, [MYSQL])


def _judging(*answers: bytes, options: tuple[str, ...] = ()) -> Callable[[Path], Evaluated]:
    return lambda folder: evaluate(folder, answers, *options)


OUTCOMES: dict[str, tuple[int, Callable[[Path], Evaluated]]] = {
    "passed": (0, _judging(MYSQL)),
    "warnings": (0, _judging(DDS)),
    "warnings with a code": (10, _judging(DDS, options=("--warn-exit-code", "10"))),
    "blocked": (1, _judging(BLOCKED)),
    "advisory": (0, _judging(BLOCKED, options=("--advisory",))),
    "blocked by a limit": (1, _limited),
    "contradiction": (1, _judging(answer(task(ID, item(result="FAILED"))))),
    "refused": (1, _judging(answer(task(result=False)))),
    "no items": (1, _judging(answer({**task(), "precheck_result": []}))),
    "two answers that differ": (1, _judging(answer(task()), answer(task(process="1%")))),
    "incomplete": (3, _judging(answer(task(process="42%")))),
    "task in error": (4, _judging(answer(task(error_code="DRS.M05004", error_msg="deleted")))),
    "malformed": (4, _judging(answer(task(ID, item(failed_sub_jobs="none"))))),
    "not answered for": (4, _judging(MYSQL, options=("--task", OTHER_ID))),
    "not answers": (4, _judging(b"<html>", b"[]")),
    "mixed": (4, _judging(MIXED, BLOCKED, DDS)),
    "no tasks": (2, _judging(b'{"results": [], "count": 0}')),
    "empty file": (2, _judging(b"")),
    "no policy file": (2, _judging(MYSQL, options=("--policy", "absent.yaml"))),
    "not a task's ID": (2, _judging(MYSQL, options=("--task", "x"))),
    "interrupted": (143, lambda folder: evaluate(folder, [MIXED], interrupted_by=signal.SIGTERM)),
    "bug": (70, _bug),
}


@pytest.fixture(scope="session")
def outcome_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Evaluated]:
    """Return what makes the outcome of a name, once."""

    @functools.cache
    def make(name: str) -> Evaluated:
        code, call = OUTCOMES[name]
        outcome = call(tmp_path_factory.mktemp("outcome"))
        assert outcome.code == code, outcome.out + outcome.err
        return outcome

    return make


@pytest.fixture(params=OUTCOMES)
def outcome(request: pytest.FixtureRequest, outcome_of: Callable[[str], Evaluated]) -> Evaluated:
    """Give each outcome in turn."""
    return outcome_of(request.param)
