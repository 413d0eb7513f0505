"""Who may ask, and for what: tokens, projects, tasks that the service does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.outcome import ID, PROJECT, TOKEN, task_id

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.gate import Gate, Serve

UNKNOWN = "ffffffff-0000-4000-8000-0000000jb404"


def with_tasks(count: int, more: str = "") -> str:
    tasks = "\n".join(f"  - {{id: {task_id(n)}, answer: mysql}}" for n in range(count))
    return f"version: 1\n{more}\ntasks:\n{tasks}\n"


# --- the token ----------------------------------------------------------------------------------


def test_no_token(gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRECHECK_GATE_TOKEN")
    service = serve("mysql")
    outcome = gate.run(service.url)
    assert outcome.code == 2
    outcome.says("No credential found", "PRECHECK_GATE_TOKEN", "--token-file")
    outcome.reports("No credential found")
    assert service.requests == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (f"{TOKEN}\nmore".encode(), "contains invalid characters"),
        (f"{TOKEN}\x00".encode(), "contains invalid characters"),
        (b"\xff\xfe", "is not text"),
    ],
    ids=["absent", "empty", "blank", "two lines", "NUL", "UTF-16"],
)
def test_a_token_file_that_cannot_be_used(
    gate: Gate, serve: Serve, tmp_path: Path, content: bytes | None, words: str
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    service = serve("mysql")
    outcome = gate.run(service.url, "--token-file", str(file))
    assert outcome.code == 2
    outcome.says(str(file), words)
    outcome.reports(str(file), words)
    assert service.requests == ()


def test_the_token_file_goes_before_the_environment(
    gate: Gate, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRECHECK_GATE_TOKEN", "another")
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    service = serve(with_tasks(1, f"token: {TOKEN}"))
    assert gate.run(service.url, "--token-file", str(file), tasks=[task_id(0)]).code == 0


def test_a_refused_token(gate: Gate, serve: Serve) -> None:
    service = serve(with_tasks(1, "token: another"))
    outcome = gate.run(service.url, tasks=[task_id(0)])
    assert outcome.code == 4
    outcome.says("HTTP 401", "APIGW.0301", "get a new one", service.requests[0].request_id)
    outcome.reports("HTTP 401", "APIGW.0301")
    # Asking again changes nothing.
    assert len(service.requests) == 1


def test_a_token_that_ends_in_the_middle(gate: Gate, serve: Serve) -> None:
    service = serve(
        f"version: 1\ntasks: [{{id: {ID}, answer: mysql, duration: 60s}}]\n"
        "faults: [{when: {request: 3-}, status: 401, code: APIGW.0301}]\n"
    )
    outcome = gate.run(service.url)
    assert outcome.code == 4
    outcome.says("HTTP 401", "get a new one")
    assert len([one for one in service.requests if one.path.endswith("-result")]) == 3


def test_403(gate: Gate, serve: Serve) -> None:
    service = serve(
        f"version: 1\ntasks: [{{id: {ID}, answer: mysql}}]\n"
        "faults: [{status: 403, code: DRS.M00403, message: no right to query}]\n"
    )
    outcome = gate.run(service.url)
    assert outcome.code == 4
    outcome.says("HTTP 403", "no right to query", "check its permissions")
    outcome.reports("no right to query", "DRS.M00403")
    assert len(service.requests) == 1


# --- the project, the region, the endpoint ------------------------------------------------------


def test_an_unknown_project(gate: Gate, serve: Serve) -> None:
    service = serve(with_tasks(2, "project_id: another"))
    outcome = gate.run(service.url, tasks=[task_id(0), task_id(1)])
    assert outcome.code == 4
    outcome.says("The parameter project_id is invalid", "DRS.M00202")
    outcome.reports("The parameter project_id is invalid")
    assert outcome.verdicts() == {task_id(0): "error", task_id(1): "error"}


def test_an_unknown_project_tells_to_check_the_project(gate: Gate, serve: Serve) -> None:
    outcome = gate.run(serve(with_tasks(1, "project_id: another")).url, tasks=[task_id(0)])
    outcome.says("--project-id")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"--endpoint": None}, ["Neither an endpoint nor a region", "--region"]),
        ({"--project-id": None}, ["No project is given", "--project-id"]),
        ({"--project-id": "a/../b"}, ["'a/../b' is not a valid project ID", "letters and digits"]),
        ({"--endpoint": "ftp://x"}, ["'ftp://x'", "is not an http(s) URL"]),
        ({"--endpoint": "http://192.0.2.1"}, ["http://192.0.2.1", "unencrypted", "https"]),
        ({"--endpoint": "https://x/?a=b"}, ["'x' has more in it than a base URL"]),
        ({"--endpoint": "https://[x"}, ["not a URL"]),
        ({"--endpoint": None, "--region": "Mars"}, ["'Mars' is not the name of a region"]),
        ({"--ca-bundle": "/dev/null"}, ["/dev/null cannot be used", "PEM"]),
        ({"--ca-bundle": "/none.pem"}, ["/none.pem cannot be used", "No such file"]),
    ],
)
def test_settings_that_cannot_be_used(
    gate: Gate, given: dict[str, str | None], words: list[str]
) -> None:
    settings = {"--endpoint": "http://127.0.0.1:1", "--project-id": PROJECT, **given}
    options = [part for name, value in settings.items() if value for part in (name, value)]
    outcome = gate.judge("run", ID, *options, *gate.outputs)
    assert outcome.code == 2
    outcome.says(*words)
    outcome.reports(words[0])


# --- tasks that the service does not know -------------------------------------------------------


@pytest.mark.parametrize("shape", ["batch", "nameless", "plain", "entry"])
def test_an_unknown_task_alone(gate: Gate, serve: Serve, shape: str) -> None:
    service = serve(with_tasks(1, f"unknown_task: {shape}"))
    outcome = gate.run(service.url, tasks=[UNKNOWN])
    assert outcome.code == 4
    outcome.says(UNKNOWN, "DRS.M00289", "The task does not exist", "check its ID, the project")
    outcome.reports(UNKNOWN, "DRS.M00289")
    assert outcome.verdicts() == {UNKNOWN: "error"}


@pytest.mark.parametrize("position", [0, 5, 9])
@pytest.mark.parametrize("shape", ["batch", "nameless", "plain", "entry"])
def test_an_unknown_task_in_a_batch_of_ten_costs_the_other_nine_nothing(
    gate: Gate, serve: Serve, shape: str, position: int
) -> None:
    known = [task_id(n) for n in range(9)]
    asked = [*known[:position], UNKNOWN, *known[position:]]
    service = serve(with_tasks(9, f"unknown_task: {shape}"))
    outcome = gate.run(service.url, tasks=asked)
    assert outcome.code == 4
    outcome.says(UNKNOWN, "DRS.M00289", "1 of 10 tasks; 9 may")
    assert outcome.verdicts() == {one: "error" if one == UNKNOWN else "passed" for one in asked}
    # Found by halving, and asked for alone from then on.
    results = [record for record in service.requests if record.path.endswith("-result")]
    first_round = [record for record in results if record.moment < 2.0]
    assert len(first_round) <= 8
    assert all(
        record.jobs == (UNKNOWN,) or UNKNOWN not in record.jobs
        for record in results[len(first_round) :]
    )


def test_two_unknown_tasks_in_a_batch_of_ten(gate: Gate, serve: Serve) -> None:
    others = [UNKNOWN, UNKNOWN.replace("404", "405")]
    asked = [task_id(0), others[0], *(task_id(n) for n in range(1, 8)), others[1]]
    service = serve(with_tasks(8, "unknown_task: plain"))
    outcome = gate.run(service.url, tasks=asked)
    assert outcome.code == 4
    assert outcome.verdicts() == {one: "error" if one in others else "passed" for one in asked}


def test_a_task_that_was_deleted(gate: Gate, serve: Serve) -> None:
    service = serve(
        f"version: 1\ntasks: [{{id: {ID}, answer: mysql}}]\n"
        f"faults: [{{when: {{task: {ID}}}, status: 400, shape: batch, code: DRS.M05004}}]\n"
    )
    outcome = gate.run(service.url)
    assert outcome.code == 4
    outcome.says("DRS.M05004", "was deleted: remove it from the list")
