"""A credential that equals a key or a value of an answer changes nothing that is judged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.catalog import advise, group_of
from precheck_gate.cli import main_group
from precheck_gate.drs.api.v3 import DrsClient
from precheck_gate.drs.api.v3_wire import parse_answer
from precheck_gate.drs.api.v5 import DrsV5Client
from precheck_gate.drs.http.messages import Reply
from precheck_gate.judgement.context import JudgementContext
from precheck_gate.judgement.task import judge_task
from precheck_gate.model.snapshots import (
    About,
    Observation,
    Snapshot,
    Status,
    SubTask,
    Trouble,
    TroubleKind,
)
from precheck_gate.model.verdicts import FindingKind
from precheck_gate.runtime.process import Runtime
from precheck_gate.safetext import secrets
from precheck_gate.safetext.secrets import Secret
from precheck_gate.saved.archive import AnswerArchive
from tests.support.fakes import FakeClock
from tests.support.harness import DEFAULT, TODAY, entry, item
from tests.support.harness import body as body_of
from tests.support.outcome import ID, PROJECT
from tests.support.servers import serve_body

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from precheck_gate.model.verdicts import Finding

POLICY = """
version: 1
rules:
  - match: {item: srcDbConnection}
    effect: block
    reason: the team says so
  - match: {group: migration-group, failed_reason: "*reason-of-the-service*"}
    effect: block
    reason: the team says so
"""


SUB = {"id": "sub-task-of-it", "name": "sub-name-of-it", "check_result": "FAILED"}


def document(**more: Any) -> dict[str, Any]:
    """Return an answer that blocks by an item, by a sub-task and by a rule about a reason."""
    return {
        "count": 1,
        "results": [
            {
                "precheck_id": ID,
                "result": True,
                "process": "100%",
                "total_passed_rate": "33.33333%",
                "job_direction": "direction-up",
                "precheck_result": [
                    {"item": "srcDbConnection", "result": "ALARM", "group": "network"},
                    {
                        "item": "tableStructure",
                        "result": "PASSED",
                        "group": "migration-group",
                        "failed_sub_jobs": [SUB],
                    },
                    {
                        "item": "anAlarmOfIt",
                        "result": "ALARM",
                        "group": "migration-group",
                        "failed_reason": "reason-of-the-service",
                        "raw_error_msg": "raw-error-of-the-service",
                    },
                ],
                **more,
            }
        ],
    }


ERROR = {"error_code": "DRS.M00289", "error_msg": "the task is unknown"}


def texts(value: Any) -> Iterator[str]:
    """Yield every key and every string of a document that a credential could equal."""
    match value:
        case str():
            yield value
        case dict():
            for key, inner in value.items():
                yield key
                yield from texts(inner)
        case list():
            for one in value:
                yield from texts(one)


TOKENS = sorted(
    {
        text
        for text in (*texts(document(**ERROR)), "precheck_results", "errorCode", "99999999")
        if len(text) >= 8 and " " not in text
    }
    - {ID}
)
BODIES = {
    "items": document(),
    "an error": document(**ERROR),
    "items under the name of v5": {
        "results": [entry(ID, items=[item("a")], precheck_results=[])],
    },
}


def gate(
    monkeypatch: pytest.MonkeyPatch, folder: Path, body: bytes, token: str, *more: str
) -> tuple[int, dict[str, Any]]:
    """Run the gate with a token on an answer; return its exit code and its JSON report."""
    monkeypatch.setattr(secrets, "_known", secrets.Known())
    monkeypatch.setenv("PRECHECK_GATE_TOKEN", token)
    folder.mkdir()
    policy = folder / "policy.yaml"
    policy.write_text(POLICY)
    with serve_body(body) as url:
        code = main_group.main(
            [
                *("run", ID, "--project-id", PROJECT, "--endpoint", url, "--grace", "0s"),
                *("--timeout", "5s", "--ci", "none", "--policy", str(policy), "--no-details"),
                *("--report", f"json={folder / 'report.json'}", *more),
            ],
            standalone_mode=False,
            obj=Runtime(clock=FakeClock()),
        )
    return code, json.loads((folder / "report.json").read_text())


def verdicts(report: dict[str, Any]) -> list[tuple[str, str]]:
    found = [*report["findings"], *(one for task in report["tasks"] for one in task["findings"])]
    return [(one["kind"], one["verdict"]) for one in found]


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("token", TOKENS)
def test_a_token_that_equals_a_text_of_the_answer_changes_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, token: str
) -> None:
    body = json.dumps(BODIES[name]).encode()
    code, report = gate(monkeypatch, tmp_path / "usual", body, "an-unrelated-credential")
    assert code in (1, 4)

    as_token = gate(monkeypatch, tmp_path / "equal", body, token)

    assert (as_token[0], verdicts(as_token[1])) == (code, verdicts(report))


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("token", TOKENS)
def test_saved_answers_are_judged_no_greener_and_hold_no_value_that_is_the_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, token: str
) -> None:
    body = json.dumps(BODIES[name]).encode()
    answers = tmp_path / "run" / "answers"
    code, _ = gate(monkeypatch, tmp_path / "run", body, token, "--save-answers", str(answers))
    assert code in (1, 4)

    for line in (answers / "run.jsonl").read_text().splitlines():
        assert token not in values(json.loads(line))
    files = [path for path in answers.iterdir() if path.name != "run.jsonl"]
    for path in files:
        assert token not in values(json.loads(path.read_text()))
    monkeypatch.delenv("PRECHECK_GATE_TOKEN")
    monkeypatch.setattr(secrets, "_known", secrets.Known())
    policy = str(tmp_path / "run" / "policy.yaml")
    for source in (answers, *files):
        again = main_group.main(
            ["evaluate", str(source), "--task", ID, "--policy", policy, "--ci", "none"],
            standalone_mode=False,
            obj=Runtime(clock=FakeClock()),
        )
        assert again in (code, 3, 4), source


def values(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for inner in value.values() for text in values(inner)]
        case list():
            return [text for one in value for text in values(one)]
    return []


def test_what_is_matched_is_what_the_service_sent() -> None:
    body = json.dumps(document()).encode()
    for token in TOKENS:
        Secret(token)
    client = DrsClient(
        "https://drs.example", lambda _: PROJECT, lambda *_: Reply(200, {}, body), FakeClock()
    )

    snapshot = client.precheck_results([ID], 5).entries[ID]

    assert isinstance(snapshot, Snapshot)
    assert [item.name for item in snapshot.items] == [
        *("srcDbConnection", "tableStructure", "anAlarmOfIt")
    ]
    assert [type(sub) for sub in snapshot.items[1].sub_tasks] == [SubTask]
    assert snapshot.direction == "direction-up"
    assert snapshot.items[2].failed_reason == "reason-of-the-service"


# --- what is saved ------------------------------------------------------------------------------


def save(folder: Path, body: bytes, status: int = 200) -> str:
    folder = folder / "answers"
    archive = AnswerArchive(folder, FakeClock())
    archive.save([ID], status, body, "")
    (file,) = [path for path in folder.iterdir() if path.name != "run.jsonl"]
    return file.read_text(errors="replace")


def test_a_saved_answer_without_a_secret_keeps_its_bytes(tmp_path: Path) -> None:
    Secret("s3cr3t-of-this-test")
    body = b'\xef\xbb\xbf{"results":  [],\n "n": 1.00, "e": 1e5, "\\u00e9": "\\/", "bad": "\xff"'
    archive = AnswerArchive(tmp_path / "answers", FakeClock())
    archive.save([ID], 200, body, "")
    assert (tmp_path / "answers" / "0001.json").read_bytes() == body


def test_a_saved_answer_with_a_secret_keeps_keys_and_numbers(tmp_path: Path) -> None:
    Secret("12345678")
    body = document(n=12345678)
    body["results"][0]["precheck_result"][2]["raw_error_msg"] = "you sent 12345678"
    kept = json.loads(save(tmp_path, json.dumps(body).encode()))
    assert kept["results"][0]["n"] == 12345678
    assert kept["results"][0]["precheck_result"][2]["raw_error_msg"] == "you sent ***"


def test_an_answer_that_could_not_be_judged_alike_without_the_secret_is_saved_as_none(
    tmp_path: Path,
) -> None:
    Secret("srcDbConnection")
    kept = json.loads(save(tmp_path, json.dumps(document()).encode()))
    assert "results" not in kept
    assert "srcDbConnection" not in json.dumps(kept)
    assert "anAlarmOfIt" in kept["answer"]


@pytest.mark.parametrize("status", [200, 400, 503])
def test_what_is_no_json_is_saved_without_the_secret(tmp_path: Path, status: int) -> None:
    Secret("s3cr3t-of-this-test")
    kept = save(tmp_path, b'<p>\xff s3cr3t-of-this-test, "s3cr3t\\u002dof-this-test', status)
    assert "s3cr3t" not in kept


def test_the_run_file_holds_no_secret_that_a_trouble_repeats(tmp_path: Path) -> None:
    Secret("s3cr3t-of-this-test")
    archive = AnswerArchive(tmp_path / "answers", FakeClock())
    said = "you sent s3cr3t-of-this-test"
    trouble = Trouble(TroubleKind.TASK_ERROR, said, code=said, hint=said)
    archive.begin([ID])
    archive.save([ID], 200, b"{}", said, {said: ID})
    archive.end([Observation(ID, None, trouble)], [trouble])
    index = (tmp_path / "answers" / "run.jsonl").read_text(errors="replace")
    assert "s3cr3t" not in index
    assert index.count("you sent ***") == 8


def test_a_task_whose_name_repeats_a_secret_is_saved_with_its_result(tmp_path: Path) -> None:
    Secret("s3cr3t-of-this-test")
    body = json.dumps(document()).encode()
    archive = AnswerArchive(tmp_path / "answers", FakeClock())
    archive.begin([ID])
    archive.save([ID], 200, body, "")
    snapshot = parse_answer(body).entries[ID]
    assert isinstance(snapshot, Snapshot)
    archive.end([Observation(ID, snapshot, about=About("s3cr3t-of-this-test"), age=0.0)], [])
    index = (tmp_path / "answers" / "run.jsonl").read_text()
    assert "s3cr3t" not in index
    assert "so it was not saved" not in index


def test_v5_is_judged_as_sent_as_well() -> None:
    items = [{"item": "srcDbConnection", "result": "FAILED", "failed_sub_jobs": [SUB]}]
    result = {"process": "100%", "result": True, "precheck_results": items}
    body = json.dumps({"job": {"id": ID, "precheck_result": result}}).encode()
    for token in (*texts(json.loads(body)), "precheck_results"):
        Secret(token)
    client = DrsV5Client(
        "https://drs.example",
        lambda _: PROJECT,
        lambda *_: Reply(200, {}, body),
        FakeClock(),
        query_ids={ID: "a-query"},
        language="en-us",
        advice=lambda _: "",
    )

    snapshot = client.precheck_results([ID], 5).entries[ID]

    assert isinstance(snapshot, Snapshot)
    assert [(one.name, one.status, len(one.sub_tasks)) for one in snapshot.items] == [
        ("srcDbConnection", Status.FAILED, 1)
    ]


def test_a_baseline_knows_no_finding_by_its_mask() -> None:
    """Two secrets look alike once they are hidden; what is compared is what was sent."""
    Secret("srcDbConnection")
    Secret("dstDbConnection")
    earlier = finding_of("dstDbConnection")
    assert earlier.title == "***"
    known = frozenset({(ID, "item", "***", "", "ALARM", "")})
    assert not finding_of("srcDbConnection", known).known
    secrets._known = secrets.Known()
    as_sent = frozenset({(ID, "item", "srcDbConnection", "", "ALARM", "")})
    Secret("srcDbConnection")
    assert finding_of("srcDbConnection", as_sent).known


def finding_of(name: str, known: frozenset[tuple[str, ...]] = frozenset()) -> Finding:
    snapshot = parse_answer(body_of(entry(ID, items=[item(name, "ALARM")]))).entries[ID]
    assert isinstance(snapshot, Snapshot)
    context = JudgementContext(DEFAULT, TODAY, advise, known, group_of=group_of)
    verdict = judge_task(Observation(ID, snapshot, None), context)
    (found,) = [one for one in verdict.findings if one.kind is FindingKind.ITEM]
    return found
