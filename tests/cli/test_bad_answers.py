"""Answers that are none: too large, no JSON, JSON that lies. None of them is ever green."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.outcome import ID, OTHER, Outcome, check
from tests.support.servers import gzip_bomb, serve_body

if TYPE_CHECKING:
    from tests.support.gate import Gate, Serve

MEBIBYTE = 1024 * 1024


def with_fault(fault: str) -> str:
    return f"version: 1\ntasks: [{{id: {ID}, answer: mysql}}]\nfaults: [{{{fault}}}]\n"


BAD = {
    "not JSON": ("kind: not_json", "not valid JSON"),
    "bytes": ("kind: garbage", "not valid JSON"),
    "HTML": ("kind: html", "not valid JSON"),
    "empty": ("kind: empty", "not valid JSON"),
    "duplicate keys": ("kind: duplicate_key", "duplicate key 'process'"),
    "NaN": ("kind: nan", "NaN is not JSON"),
    "results as a mapping": ("kind: wrong_shape", "no list of results"),
    "a list": ("kind: wrong_shape, body: []", "not a JSON object"),
    "a text": ("kind: wrong_shape, body: passed", "not a JSON object"),
    "null": ("kind: wrong_shape, body: null", "no list of results"),
    "true": ("kind: wrong_shape, body: true", "not a JSON object"),
    "results of texts": ("kind: wrong_shape, body: {results: [a]}", "no list of results"),
    "an error with 200": (
        "kind: wrong_shape, body: {error_code: DRS.1, error_msg: no, results: []}",
        "DRS.1 no",
    ),
    "HTTP 204": ("kind: empty, status: 204", "HTTP 204"),
    "HTTP 404": ("status: 404", "HTTP 404"),
    "HTTP 418": ("status: 418", "HTTP 418"),
    "truncated": ("kind: truncate", "ended early"),
    "huge": ("kind: huge, bytes: 33554433", "larger than 32 MiB"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_answer_that_is_none_is_an_error(gate: Gate, serve: Serve, name: str) -> None:
    fault, words = BAD[name]
    service = serve(with_fault(fault))
    outcome = gate.run(service.url, "--grace", "5s")
    assert outcome.code == 4
    outcome.says(words)
    outcome.reports(words)
    assert outcome.verdicts() == {ID: "error"}


@pytest.mark.parametrize("name", BAD)
def test_an_answer_that_is_none_tells_what_to_do(gate: Gate, serve: Serve, name: str) -> None:
    outcome = gate.run(serve(with_fault(BAD[name][0])).url, "--grace", "0s")
    outcome.says("next: ")
    assert all(finding.get("next_step") for finding in outcome.findings)


@pytest.mark.parametrize(
    "name", [name for name in BAD if name not in ("HTTP 404", "HTTP 418", "null")]
)
def test_an_answer_that_is_none_is_asked_for_again(gate: Gate, serve: Serve, name: str) -> None:
    fault, words = BAD[name]
    service = serve(with_fault(f"when: {{request: 1-2}}, {fault}"))
    outcome = gate.run(service.url)
    assert outcome.code == 0
    outcome.says(words, "Retrying in")
    asked = [one for one in service.requests if one.path.endswith("-result")]
    assert len(asked) == 3


def test_a_bad_answer_after_a_good_one_takes_the_good_one_back(gate: Gate, serve: Serve) -> None:
    """The first task ended well, the service then speaks HTML until the time is over."""
    service = serve(
        f"version: 1\ntasks:\n  - {{id: {ID}, answer: mysql}}\n"
        f"  - {{id: {OTHER}, answer: mysql, duration: 1h}}\n"
        "faults: [{when: {request: 3-}, kind: html}]\n"
    )
    outcome = gate.run(service.url, "--timeout", "5m", tasks=[ID, OTHER])
    assert outcome.code == 4
    assert outcome.verdicts() == {ID: "incomplete", OTHER: "error"}
    outcome.says("could not be confirmed", "not valid JSON")


# --- size ---------------------------------------------------------------------------------------


# What the kernel counts for a child includes its parent's memory at the start; this does not.
PROBE = """
import pathlib, sys
from precheck_gate.__main__ import run_main
code = run_main(sys.argv[2:])
status = pathlib.Path("/proc/self/status").read_text().splitlines()
pathlib.Path(sys.argv[1]).write_text(next(line for line in status if line.startswith("VmHWM")))
sys.exit(code)
"""


def peak_memory(gate: Gate, tmp_path: Path, url: str) -> tuple[int, str]:
    """Gate in a process of its own; return the most memory that it held, and what it printed."""
    if not Path("/proc/self/status").exists():
        pytest.skip("the most memory that was held is read from Linux' /proc")
    probe = tmp_path / "memory"
    argv = gate.arguments(url, "--grace", "0s", "--timeout", "60s")
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(probe), *argv], capture_output=True, encoding="utf-8"
    )
    outcome = check(Outcome(done.returncode, done.stdout, done.stderr, gate.folder))
    assert outcome.code == 4
    outcome.reports("larger than 32 MiB")
    return int(probe.read_text().split()[1]) * 1024, outcome.text


def test_an_answer_of_100_mb_is_cut_short(gate: Gate, serve_now: Serve, tmp_path: Path) -> None:
    service = serve_now(with_fault(f"kind: huge, bytes: {100 * MEBIBYTE}"))
    memory, text = peak_memory(gate, tmp_path, service.url)
    assert memory < 150 * MEBIBYTE
    assert f"answer of {service.url.removeprefix('http://')} is larger than 32 MiB" in text
    assert "Is the endpoint really that of DRS?" in text


@pytest.mark.parametrize("layers", [1, 2])
def test_a_compressed_answer_of_150_mb_is_cut_short(
    gate: Gate, tmp_path: Path, layers: int
) -> None:
    body, encoding = gzip_bomb(150), "gzip"
    if layers == 2:
        body, encoding = gzip.compress(body, mtime=0), "gzip, gzip"
    with serve_body(body, {"Content-Encoding": encoding}) as url:
        memory, _ = peak_memory(gate, tmp_path, url)
    assert memory < 150 * MEBIBYTE


# --- compression --------------------------------------------------------------------------------

GOOD = json.dumps(
    {"results": [{"precheck_id": ID, "process": "100%", "result": True,
                  "precheck_result": [{"item": "network", "result": "PASSED"}]}], "count": 1}
).encode()  # fmt: skip


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", "gzip, gzip", "identity, gzip"])
def test_a_compressed_answer_is_read(gate: Gate, encoding: str) -> None:
    body = GOOD
    for _ in range(encoding.lower().count("gzip")):
        body = gzip.compress(body, mtime=0)
    with serve_body(body, {"Content-Encoding": encoding}) as url:
        assert gate.run(url).code == 0


@pytest.mark.parametrize("missing", [1, 4, 6, 8, 20])
def test_a_compressed_answer_that_was_cut_is_an_error(gate: Gate, missing: int) -> None:
    with serve_body(gzip.compress(GOOD, mtime=0)[:-missing], {"Content-Encoding": "gzip"}) as url:
        outcome = gate.run(url, "--grace", "5s")
    assert outcome.code == 4
    outcome.says("is cut off or damaged", "Retrying in")
    outcome.reports("is cut off or damaged")
    assert outcome.report["service"]["retries"] > 0


DAMAGED = {
    "another sum": gzip.compress(GOOD, mtime=0)[:-8] + b"\0" * 8,
    "more behind": gzip.compress(GOOD, mtime=0) + b"more",
    "no compression": GOOD,
    "a whole one in a cut one": gzip.compress(gzip.compress(GOOD, mtime=0), mtime=0)[:-6],
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_compressed_answer_that_is_damaged_is_an_error(gate: Gate, name: str) -> None:
    encoding = "gzip, gzip" if "cut" in name else "gzip"
    with serve_body(DAMAGED[name], {"Content-Encoding": encoding}) as url:
        outcome = gate.run(url, "--grace", "0s")
    assert outcome.code == 4
    outcome.says("is cut off or damaged", "next: ")


def test_a_compression_that_nobody_asked_for_is_an_error(gate: Gate) -> None:
    with serve_body(zlib.compress(GOOD), {"Content-Encoding": "deflate"}) as url:
        outcome = gate.run(url, "--grace", "0s")
    assert outcome.code == 4
    outcome.says("not valid JSON", "next: ")


def test_compression_upon_compression_has_a_bound(gate: Gate) -> None:
    with serve_body(GOOD, {"Content-Encoding": ", ".join(["gzip"] * 9)}) as url:
        outcome = gate.run(url, "--grace", "0s")
    assert outcome.code == 4
    outcome.says("is cut off or damaged: it was compressed 9 times")
