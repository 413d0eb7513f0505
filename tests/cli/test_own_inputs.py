"""No report goes over what the gate reads: it is refused before anything is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import precheck_gate
from tests.support.outcome import ID

if TYPE_CHECKING:
    from tests.support.gate import Gate

POLICY = "version: 1\n"
ANSWER = Path(precheck_gate.__file__).parent / "simulator" / "answers" / "mysql.json"
NOWHERE = ["--endpoint", "http://127.0.0.1:9", "--project-id", "p"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one of everything that can be read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PRECHECK_GATE_TOKEN")
    for name, text in {
        "policy.yaml": "version: 1\nextends: ./base.yaml\n",
        "base.yaml": POLICY,
        "tasks.txt": f"{ID}\n",
        "tok": "a-token-of-some-length",
        "answer.json": ANSWER.read_text("utf-8"),
        "cases.test.yaml": "version: 1\npolicy: builtin:default\ncases: []\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


RUN = ["run", *NOWHERE, "--token-file", "tok"]
EVALUATE = ["evaluate", "answer.json", "--task", ID]


@pytest.mark.parametrize(
    ("argv", "at_risk", "words"),
    [
        ([*RUN, "--tasks-from", "tasks.txt", "--junit", "tasks.txt"], "tasks.txt", "list of tasks"),
        ([*RUN, ID, "--junit", "tok"], "tok", "token file"),
        ([*RUN, ID, "--policy", "policy.yaml", "--junit=./policy.yaml"], "policy.yaml", "policy"),
        ([*RUN, ID, "--policy", "policy.yaml", "--report=json=base.yaml"], "base.yaml", "policy"),
        ([*RUN, "no-id", "--policy", "policy.yaml", "--junit=base.yaml"], "base.yaml", "policy"),
        ([*EVALUATE, "--junit", "answer.json"], "answer.json", "the answer"),
        ([*EVALUATE, "--policy", "base.yaml", "--junit", "base.yaml"], "base.yaml", "policy"),
        ([*EVALUATE, "--baseline", "tok", "--junit", "tok"], "tok", "the baseline"),
        (["report", "answer.json", "--to", "html=answer.json"], "answer.json", "source"),
        (["policy", "test", ".", "--junit", "cases.test.yaml"], "cases.test.yaml", "the cases"),
    ],
)  # fmt: skip
def test_a_report_over_an_input_is_refused(
    gate: Gate, folder: Path, argv: list[str], at_risk: str, words: str
) -> None:
    before = (folder / at_risk).read_bytes()
    outcome = gate.main(*argv, with_reports=False)
    assert outcome.code == 2
    assert "would overwrite" in outcome.err
    assert words in outcome.err
    assert at_risk in outcome.err
    assert (folder / at_risk).read_bytes() == before


@pytest.mark.parametrize("how", ["symlink_to", "hardlink_to"])
def test_a_link_to_an_input_is_seen_through(gate: Gate, folder: Path, how: str) -> None:
    getattr(folder / "junit.xml", how)(folder / "base.yaml")
    outcome = gate.main(
        *EVALUATE, "--policy", "base.yaml", "--junit", "junit.xml", with_reports=False
    )
    assert outcome.code == 2
    assert (folder / "base.yaml").read_text("utf-8") == POLICY


def test_the_other_reports_tell_of_it(gate: Gate) -> None:
    outcome = gate.main(*EVALUATE, *gate.outputs, "--report", "html=answer.json")
    assert outcome.code == 2
    outcome.reports("would overwrite the answer answer.json")


@pytest.mark.parametrize("report", ["saved/run.jsonl", "saved/0001.json"])
def test_a_report_over_a_saved_answer_is_refused(gate: Gate, report: str) -> None:
    outcome = gate.main(*RUN, ID, "--save-answers", "saved", "--junit", report, with_reports=False)
    assert outcome.code == 2
    assert "would overwrite an answer in saved" in outcome.err
    assert not Path(report).exists()


def test_a_report_beside_saved_answers_is_nobodys_loss(gate: Gate, folder: Path) -> None:
    (folder / "junit.xml").write_text("that of an earlier run", encoding="utf-8")
    outcome = gate.main(*EVALUATE, "--junit", "junit.xml", with_reports=False)
    assert outcome.code == 0
