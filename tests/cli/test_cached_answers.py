"""An answer that a cache gave is no answer of now: it is asked again, and never counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.fault_rows import GOOD_BODY
from tests.support.outcome import ID
from tests.support.servers import KEEP, HostileServer, plain

if TYPE_CHECKING:
    from tests.support.gate import Gate

V5 = ("--api", "v5", "--query-id", f"{ID}=q1")


def good(version: str) -> tuple[bytes, tuple[str, ...]]:
    """Return a good body of that version of the API, and the arguments to ask for it."""
    if version == "v3":
        return GOOD_BODY, ()
    (entry,) = json.loads(GOOD_BODY)["results"]
    items = entry.pop("precheck_result")
    job = {"id": ID, "precheck_result": {**entry, "precheck_results": items}}
    return json.dumps({"job": job}).encode(), V5


@pytest.mark.parametrize("version", ["v3", "v5"])
@pytest.mark.parametrize(
    ("sign", "code"), [("Age: 0", 0), ("Age: 30", 4), ("X-Cache: HIT from proxy", 4)]
)
def test_an_answer_from_a_cache_is_an_error_in_both_versions(
    gate: Gate, version: str, sign: str, code: int
) -> None:
    body, argv = good(version)
    with HostileServer() as server:
        server.play((plain(body, sign), KEEP))
        outcome = gate.run(server.url, "--grace", "5s", *argv)
    assert outcome.code == code
    if code:
        outcome.says("A cache answered in place of 127.0.0.1", "Retrying", "HTTPS_PROXY")
        outcome.reports("A cache answered in place of 127.0.0.1")


def test_after_answers_from_a_cache_one_of_now_counts(gate: Gate) -> None:
    with HostileServer() as server:
        cached = (plain(GOOD_BODY, "Age: 30"), KEEP)
        server.play(cached, cached, (plain(GOOD_BODY, "Age: 0"), KEEP))
        outcome = gate.run(server.url)
    assert outcome.code == 0
    assert outcome.report["service"]["retries"] == 2


def test_a_fault_of_the_moment_keeps_its_own_words(gate: Gate) -> None:
    with HostileServer() as server:
        server.play((plain(b"", "Age: 30", status="503 Busy"), KEEP))
        outcome = gate.run(server.url, "--grace", "0s")
    assert outcome.code == 4
    outcome.says("HTTP 503")


def test_a_request_says_that_it_wants_no_answer_from_a_cache(gate: Gate) -> None:
    with HostileServer() as server:
        server.play((plain(GOOD_BODY), KEEP))
        assert gate.run(server.url).code == 0
        assert server.requests
        for request in server.requests:
            assert b"\r\ncache-control: no-cache\r\n" in request.lower()
            assert b"\r\npragma: no-cache\r\n" in request.lower()
