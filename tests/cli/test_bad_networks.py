"""Hosts that are not there, connections that break, TLS that does not verify, redirects."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.support.outcome import ID
from tests.support.servers import make_certificate, refusing_port, serve_body

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.gate import Gate, Serve

GOOD = (
    b'{"results":[{"precheck_id":"%s","process":"100%%","result":true,'
    b'"precheck_result":[{"item":"network","result":"PASSED"}]}],"count":1}' % ID.encode()
)


def with_fault(fault: str) -> str:
    return f"version: 1\ntasks: [{{id: {ID}, answer: mysql}}]\nfaults: [{{{fault}}}]\n"


def test_a_host_that_does_not_resolve(gate: Gate) -> None:
    outcome = gate.run("https://nonexistent.invalid", "--grace", "0s")
    assert outcome.code == 4
    outcome.says("host nonexistent.invalid does not resolve", "Check --endpoint or --region")
    outcome.reports("nonexistent.invalid does not resolve")


def test_a_refused_connection_is_tried_until_the_grace_is_over(gate: Gate) -> None:
    with refusing_port() as port:
        outcome = gate.run(f"http://127.0.0.1:{port}", "--grace", "20s")
    assert outcome.code == 4
    outcome.says(f"127.0.0.1:{port} refused the connection", "Check the host and port", "Retrying")
    outcome.reports("refused the connection")
    service = outcome.report["service"]
    assert service["retries"] >= 2
    assert 20 <= service["seconds"] < 60


@pytest.mark.parametrize("kind", ["kind: reset", "kind: reset, bytes: 100", "kind: close"])
def test_a_connection_that_is_cut_off_is_tried_again(gate: Gate, serve: Serve, kind: str) -> None:
    service = serve(with_fault(f"when: {{request: 1-2}}, {kind}"))
    outcome = gate.run(service.url)
    assert outcome.code == 0
    assert outcome.report["service"]["retries"] == 2
    outcome.says("closed the connection", "Retrying in")


def test_connections_that_are_always_cut_off_end_in_an_error(gate: Gate, serve: Serve) -> None:
    service = serve(with_fault("kind: reset"))
    outcome = gate.run(service.url)
    assert outcome.code == 4
    outcome.says(service.url.removeprefix("http://"), "closed the connection", "A proxy or fire")
    outcome.reports("closed the connection")


def test_a_proxy_that_refuses(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing_port() as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        outcome = gate.run("https://nonexistent.invalid", "--grace", "0s")
    assert outcome.code == 4
    outcome.says("proxy on the way to nonexistent.invalid failed", "refused", "HTTPS_PROXY")


def test_what_is_asked_again_begins_a_sentence(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing_port() as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        outcome = gate.run("https://nonexistent.invalid", "--grace", "20s")
    assert outcome.text.count("Retrying") == outcome.text.count("refused. Retrying") > 0


@pytest.mark.parametrize(
    "proxy", ["http://u:s3cr3t-MARK@", "socks5://u:s3cr3t-MARK@127.0.0.1:9", "://u:s3cr3t-MARK@",
              "http://u:s3cr3t-MARK@127.0.0.1:99999", "ftp://u:s3cr3t-MARK@127.0.0.1"]
)  # fmt: skip
def test_a_proxy_that_is_none(gate: Gate, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    outcome = gate.run("https://nonexistent.invalid", "--grace", "0s")
    assert outcome.code == 2
    outcome.says("HTTPS_PROXY", "next: ")
    outcome.reports("HTTPS_PROXY")


# --- TLS ----------------------------------------------------------------------------------------


def test_tls_that_does_not_verify_is_final(gate: Gate, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with serve_body(GOOD, certificate=certificate) as url:
        outcome = gate.run(url)
    assert outcome.code == 4
    outcome.says(
        f"The TLS certificate of {url.removeprefix('https://')} does not verify",
        "self-signed certificate",
        "--ca-bundle",
        "cannot be turned off",
    )
    outcome.reports("does not verify")
    assert outcome.report["service"]["requests"] == 1


def test_a_certificate_for_another_host_is_refused(gate: Gate, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, name="DNS:elsewhere.invalid")
    with serve_body(GOOD, certificate=certificate) as url:
        outcome = gate.run(url, "--ca-bundle", str(certificate.certificate))
    assert outcome.code == 4
    outcome.says("does not verify", "127.0.0.1")


def test_a_ca_bundle_makes_it_verify(gate: Gate, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with serve_body(GOOD, certificate=certificate) as url:
        assert gate.run(url, "--ca-bundle", str(certificate.certificate)).code == 0


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_ca_bundle_in_the_environment_makes_it_verify(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv(variable, str(certificate.certificate))
    with serve_body(GOOD, certificate=certificate) as url:
        assert gate.run(url).code == 0


def test_a_ca_bundle_in_the_environment_that_is_not_there(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with refusing_port() as port:
        outcome = gate.run(f"https://127.0.0.1:{port}")
    assert outcome.code == 4
    outcome.says(f"127.0.0.1:{port} could not be sent", "none.pem", "Check REQUESTS_CA_BUNDLE")
    outcome.reports("none.pem")


def test_plain_http_where_tls_is_expected(gate: Gate, serve: Serve) -> None:
    service = serve("mysql")
    outcome = gate.run(service.url.replace("http:", "https:"), "--grace", "0s")
    assert outcome.code == 4
    outcome.says(service.url.removeprefix("http://"))


# --- redirects ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(gate: Gate, serve: Serve, status: int) -> None:
    target = serve("mysql")
    location = f"{target.url}/v3/x/jobs/batch-precheck-result?key=s3cr3t-MARK"
    service = serve(with_fault(f'kind: redirect, status: {status}, location: "{location}"'))
    outcome = gate.run(service.url)
    assert outcome.code == 4
    outcome.says("redirects to 127.0.0.1", f"HTTP {status}", "--endpoint")
    outcome.reports("redirects to 127.0.0.1")
    assert target.requests == ()
    assert len(service.requests) == 1


# --- the hard limit of time ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        "kind: hang",
        "kind: slow, bytes_per_second: 200",
        "kind: slow, bytes_per_second: 40, where: headers",
        "kind: delay, delay: 1h",
    ],
    ids=["hang", "slow body", "slow headers", "delay"],
)
def test_the_timeout_is_never_exceeded(gate: Gate, serve_now: Serve, fault: str) -> None:
    service = serve_now(with_fault(fault))
    begin = time.monotonic()
    outcome = gate.run_now(service.url, "--timeout", "1s")
    # Far from what the fault would take, and from the time of a request.
    assert 1 <= time.monotonic() - begin < 10
    assert outcome.code in (3, 4)
    outcome.says("gave no complete answer", "next: ")
    outcome.reports("gave no complete answer")


def test_the_timeout_holds_while_faults_are_waited_out(gate: Gate, serve_now: Serve) -> None:
    service = serve_now(with_fault("status: 503, retry_after: 3600"))
    begin = time.monotonic()
    outcome = gate.run_now(service.url, "--timeout", "1s")
    assert 1 <= time.monotonic() - begin < 10
    assert outcome.code == 4
    outcome.says("HTTP 503", "Run the gate again later, or with a longer --timeout")


def test_a_pause_ends_at_the_timeout(gate: Gate, serve: Serve) -> None:
    service = serve(f"version: 1\ntasks: [{{id: {ID}, answer: mysql, duration: 10m}}]\n")
    outcome = gate.run(service.url, "--timeout", "90s", "--interval", "60s")
    assert outcome.code == 3
    outcome.says("INCOMPLETE", "not at 100 %", "a longer --timeout")
    assert outcome.report["service"]["seconds"] == pytest.approx(90, abs=1)
