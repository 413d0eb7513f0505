"""The simulated DRS and IAM over HTTP: calls, refusals, the log, hostile clients."""

from __future__ import annotations

import ipaddress
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.errors import UsageError
from precheck_gate.simulator.scenario import builtin_scenario, documented_answer
from precheck_gate.simulator.server import MAX_BODY, Simulator

if TYPE_CHECKING:
    from tests.support.fakes import FakeClock
    from tests.support.gate import Running, Simulate

ID = "140b5236-88ad-43c8-811c-1268453jb101"
OTHER = "a281f62f-4631-45d6-a2d3-679a9f4jb105"
UNKNOWN = "00000000-0000-0000-0000-0000000jb101"
PROJECT = "054ba152d480d55b2f5dc0069e7ddef0"
RESULTS = f"/v3/{PROJECT}/jobs/batch-precheck-result"
SIGNATURE = {
    "X-Auth-Token": None,
    "X-Sdk-Date": "20260101T000000Z",
    "Authorization": "SDK-HMAC-SHA256 Access=AK, SignedHeaders=x-sdk-date, Signature=" + "0" * 64,
}
TWO_TASKS = f"""
version: 1
tasks:
  - {{id: {ID}, answer: mysql}}
  - {{id: {OTHER}, answer: dds, duration: 10s, precheck_id: my-precheck}}
"""


# --- results ------------------------------------------------------------------------------------


def test_results_in_the_order_asked_for(simulate: Simulate) -> None:
    answer = simulate(TWO_TASKS.replace(", precheck_id: my-precheck", "")).ask(OTHER, ID).json()
    assert [entry["precheck_id"] for entry in answer["results"]] == [OTHER, ID]
    assert answer["count"] == 2


def test_a_documented_answer(simulate: Simulate) -> None:
    answer = simulate("mysql").ask(ID)
    assert answer.json() == {"results": [documented_answer("mysql")], "count": 1}
    assert answer.headers["Content-Type"].startswith("application/json")
    assert len(answer.headers["X-Request-Id"]) == 32


def test_progress_follows_the_clock(simulate: Simulate, clock: FakeClock) -> None:
    running = simulate(TWO_TASKS)
    seen = []
    for _ in range(3):
        seen.append(running.ask(OTHER).json()["results"][0]["process"])
        clock.advance(5)
    assert seen == ["0%", "50%", "100%"]


def test_the_language(simulate: Simulate, clock: FakeClock) -> None:
    running = simulate("demo")
    clock.advance(9)
    billing = "5d2c81f4-0b7e-4f0a-9a56-3e91c07jb101"
    texts = [
        running.ask(billing, headers={"X-Language": language}).json()["results"][0]
        for language in ("zh-cn", "en-us")
    ]
    chinese, english = (
        next(i for i in text["precheck_result"] if i["result"] == "FAILED") for text in texts
    )
    assert "源数据库" in chinese["raw_error_msg"]
    assert english["raw_error_msg"].isascii()


@pytest.mark.parametrize(
    ("setting", "status", "expected"),
    [
        ("batch", 400, {"results": [{"id": UNKNOWN, "error_code": "DRS.M00289",
                                     "error_msg": "The task does not exist."}], "count": 1}),
        ("nameless", 400, {"results": [{"error_code": "DRS.M00289",
                                        "error_msg": "The task does not exist."}], "count": 1}),
        ("plain", 400, {"error_code": "DRS.M00289", "error_msg": "The task does not exist."}),
    ],
)  # fmt: skip
def test_an_unknown_task_fails_the_batch(
    simulate: Simulate, setting: str, status: int, expected: Any
) -> None:
    answer = simulate(TWO_TASKS + f"unknown_task: {setting}\n").ask(ID, UNKNOWN)
    assert (answer.status_code, answer.json()) == (status, expected)


def test_an_unknown_task_can_fail_alone(simulate: Simulate) -> None:
    answer = simulate(TWO_TASKS + "unknown_task: entry\n").ask(ID, UNKNOWN)
    good, bad = answer.json()["results"]
    assert (answer.status_code, good["precheck_id"]) == (200, ID)
    assert bad == {
        "precheck_id": UNKNOWN,
        "error_code": "DRS.M00289",
        "error_msg": "The task does not exist.",
    }


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"{}", b'{"jobs": []}', b'{"jobs": "x"}', b'{"jobs": [1]}',
        b'{"jobs": ["x"]}', b'{"jobs": [null]}', b"\xff\xfe", b'{"jobs": NaN}', b"[" * 100_000,
        json.dumps({"jobs": [ID, ID]}).encode(), json.dumps({"jobs": [ID + "\n"]}).encode(),
        b'{"jobs": ["\\ud800"]}', b'{"jobs": [[]]}', b'{"jobs": [{}]}',
    ],
)  # fmt: skip
def test_a_wrong_request_is_refused(simulate: Simulate, body: bytes) -> None:
    running = simulate(TWO_TASKS)
    answer = running.session.post(running.url + RESULTS, data=body, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "DRS.M00202"
    assert running.ask(ID).status_code == 200


def test_a_foreign_project_is_refused(simulate: Simulate) -> None:
    body = {"jobs": [ID]}
    path = "/v3/another/jobs/batch-precheck-result"
    assert simulate("mysql").post(path, body).json()["error_code"] == "DRS.M00202"
    assert simulate(TWO_TASKS).post(path, body).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/"), ("GET", RESULTS), ("PUT", RESULTS), ("DELETE", "/x"), ("OPTIONS", "/*"),
     ("POST", RESULTS + "/"), ("POST", "/v5" + RESULTS[3:]), ("POST", "//[x" + RESULTS)],
)  # fmt: skip
def test_what_is_not_there(simulate: Simulate, method: str, path: str) -> None:
    running = simulate("mysql")
    answer = running.session.request(method, running.url + path, timeout=5)
    assert answer.status_code == 404
    assert answer.json()["error_code"] == "APIGW.0101"
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


# --- starting -----------------------------------------------------------------------------------


def test_a_start_begins_anew(simulate: Simulate, clock: FakeClock) -> None:
    running = simulate(TWO_TASKS)
    clock.advance(10)
    assert running.ask(OTHER).json()["results"][0]["process"] == "100%"
    answer = running.start(OTHER)
    assert answer.json() == {
        "results": [{"id": OTHER, "precheck_id": "my-precheck", "status": "success"}],
        "count": 1,
    }
    (entry,) = running.ask(OTHER).json()["results"]
    assert (entry["process"], entry["precheck_id"]) == ("0%", "my-precheck")


def test_each_start_has_an_id_of_its_own(simulate: Simulate) -> None:
    running = simulate(TWO_TASKS)
    first, second = (running.start(ID).json()["results"][0]["precheck_id"] for _ in range(2))
    assert len({first, second, ID}) == 3


def test_an_unknown_task_is_not_started(simulate: Simulate) -> None:
    good, bad = simulate(TWO_TASKS).start(ID, UNKNOWN).json()["results"]
    assert good["status"] == "success"
    assert (bad["id"], bad["status"], bad["error_code"]) == (UNKNOWN, "failed", "DRS.M00289")


@pytest.mark.parametrize(
    "jobs",
    [[], [1], [{}], [{"job_id": ID}], [{"job_id": ID, "precheck_mode": "now"}],
     [{"job_id": 1, "precheck_mode": "forStartJob"}],
     [{"job_id": ID, "precheck_mode": "forStartJob"}] * 11, "x"],
)  # fmt: skip
def test_a_wrong_start_is_refused(simulate: Simulate, jobs: Any) -> None:
    answer = simulate(TWO_TASKS).post(f"/v3/{PROJECT}/jobs/batch-precheck", {"jobs": jobs})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "DRS.M00202")


def test_results_are_refused_before_a_start(simulate: Simulate) -> None:
    running = simulate(TWO_TASKS.replace("duration: 10s", "duration: 10s, started: false"))
    refused = running.ask(OTHER)
    assert refused.status_code == 400
    assert refused.json()["results"][0]["error_code"] == "DRS.10000001"
    running.start(OTHER)
    assert running.ask(OTHER).status_code == 200


# --- credentials --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "headers", "status"),
    [
        ("", {"X-Auth-Token": "anything"}, 200),
        ("", {"X-Auth-Token": ""}, 401),
        ("", {"X-Auth-Token": None}, 401),
        ("", SIGNATURE, 200),
        ("", {**SIGNATURE, "X-Sdk-Date": None}, 401),
        ("", {**SIGNATURE, "Authorization": "Bearer abc"}, 401),
        ("", {**SIGNATURE, "Authorization": "SDK-HMAC-SHA256 Access=AK"}, 401),
        ("token: right\n", {"X-Auth-Token": "right"}, 200),
        ("token: right\n", {"X-Auth-Token": "wrong"}, 401),
        ("token: right\n", {"X-Auth-Token": "ri\xe9ht"}, 401),
        ("users: []\n", {"X-Auth-Token": "anything"}, 401),
    ],
)
def test_who_may_ask(
    simulate: Simulate, setting: str, headers: dict[str, str], status: int
) -> None:
    answer = simulate(TWO_TASKS + setting).ask(ID, headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.json()["error_code"] == "APIGW.0301"
        assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


def password_login(name: str, password: str, domain: str = "acme") -> dict[str, Any]:
    user = {"name": name, "password": password, "domain": {"name": domain}}
    return {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": "eu-west-101"}},
        }
    }


USERS = "users: [{name: gate, password: pass, domain: acme}]\ntoken_lifetime: 1m\n"


def test_a_token_from_iam_lives_as_long_as_it_says(simulate: Simulate, clock: FakeClock) -> None:
    running = simulate(TWO_TASKS + USERS)
    issued = running.post("/v3/auth/tokens", password_login("gate", "pass"))
    assert issued.status_code == 201
    assert issued.json()["token"]["expires_at"] == "2026-01-01T00:01:00.000000Z"
    assert issued.json()["token"]["project"]["name"] == "eu-west-101"
    headers = {"X-Auth-Token": issued.headers["X-Subject-Token"]}
    assert running.ask(ID, headers=headers).status_code == 200
    clock.advance(60)
    assert running.ask(ID, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (password_login("gate", "wrong"), 401),
        (password_login("nobody", "pass"), 401),
        (password_login("gate", "pass", "other"), 401),
        (password_login("gate", "\ud800"), 401),
        ({}, 400), ([], 400), (None, 400), ({"auth": 1}, 400),
        ({"auth": {"identity": {"methods": ["token"]}}}, 400),
    ],
)  # fmt: skip
def test_iam_refuses_in_its_own_shape(simulate: Simulate, body: Any, status: int) -> None:
    answer = simulate(TWO_TASKS + USERS).post("/v3/auth/tokens", body)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == status
    assert "X-Subject-Token" not in answer.headers


def test_without_users_everybody_gets_a_token(simulate: Simulate) -> None:
    running = simulate("mysql")
    assert running.post("/v3/auth/tokens", password_login("a", "b")).status_code == 201
    assert running.post("/v3/auth/tokens", password_login("a", "")).status_code == 401


@pytest.mark.parametrize(
    ("region", "query", "found"),
    [("", "?name=eu-west-101", ["eu-west-101"]), ("", "", ["eu-west-101"]),
     ("region: cn-north-4\n", "?name=cn-north-4", ["cn-north-4"]),
     ("region: cn-north-4\n", "?name=eu-west-101", [])],
)  # fmt: skip
def test_the_project_of_a_region(
    simulate: Simulate, region: str, query: str, found: list[str]
) -> None:
    running = simulate(TWO_TASKS + region + "project_id: p1\n")
    answer = running.session.get(f"{running.url}/v3/projects{query}", timeout=5)
    projects = answer.json()["projects"]
    assert [project["name"] for project in projects] == found
    assert {project["id"] for project in projects} <= {"p1"}
    anonymous = running.session.get(
        f"{running.url}/v3/projects", timeout=5, headers={"X-Auth-Token": None}
    )
    assert anonymous.status_code == 401


# --- the server ---------------------------------------------------------------------------------


def test_it_binds_to_loopback_and_to_a_port_of_its_own(clock: FakeClock) -> None:
    with Simulator(builtin_scenario("mysql"), clock) as simulator:
        assert ipaddress.ip_address(simulator.host).is_loopback
        assert simulator.url == simulator.iam_url == f"http://127.0.0.1:{simulator.port}"
    simulator.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", simulator.port), timeout=1)


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", None), ("127.0.0.1", 70000), ("192.0.2.1", 0)]
)
def test_an_address_that_cannot_be_had(clock: FakeClock, host: str, port: int | None) -> None:
    scenario = builtin_scenario("mysql")
    with (
        Simulator(scenario, clock) as first,
        pytest.raises(UsageError, match="cannot listen on") as caught,
    ):
        Simulator(scenario, clock, host, first.port if port is None else port)
    assert "port" in caught.value.hint


def test_urls_of_other_addresses(clock: FakeClock) -> None:
    scenario = builtin_scenario("mysql")
    with Simulator(scenario, clock, "0.0.0.0") as everywhere:
        assert everywhere.url == f"http://127.0.0.1:{everywhere.port}"
    try:
        with Simulator(scenario, clock, "::1") as six:
            assert six.url == f"http://[::1]:{six.port}"
    except UsageError:
        pytest.skip("this machine has no IPv6 loopback")


def test_the_log_says_what_was_asked_and_holds_no_credential(
    simulate: Simulate, clock: FakeClock
) -> None:
    running = simulate(TWO_TASKS + "token: hush-token\n" + USERS.replace("pass,", "hush-word,"))
    clock.advance(1.5)
    secret = {"X-Auth-Token": "hush-token", "Cookie": "hush", "X-Security-Token": "hush"}
    running.ask(ID, OTHER, headers={**secret, "X-Language": "zh-cn"})
    running.ask(ID, headers={**SIGNATURE, "Proxy-Authorization": "Basic hush"})
    running.post("/v3/auth/tokens?key=hush", password_login("gate", "hush-word"))
    running.session.put(running.url + "/x?token=hush", headers=secret, timeout=5)
    asked, signed, login, odd = running.simulator.requests
    assert (asked.moment, asked.method, asked.path) == (1.5, "POST", RESULTS)
    assert (asked.jobs, asked.status, asked.credential) == ((ID, OTHER), 200, "token")
    assert asked.headers["x-language"] == "zh-cn"
    assert signed.credential == "signature"
    assert "x-sdk-date" in signed.headers
    assert (login.status, odd.status, odd.method) == (201, 404, "PUT")
    shown = repr(running.simulator.requests)
    assert "hush" not in shown
    assert "Signature=" not in shown


def raw(running: Running, request: bytes) -> bytes:
    received = b""
    with socket.create_connection(("127.0.0.1", running.simulator.port), timeout=5) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(65536):
            received += piece
    return received


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nContent-Length: ٣\r\n\r\n".encode(), 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1), 413),
        (b"POST / HTTP/1.1\r\nContent-Length: %s\r\n\r\n" % (b"9" * 5000), 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 70_000 + b"\r\n\r\n", 431),
    ],
)
def test_what_is_no_proper_http_is_refused_and_survived(
    simulate: Simulate, request_text: bytes, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    running = simulate("mysql")
    head, _, body = raw(running, request_text).partition(b"\r\n\r\n")
    assert head.split(b" ")[1] == str(status).encode()
    assert b"Connection: close" in head
    assert json.loads(body)["error_code"] == "DRS.M00202"
    assert running.ask(ID).status_code == 200
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "request_text",
    [
        b"",
        b"\r\n",
        b"POST / HTT",
        b"POST / HTTP/1.1\r\nA",
        b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc",
    ],
)
def test_a_client_that_goes_is_survived(
    simulate: Simulate, request_text: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    running = simulate("mysql")
    raw(running, request_text)
    assert running.ask(ID).status_code == 200
    assert "Traceback" not in capfd.readouterr().err


def test_a_connection_serves_many_requests(simulate: Simulate) -> None:
    running = simulate("mysql")
    body = json.dumps({"jobs": [ID]}).encode()
    one = (
        f"POST {RESULTS} HTTP/1.1\r\nX-Auth-Token: t\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    assert raw(running, one * 3).count(b"HTTP/1.1 200 OK") == 3
