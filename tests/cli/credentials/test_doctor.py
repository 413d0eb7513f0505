"""``precheck-gate doctor``: each line ok, fail or skip, an exit code, nothing secret."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.support.credentials import KEYS, REGION, TASKS, TOKEN, USERS, scenario
from tests.support.outcome import ID, MARK, PROJECT

if TYPE_CHECKING:
    from tests.support.credentials import Gate
    from tests.support.gate import Serve
    from tests.support.outcome import Outcome

UNKNOWN = "ffffffff-0000-4000-8000-0000000jb404"


def statuses(outcome: Outcome) -> dict[str, str]:
    lines = [line.split(None, 2) for line in outcome.out.splitlines() if line[:1] != " "]
    return {step: status for status, step, _ in lines}


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_TOKEN", TOKEN)


def test_all_is_well(gate: Gate, serve: Serve, user: None) -> None:
    service = serve(scenario(USERS, f"region: {REGION}", "project_id: p1"))
    outcome = gate.doctor(service, "--region", REGION, project=None, tasks=(ID,))
    assert outcome.code == 0
    assert statuses(outcome) == {
        "settings": "ok",
        "credential": "ok",
        "proxy": "skip",
        "dns": "skip",
        "tls": "ok",
        "clock": "ok",
        "iam": "ok",
        "project": "ok",
        "query": "ok",
    }
    outcome.has_line("ok    credential  IAM user from HW_USER_NAME and HW_USER_PASSWORD")
    outcome.has_line("ok    query       permitted, results for 1 of 1 tasks")
    assert "p1" in outcome.out


@pytest.mark.parametrize("unknown", ["batch", "nameless", "plain", "entry"])
def test_without_tasks_it_asks_for_one_that_does_not_exist(
    gate: Gate, serve: Serve, token: None, unknown: str
) -> None:
    service = serve(scenario(f"token: {TOKEN}", f"unknown_task: {unknown}"))
    outcome = gate.doctor(service)
    assert outcome.code == 0
    outcome.has_line("ok    query       permitted")
    assert len(service.requests) == 2


def test_a_task_that_does_not_exist(gate: Gate, serve: Serve, token: None) -> None:
    service = serve(scenario(f"token: {TOKEN}"))
    outcome = gate.doctor(service, tasks=(ID, UNKNOWN))
    assert outcome.code == 4
    outcome.says("fail  query", "DRS.M00289", "The task does not exist")
    outcome = gate.doctor(serve(scenario("unknown_task: entry")), tasks=(ID, UNKNOWN))
    assert outcome.code == 4
    outcome.says("results for 1 of 2 tasks", f"no result for {UNKNOWN}")


def test_more_than_ten_tasks_are_asked_in_tens(gate: Gate, serve: Serve, token: None) -> None:
    tasks = tuple(f"140b5236-88ad-43c8-811c-{number:07d}jb101" for number in range(12))
    known = "tasks: [" + ", ".join(f"{{id: {task}, answer: mysql}}" for task in tasks) + "]"
    service = serve(scenario(tasks=known))
    assert gate.doctor(service, tasks=tasks).code == 0
    assert [len(record.jobs) for record in service.requests] == [0, 10, 2]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "Neither an endpoint nor a region"),
        (["--endpoint", "http://127.0.0.1:1"], "No project is given"),
        (["--endpoint", f"https://u:{MARK}@x", "--project-id", "p"], "has credentials in it"),
        (["--endpoint", "http://127.0.0.1:1", "--project-id", "p", "no-task"], "no-task"),
        (
            ["--endpoint", "http://127.0.0.1:1", "--project-id", "p", "--ca-bundle", "/none"],
            "/none",
        ),
    ],
)
def test_settings_that_cannot_be_used(gate: Gate, token: None, argv: list[str], words: str) -> None:
    outcome = gate.call("doctor", *argv)
    assert outcome.code == 2
    outcome.has_line("fail  settings")
    outcome.says(words)


def test_a_service_that_is_not_there(gate: Gate, token: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    outcome = gate.call("doctor", "--endpoint", f"http://127.0.0.1:{port}", "--project-id", PROJECT)
    assert outcome.code == 4
    outcome.has_line(f"fail  tls         127.0.0.1:{port}: Connection refused")
    outcome.has_line("skip  query       the service is unreachable")


def test_a_name_that_does_not_resolve(
    gate: Gate, token: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    outcome = gate.call("doctor", "--endpoint", "https://none.invalid", "--project-id", PROJECT)
    assert outcome.code == 4
    outcome.has_line("fail  dns         none.invalid does not resolve: Name or service not known")
    outcome.says("Check --endpoint or --region")


def test_a_proxy_is_named_without_its_password(
    gate: Gate, token: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{MARK}@127.0.0.1:{port}")
    outcome = gate.call("doctor", "--endpoint", "https://none.invalid", "--project-id", PROJECT)
    assert outcome.code == 4
    outcome.has_line(f"ok    proxy       http://127.0.0.1:{port} for none.invalid")
    outcome.has_line("fail  clock       The proxy on the way to none.invalid failed")
    assert outcome.text.count("  clock  ") == 1


def test_plain_http_to_this_machine_uses_no_proxy(
    gate: Gate, serve: Serve, token: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    service = serve(scenario(f"token: {TOKEN}"))
    assert gate.doctor(service).code == 0
    assert gate.run(service).code == 0


def test_tls_that_does_not_verify(gate: Gate, token: None, tmp_path: object) -> None:
    from pathlib import Path

    from tests.support.servers import make_certificate, serve_body

    certificate = make_certificate(Path(str(tmp_path)))
    with serve_body(b"{}", certificate=certificate) as url:
        options = ["--endpoint", url, "--project-id", PROJECT]
        refused = gate.call("doctor", *options)
        bundle = ["--ca-bundle", str(certificate.certificate)]
        trusted = gate.call("doctor", *options, *bundle)
    assert refused.code == 4
    refused.says("fail  tls", "the certificate does not verify", "--ca-bundle")
    trusted.has_line(f"ok    tls         {url.removeprefix('https://')}, TLSv1")


def test_the_help_names_the_exit_codes(gate: Gate) -> None:
    from click.testing import CliRunner

    from precheck_gate.cli.commands.doctor import doctor

    text = CliRunner().invoke(doctor, ["--help"]).output
    for words in ("0  everything works", "--debug-http", "--id-token-variable"):
        assert words in text


def test_a_wrong_token_and_a_right_one(gate: Gate, serve: Serve, token: None) -> None:
    outcome = gate.doctor(serve(scenario("token: another-token")))
    assert outcome.code == 4
    outcome.says("fail  query", "HTTP 401", "get a new one")


def test_a_key_needs_no_iam(gate: Gate, serve: Serve, key: None) -> None:
    outcome = gate.doctor(serve(scenario(KEYS, tasks=TASKS)))
    assert outcome.code == 0
    outcome.has_line("skip  iam         not needed with the access key")
