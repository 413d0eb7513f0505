"""Exchanges that do not end by themselves are ended, and none of them holds on to anything."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.drs.auth.requests_auth import NoAuth
from precheck_gate.drs.http.messages import HttpRequest
from precheck_gate.drs.http.transport import MAX_LEFT_BEHIND, HttpTransport
from precheck_gate.errors import NotAnAnswer, TransientFault
from tests.support.servers import (
    CLOSE,
    HANG,
    KEEP,
    HostileServer,
    Reply,
    endless,
    exchange_threads,
    http,
    make_certificate,
    plain,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OK = "HTTP/1.1 200 OK\r\n"
PAUSE = 0.02

# What a server may do to an exchange so that no wait for bytes is ever long.
DRIPS: dict[str, Reply] = {
    "nothing": (b"", HANG),
    "half a status line": (b"HTTP/1.", HANG),
    "headers": (endless(b"X", first=f"{OK}X: ".encode(), pause=PAUSE), CLOSE),
    "lines of headers": (endless(b"X: y\r\n", first=OK.encode(), pause=PAUSE), CLOSE),
    "body": (endless(b" ", first=http(b"", "Content-Length: 9999"), pause=PAUSE), CLOSE),
    "body without an end": (endless(b" ", first=http(), pause=PAUSE), CLOSE),
    "chunks": (
        endless(b"1\r\n \r\n", first=http(b"", "Transfer-Encoding: chunked"), pause=PAUSE),
        CLOSE,
    ),
    "a line of a chunk": (
        endless(b"0", first=http(b"", "Transfer-Encoding: chunked"), pause=PAUSE),
        CLOSE,
    ),
    "trailers": (
        endless(b"X: y\r\n", first=http(b"0\r\n", "Transfer-Encoding: chunked"), pause=PAUSE),
        CLOSE,
    ),
    "interim answers": (endless(http(status="100 Continue"), pause=PAUSE), CLOSE),
    "early hints": (endless(http(status="103 Early Hints"), pause=PAUSE), CLOSE),
}


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with HostileServer() as running:
        yield running


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> HttpTransport:
    for name in ("HTTPS_PROXY", "ALL_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return HttpTransport()


def ask(transport: HttpTransport, url: str, seconds: float = 5.0) -> Any:
    return transport.send(HttpRequest("POST", url, {}, b"{}"), NoAuth(), seconds)


@pytest.mark.parametrize("name", DRIPS)
def test_an_exchange_whose_time_is_over_leaves_no_thread_and_no_socket(
    server: HostileServer, transport: HttpTransport, name: str
) -> None:
    server.play(DRIPS[name])
    with pytest.raises(TransientFault, match="gave no complete answer within"):
        ask(transport, server.url, 0.15)
    assert exchange_threads(within=2) == []
    assert server.left_alone(within=2)


def test_the_end_of_an_exchange_reaches_through_tls(
    tmp_path: Path, transport: HttpTransport
) -> None:
    made = make_certificate(tmp_path)
    transport = HttpTransport(ca_bundle=str(made.certificate))
    with HostileServer((made.certificate, made.key)) as server:
        server.play(DRIPS["headers"])
        with pytest.raises(TransientFault, match="gave no complete answer within"):
            ask(transport, server.url, 0.5)
        assert exchange_threads(within=2) == []
        assert server.left_alone(within=2)


def test_the_end_of_an_exchange_reaches_a_handshake(transport: HttpTransport) -> None:
    """The first bytes of TLS are no request: nothing is ever said in return."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(TransientFault, match="gave no complete answer within"):
            ask(transport, url, 0.15)
        # A second and a bit of the socket's own patience is not waited for.
        assert exchange_threads(within=0.6) == []


def test_the_end_of_an_exchange_reaches_a_connection_that_is_used_again(
    server: HostileServer, transport: HttpTransport
) -> None:
    server.play((plain(b"{}"), KEEP), DRIPS["headers"])
    ask(transport, server.url)
    with pytest.raises(TransientFault, match="gave no complete answer within"):
        ask(transport, server.url, 0.15)
    assert server.connections == 1
    assert exchange_threads(within=2) == []


def test_after_an_exchange_that_was_ended_the_next_one_has_its_own_answer(
    server: HostileServer, transport: HttpTransport
) -> None:
    server.play(DRIPS["body"], (plain(b"{}"), KEEP))
    with pytest.raises(TransientFault):
        ask(transport, server.url, 0.15)
    for _ in range(3):
        assert ask(transport, server.url).body == b"{}"
    assert server.connections == 2, "the new connection is kept"


def test_exchanges_that_cannot_be_ended_are_bounded_in_number(
    server: HostileServer, transport: HttpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look-up of a name has no socket that could be shut down."""
    answered = threading.Event()
    look_up = socket.getaddrinfo

    def hang(*args: Any, **kwargs: Any) -> Any:
        answered.wait(20)
        return look_up(*args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    server.play((plain(b"{}"), KEEP))
    try:
        for _ in range(MAX_LEFT_BEHIND):
            with pytest.raises(TransientFault, match="gave no complete answer"):
                ask(transport, server.url, 0.01)
        with pytest.raises(TransientFault, match=f"{MAX_LEFT_BEHIND} requests whose time") as told:
            ask(transport, server.url)
        assert "DNS" in told.value.hint
    finally:
        answered.set()
    assert exchange_threads() == []
    assert server.requests == [], "an exchange that was ended sends nothing any more"
    assert ask(transport, server.url).body == b"{}"


def test_a_lack_of_file_descriptors_is_named(
    server: HostileServer, transport: HttpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lack(*_: Any) -> Any:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(socket, "fromfd", lack)
    with pytest.raises(TransientFault, match="no file descriptors left"):
        ask(transport, server.url)
    assert exchange_threads() == []


# --- what is bounded in size, however fast it comes ----------------------------------------------

FLOODS: dict[str, tuple[Reply, str]] = {
    "one header": ((endless(b"X" * 50_000, first=f"{OK}X: ".encode()), CLOSE), "too large"),
    "headers": ((endless(b"X: " + b"y" * 9000 + b"\r\n", first=OK.encode()), CLOSE), "too large"),
    "short headers": ((endless(b"X: y\r\n" * 1000, first=OK.encode()), CLOSE), "too many headers"),
    "interim answers": ((endless(http(status="100 Continue") * 100), CLOSE), "too large"),
    "early hints": ((endless(http(b"", "A: b", status="103 x") * 100), CLOSE), "too large"),
    "one trailer": (
        (endless(b"X" * 50_000, first=http(b"0\r\n", "Transfer-Encoding: chunked")), CLOSE),
        "too large",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FLOODS)
def test_what_comes_before_and_after_a_body_is_bounded(
    server: HostileServer, transport: HttpTransport, name: str
) -> None:
    reply, words = FLOODS[name]
    server.play(reply)
    began = time.monotonic()
    with pytest.raises(NotAnAnswer, match=words):
        ask(transport, server.url, 20)
    assert time.monotonic() - began < 10, "it was not ended by the clock"
    assert exchange_threads() == []
    assert server.left_alone()


@pytest.mark.parametrize("status", [200, 302, 503])
def test_the_body_of_any_status_is_bounded(
    server: HostileServer, transport: HttpTransport, status: int
) -> None:
    head = http(b"", "Location: /elsewhere", status=f"{status} x")
    server.play((endless(b" " * 1_000_000, first=head), CLOSE))
    with pytest.raises(NotAnAnswer, match="larger than 32 MiB"):
        ask(transport, server.url, 20)
    assert exchange_threads() == []
    assert server.left_alone()


def test_bytes_behind_an_answer_are_not_the_next_answer(tmp_path: Path) -> None:
    """The first answer fills a buffer to its last byte; TLS holds the rest where nobody looks."""
    made = make_certificate(tmp_path)
    transport = HttpTransport(ca_bundle=str(made.certificate))
    padding = "y" * (8192 - len(plain(b"{}", "X: ")))
    with HostileServer((made.certificate, made.key)) as server:
        server.play((plain(b"{}", f"X: {padding}") + plain(b"[]"), KEEP), (plain(b"{}"), KEEP))
        assert [ask(transport, server.url).body for _ in range(3)] == [b"{}"] * 3
        assert server.connections == 2
