"""Every kind of fault as a client meets it, and which requests a fault hits."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from precheck_gate.documents.strict_json import loads
from precheck_gate.runtime.process import SystemClock
from precheck_gate.simulator.faults import EXTRA_TASK, FaultKind, Stage

if TYPE_CHECKING:
    from tests.support.fakes import FakeClock
    from tests.support.gate import Running, Simulate

ID = "140b5236-88ad-43c8-811c-1268453jb101"
OTHER = "a281f62f-4631-45d6-a2d3-679a9f4jb105"
PATH = "/v3/054ba152d480d55b2f5dc0069e7ddef0/jobs/batch-precheck-result"


def with_faults(*faults: str) -> str:
    listed = "\n".join(f"  - {fault}" for fault in faults)
    return f"""
version: 1
tasks:
  - {{id: {ID}, name: orders, answer: mysql}}
  - {{id: {OTHER}, name: sessions, answer: dds, duration: 10s}}
faults:
{listed}
"""


def raw_answer(running: Running, *, timeout: float = 5.0) -> bytes:
    """Ask over a bare socket and return every byte until the end of the connection."""
    body = json.dumps({"jobs": [ID]}).encode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: t\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    address = ("127.0.0.1", running.simulator.port)
    received = b""
    with socket.create_connection(address, timeout=timeout) as connection:
        connection.sendall(head.encode() + body)
        while piece := connection.recv(65536):
            received += piece
    return received


# --- the answer ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ("status: 500", 500, {"error_code": "DRS.10000001"}),
        ("status: 429, retry_after: 1", 429, {"error_code": "APIGW.0308"}),
        ("status: 400, code: DRS.M05004, message: deleted", 400,
         {"error_code": "DRS.M05004", "error_msg": "deleted"}),
    ],
)  # fmt: skip
def test_status_in_the_plain_shape(
    simulate: Simulate, fault: str, status: int, body: dict[str, str]
) -> None:
    answer = simulate(with_faults(f"{{{fault}}}")).ask(ID)
    assert answer.status_code == status
    assert body.items() <= answer.json().items()
    assert answer.headers.get("Retry-After") == ("1" if status == 429 else None)


def test_an_error_of_the_gateway_repeats_the_request_id(simulate: Simulate) -> None:
    answer = simulate(with_faults("{status: 429}")).ask(ID)
    assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize("value", ["0.5", "'Wed, 21 Oct 2026 07:28:00 GMT'", "'soon'"])
def test_retry_after_can_be_anything(simulate: Simulate, value: str) -> None:
    answer = simulate(with_faults(f"{{status: 503, retry_after: {value}}}")).ask(ID)
    assert answer.headers["Retry-After"] == value.strip("'")


def test_status_in_the_other_shapes(simulate: Simulate) -> None:
    shapes = ("batch", "nameless", "nested", "html", "empty")
    running = simulate(
        with_faults(
            *(f"{{when: {{request: {n}}}, status: 400, shape: {shape}, code: X}}"
              for n, shape in enumerate(shapes, start=1))
        )
    )  # fmt: skip
    batch, nameless, nested, html, empty = (running.ask(ID) for _ in shapes)
    error = {"error_code": "X", "error_msg": "The operation failed."}
    assert batch.json() == {"results": [{"id": ID, **error}], "count": 1}
    assert nameless.json() == {"results": [error], "count": 1}
    assert nested.json() == {"error": {"code": "X", "message": "The operation failed."}}
    assert html.headers["Content-Type"] == "text/html"
    assert html.text.startswith("<html>")
    assert empty.content == b""
    assert {a.status_code for a in (batch, nameless, nested, html, empty)} == {400}


def test_the_batch_shape_names_the_task_that_the_fault_is_about(simulate: Simulate) -> None:
    answer = simulate(with_faults("{when: {task: sessions}, status: 400, shape: batch}")).ask(
        ID, OTHER
    )
    assert [entry["id"] for entry in answer.json()["results"]] == [OTHER]
    assert answer.json()["results"][0]["error_code"] == "DRS.M00289"


def test_html(simulate: Simulate) -> None:
    answer = simulate(with_faults("{kind: html}")).ask(ID)
    assert (answer.status_code, answer.text[:6]) == (200, "<html>")


def test_garbage(simulate: Simulate) -> None:
    answer = simulate(with_faults("{kind: garbage, status: 502}")).ask(ID)
    assert answer.status_code == 502
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode()


@pytest.mark.parametrize("kind", ["not_json", "duplicate_key", "nan", "empty"])
def test_what_is_no_json(simulate: Simulate, kind: str) -> None:
    answer = simulate(with_faults(f"{{kind: {kind}}}")).ask(OTHER)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r".+"):
        loads(answer.content)


def test_duplicate_key_deceives_a_reader_that_keeps_the_first(simulate: Simulate) -> None:
    text = simulate(with_faults("{kind: duplicate_key}")).ask(OTHER).text
    assert '"process":"100%","process":"0%"' in text


def test_wrong_shape(simulate: Simulate) -> None:
    running = simulate(
        with_faults("{when: {request: 1}, kind: wrong_shape}", "{kind: wrong_shape, body: [1]}")
    )
    assert list(running.ask(ID).json()["results"]) == [ID]
    assert running.ask(ID).json() == [1]


def test_huge(simulate: Simulate) -> None:
    answer = simulate(with_faults("{kind: huge, bytes: 3000000}")).ask(ID)
    assert len(answer.content) > 3_000_000
    assert answer.json()["count"] == 1


def test_redirect(simulate: Simulate) -> None:
    running = simulate(with_faults('{kind: redirect, location: "http://127.0.0.1:9/x"}'))
    answer = running.ask(ID)
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://127.0.0.1:9/x")


def test_count_off_and_extra_task(simulate: Simulate) -> None:
    running = simulate(with_faults("{when: {request: 1}, kind: count_off}", "{kind: extra_task}"))
    off = running.ask(ID).json()
    assert (off["count"], len(off["results"])) == (2, 1)
    extra = running.ask(ID).json()
    assert [entry["precheck_id"] for entry in extra["results"]] == [ID, EXTRA_TASK]
    assert extra["count"] == 2


@pytest.mark.parametrize("kind", [k for k in FaultKind if k.stage is Stage.ANSWER])
@pytest.mark.parametrize("call", ["start", "token", "projects"])
def test_every_answer_can_be_altered(simulate: Simulate, kind: FaultKind, call: str) -> None:
    extra = {"status": ", status: 500", "redirect": ", location: /x", "huge": ", bytes: 9"}.get(
        kind.value, ""
    )
    fault = f"{{when: {{call: {call}}}, kind: {kind.value}{extra}}}"
    running = simulate(with_faults(fault))
    if call == "start":
        running.start(ID)
    elif call == "token":
        running.post("/v3/auth/tokens", {})
    else:
        running.session.get(f"{running.url}/v3/projects", timeout=5, allow_redirects=False)
    (record,) = running.simulator.requests
    assert record.faults == (kind.value,)


# --- the delivery -------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", ["", ", bytes: 40"])
def test_reset(simulate: Simulate, sent: str) -> None:
    running = simulate(with_faults(f"{{kind: reset{sent}}}"))
    with pytest.raises(ConnectionResetError):
        raw_answer(running)
    with pytest.raises(requests.ConnectionError):
        running.ask(ID)


def test_close(simulate: Simulate) -> None:
    running = simulate(with_faults("{kind: close}"))
    assert raw_answer(running) == b""
    with pytest.raises(requests.ConnectionError):
        running.ask(ID)


@pytest.mark.parametrize(("given", "kept"), [(", bytes: 10", 10), (", bytes: 999999", None)])
def test_truncate(simulate: Simulate, given: str, kept: int | None) -> None:
    head, _, body = raw_answer(simulate(with_faults(f"{{kind: truncate{given}}}"))).partition(
        b"\r\n\r\n"
    )
    promised = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
    assert len(body) == (promised - 1 if kept is None else kept)
    assert len(body) < promised


@pytest.mark.parametrize("where", ["headers", "body"])
def test_slow(simulate: Simulate, where: str) -> None:
    # Some 200 bytes of headers, or two bytes of a body: a tenth of a second and more.
    fault = "{kind: slow, bytes_per_second: %s, where: %s}" % (
        (2000, "headers") if where == "headers" else (20, "body")
    )
    running = simulate(with_faults(fault, "{kind: wrong_shape, body: 10}"))
    begin = time.monotonic()
    assert raw_answer(running).endswith(b"\r\n\r\n10")
    assert 0.08 < time.monotonic() - begin < 2


@pytest.mark.parametrize("kind", ["hang", "slow, bytes_per_second: 1"])
def test_closing_the_simulator_ends_what_hangs(simulate: Simulate, kind: str) -> None:
    asked = threading.Event()
    running = simulate(with_faults(f"{{kind: {kind}}}"), on_request=lambda _: asked.set())
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            running.ask(ID)
        except requests.RequestException as error:
            failures.append(error)

    client = threading.Thread(target=ask)
    client.start()
    assert asked.wait(timeout=5)
    begin = time.monotonic()
    running.simulator.close()
    client.join(timeout=5)
    assert time.monotonic() - begin < 1
    assert not client.is_alive()
    assert len(failures) == 1


def test_a_hanging_answer_is_given_up_when_the_client_goes(simulate: Simulate) -> None:
    running = simulate(with_faults("{kind: hang}"))
    with pytest.raises(TimeoutError):
        raw_answer(running, timeout=0.05)
    begin = time.monotonic()
    running.simulator.close()
    assert time.monotonic() - begin < 1


def test_delay_moves_the_scenarios_clock_and_answers_of_before(
    simulate: Simulate, clock: FakeClock
) -> None:
    running = simulate(with_faults("{kind: delay, delay: 30s}"))
    assert running.ask(OTHER).json()["results"][0]["process"] == "0%"
    assert clock.monotonic() == pytest.approx(30)


def test_closing_ends_a_delay_in_real_time(simulate: Simulate) -> None:
    running = simulate(with_faults("{kind: delay, delay: 1h}"), SystemClock())
    with pytest.raises(requests.Timeout):
        running.session.post(
            running.url + PATH, json={"jobs": [ID]}, timeout=0.05, headers={"X-Auth-Token": "t"}
        )
    begin = time.monotonic()
    running.simulator.close()
    assert time.monotonic() - begin < 1


# --- which requests -----------------------------------------------------------------------------


def statuses(running: Running, *requests_made: tuple[str, ...]) -> list[int]:
    return [running.ask(*jobs).status_code for jobs in requests_made]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("request: 2", [200, 500, 200, 200, 200, 200]),
        ('request: "1-2"', [500, 500, 200, 200, 200, 200]),
        ("request: 5-", [200, 200, 200, 200, 500, 500]),
        ("every: 3", [200, 200, 500, 200, 200, 500]),
        ("request: 3-, every: 2", [200, 200, 200, 500, 200, 500]),
    ],
)
def test_by_number(simulate: Simulate, when: str, expected: list[int]) -> None:
    running = simulate(with_faults(f"{{when: {{{when}}}, status: 500}}"))
    assert statuses(running, *[(ID,)] * 6) == expected


def test_by_time(simulate: Simulate, clock: FakeClock) -> None:
    running = simulate(with_faults("{when: {from: 1s, to: 2s}, status: 500}"))
    seen = []
    for _ in range(4):
        seen += statuses(running, (ID,))
        clock.advance(0.7)
    assert seen == [200, 200, 500, 200]


def test_by_task_and_number_counts_only_requests_for_the_task(simulate: Simulate) -> None:
    running = simulate(with_faults("{when: {task: sessions, request: 2}, status: 500}"))
    asked = [(ID,), (OTHER,), (ID,), (ID, OTHER), (OTHER,)]
    assert statuses(running, *asked) == [200, 200, 200, 500, 200]


def test_by_call(simulate: Simulate) -> None:
    running = simulate(with_faults("{when: {call: start}, status: 503}"))
    assert running.ask(ID).status_code == 200
    assert running.start(ID).status_code == 503
    anything = simulate(with_faults("{when: {call: any, request: 2}, status: 503}"))
    assert [anything.start(ID).status_code, anything.ask(ID).status_code] == [200, 503]


def test_the_first_of_a_stage_wins_and_stages_combine(simulate: Simulate, clock: FakeClock) -> None:
    running = simulate(
        with_faults(
            "{when: {request: 1}, status: 429}",
            "{status: 503}",
            "{kind: delay, delay: 2s}",
            "{when: {request: 3}, kind: close}",
        )
    )
    assert statuses(running, (ID,), (ID,)) == [429, 503]
    with pytest.raises(requests.ConnectionError):
        running.ask(ID)
    assert clock.monotonic() == pytest.approx(6)
    assert [set(record.faults) for record in running.simulator.requests] == [
        {"status", "delay"},
        {"status", "delay"},
        {"status", "delay", "close"},
    ]


def test_what_a_fault_leaves_alone_keeps_the_connection(simulate: Simulate) -> None:
    running = simulate(with_faults("{when: {request: 1-3}, status: 204}", "{kind: empty}"))
    answers: list[Any] = [running.ask(ID) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [204] * 3 + [200] * 3
    assert {answer.headers["Connection"] for answer in answers} == {"keep-alive"}
