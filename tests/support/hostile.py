"""A bare socket server that sends exactly the bytes it is given, and sees how it is left."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = [
    "CLOSE",
    "HANG",
    "KEEP",
    "RESET",
    "HostileServer",
    "Reply",
    "chunked",
    "endless",
    "exchange_threads",
    "http",
    "plain",
]

CLOSE, KEEP, RESET, HANG = "close", "keep", "reset", "hang"

# What is sent for one request, and what is done then. Bytes stand for those bytes and a close.
Reply = bytes | tuple["bytes | Callable[[], Iterable[bytes]]", str]


def http(
    body: bytes = b"", *lines: str, status: str = "200 OK", version: str = "HTTP/1.1"
) -> bytes:
    """Return an answer with exactly these header lines."""
    head = "\r\n".join((f"{version} {status}", *lines, "", ""))
    return head.encode("latin-1") + body


def plain(body: bytes, *lines: str, status: str = "200 OK", version: str = "HTTP/1.1") -> bytes:
    """Return an answer with a ``Content-Length``, and these header lines besides."""
    length = f"Content-Length: {len(body)}"
    return http(body, length, *lines, status=status, version=version)


def chunked(body: bytes, *lines: str, size: int = 50) -> bytes:
    """Return an answer in chunks."""
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return http(framed + b"0\r\n\r\n", "Transfer-Encoding: chunked", *lines)


def endless(
    piece: bytes, *, first: bytes = b"", pause: float = 0.0
) -> Callable[[], Iterator[bytes]]:
    """Return what makes bytes that never end, now and then or as fast as they are taken."""

    def make() -> Iterator[bytes]:
        yield first
        while True:
            time.sleep(pause)
            yield piece

    return make


class HostileServer:
    """Answers requests by a script; a context manager.

    Args:
        certificate: a PEM file of a certificate and its key; without it there is no TLS.

    Attributes:
        requests: the requests since the script began, whole.
    """

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        self._replies: Sequence[Reply] = ()
        self._lock = threading.Lock()
        self._served: list[threading.Thread] = []
        self.requests: list[bytes] = []
        self._before = 0
        scheme = "http" if certificate is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone does not wake up a thread that waits in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def play(self, *replies: Reply) -> None:
        """Answer the next requests by these, the last one for ever."""
        self._replies = replies
        self.requests = []
        self._before = len(self._served)

    @property
    def connections(self) -> int:
        """How many connections there were since the script began."""
        return len(self._served) - self._before

    def left_alone(self, within: float = 5.0, *, ever: bool = False) -> bool:
        """Return whether the connections of the script, or all ever, were closed, after a while."""
        end = time.monotonic() + within
        served = self._served[0 if ever else self._before :]
        for thread in served:
            thread.join(max(0.0, end - time.monotonic()))
        return not any(thread.is_alive() for thread in served)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
                self._served.append(thread)
                thread.start()

    def _serve(self, sock: socket.socket) -> None:
        # A client that went away is what the tests look for.
        with contextlib.suppress(OSError), sock:
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
            with sock, sock.makefile("rb") as stream:
                while self._reply(sock, stream):
                    pass

    def _reply(self, sock: socket.socket, stream: IO[bytes]) -> bool:
        """Answer one request; return whether the connection is kept."""
        request = _read_request(stream)
        if not request:
            return False
        with self._lock:
            reply = self._replies[min(len(self.requests), len(self._replies) - 1)]
            self.requests.append(request)
        content, then = reply if isinstance(reply, tuple) else (reply, CLOSE)
        for piece in [content] if isinstance(content, bytes) else content():
            sock.sendall(piece)
        if then == RESET:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif then == HANG:
            sock.recv(1)
        return then == KEEP


def _read_request(stream: IO[bytes]) -> bytes:
    lines: list[bytes] = []
    length = 0
    for line in stream:
        lines.append(line)
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
        if line == b"\r\n":
            return b"".join(lines) + stream.read(length)
    return b""


def exchange_threads(within: float = 5.0) -> list[str]:
    """Return the threads of exchanges that have not ended after a while."""
    end = time.monotonic() + within
    threads = [one for one in threading.enumerate() if one.name == "precheck-gate-exchange"]
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return [thread.name for thread in threads if thread.is_alive()]
