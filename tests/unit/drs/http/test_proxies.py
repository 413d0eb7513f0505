"""The proxies of the environment: used as requests uses them, and refused where they cannot be."""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from precheck_gate.drs.auth.requests_auth import NoAuth
from precheck_gate.drs.http import endpoints
from precheck_gate.drs.http.endpoints import check_proxy, proxy_trouble
from precheck_gate.drs.http.messages import HttpRequest
from precheck_gate.drs.http.transport import HttpTransport
from precheck_gate.errors import ServiceError, TransientFault
from tests.support.outcome import MARK
from tests.support.servers import (
    CLOSE,
    HostileServer,
    endless,
    exchange_threads,
    make_certificate,
    plain,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.gate import Gate

HOST = "https://nonexistent.invalid"
NO_SOCKS = importlib.util.find_spec("socks") is None
without_socks = pytest.mark.skipif(not NO_SOCKS, reason="support for SOCKS is installed")


@without_socks
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "SOCKS5", "socks4a"])
def test_a_socks_proxy_without_support_is_refused_before_anything_is_asked(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, variable: str, scheme: str
) -> None:
    monkeypatch.setenv(variable, f"{scheme}://user:{MARK}@127.0.0.1:1080")
    outcome = gate.run(HOST)
    assert outcome.code == 2
    outcome.says(f"{variable} names a SOCKS proxy", "pip install 'requests[socks]'", "HTTP proxy")
    outcome.reports(f"{variable} names a SOCKS proxy")
    assert "token's characters" not in outcome.text
    assert outcome.report["service"] is None, "nothing was asked"


@without_socks
def test_the_proxy_for_iam_is_checked_too(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    monkeypatch.setenv("NO_PROXY", "drs.invalid")
    monkeypatch.delenv("PRECHECK_GATE_TOKEN")
    for name, value in {"USERNAME": "u", "PASSWORD": "p", "DOMAIN_NAME": "d"}.items():
        monkeypatch.setenv(f"OS_{name}", value)
    outcome = gate.run("https://drs.invalid", "--iam-endpoint", "https://iam.invalid")
    assert outcome.code == 2
    outcome.says("ALL_PROXY names a SOCKS proxy")


@without_socks
def test_a_host_that_no_proxy_is_for_is_not_concerned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    assert proxy_trouble(HOST) is not None
    monkeypatch.setenv("NO_PROXY", "nonexistent.invalid")
    assert proxy_trouble(HOST) is None
    check_proxy("http://127.0.0.1:80")


@without_socks
def test_a_proxy_of_its_own_kind_goes_before_the_one_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:3128")
    assert proxy_trouble(HOST) is None


@without_socks
def test_a_host_that_no_setting_names_is_told_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as the one that issues a CI's ID token: it is known only when it is asked."""
    monkeypatch.setenv("ALL_PROXY", f"socks5://user:{MARK}@127.0.0.1:1080")
    with pytest.raises(ServiceError) as told:
        HttpTransport().send(HttpRequest("GET", HOST), NoAuth(), 5)
    assert told.value.exit_code == 4
    assert "ALL_PROXY names a SOCKS proxy" in told.value.message
    assert "requests[socks]" in told.value.hint
    assert MARK not in told.value.message + told.value.hint


def test_a_socks_proxy_with_support_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    monkeypatch.setattr(endpoints, "find_spec", lambda _: object())
    assert proxy_trouble(HOST) is None
    monkeypatch.setenv("ALL_PROXY", "socks6://127.0.0.1:1080")
    assert proxy_trouble(HOST) is not None


@pytest.mark.parametrize("proxy", ["127.0.0.1:3128", "http://u:p@proxy.invalid", "HTTPS://x:1"])
def test_the_usual_forms_of_a_proxy_are_taken(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    check_proxy(HOST)


def test_doctor_says_it_with_the_settings(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"ftp://user:{MARK}@127.0.0.1")
    argv = ("doctor", "--endpoint", HOST, "--project-id", "p")
    outcome = gate.main(*argv, with_reports=False)
    assert outcome.code == 2
    outcome.says("fail  settings", "HTTPS_PROXY is not the URL of a proxy", "unset HTTPS_PROXY")


# --- through a proxy -----------------------------------------------------------------------------


@contextlib.contextmanager
def tunnel(to: str, answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> Iterator[str]:
    """Run a proxy that answers CONNECT and passes on all the rest."""
    port = int(to.rpartition(":")[2])

    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                while not client.recv(65536).endswith(b"\r\n\r\n"):
                    pass
                client.sendall(answer)
                server = socket.create_connection(("127.0.0.1", port))
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=pump, args=ends, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_an_exchange_through_a_proxy_works_and_can_be_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_certificate(tmp_path)
    with HostileServer((made.certificate, made.key)) as server, tunnel(server.url) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        transport = HttpTransport(ca_bundle=str(made.certificate))
        server.play(
            plain(b"{}"), (endless(b"X", first=b"HTTP/1.1 200 OK\r\nX: ", pause=0.02), CLOSE)
        )
        reply = transport.send(HttpRequest("GET", server.url), NoAuth(), 10)
        assert (reply.status, reply.body) == (200, b"{}")
        with pytest.raises(TransientFault, match="gave no complete answer"):
            transport.send(HttpRequest("GET", server.url), NoAuth(), 0.5)
        assert exchange_threads(within=2) == []
        assert server.left_alone(within=2)


def test_the_head_of_a_proxy_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000 + b"\r\n"
    with HostileServer() as server, tunnel(server.url, answer) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        with pytest.raises(TransientFault, match="its headers are too large"):
            HttpTransport().send(HttpRequest("GET", HOST), NoAuth(), 10)
    assert exchange_threads() == []
