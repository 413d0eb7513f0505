"""Servers that misbehave below what the simulator can play: TLS, compression, bare sockets.

`HostileServer` sends exactly the bytes it is given, and sees how it is left.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
import zlib
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate and its key, as PEM files."""

    certificate: Path
    key: Path


def make_certificate(folder: Path, *, name: str = "IP:127.0.0.1") -> Certificate:
    """Make a certificate for ``name``; skip the test where there is no openssl."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("a certificate can only be made with the program openssl")
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName={name}"),
            *("-keyout", str(made.key), "-out", str(made.certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return made


@contextlib.contextmanager
def serve_body(
    body: bytes | Callable[[Mapping[str, str]], bytes],
    headers: dict[str, str] | None = None,
    *,
    status: int = 200,
    certificate: Certificate | None = None,
) -> Iterator[str]:
    """Answer every POST with ``body``, or what it makes of the headers; yield the endpoint."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            content = body if isinstance(body, bytes) else body(dict(self.headers))
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.certificate, certificate.key)
        # The handshake belongs to the thread of the connection: a client that breaks it off must
        # not keep the next one waiting.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        scheme = "https"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def refusing_port() -> Iterator[int]:
    """Yield a port of this machine that is taken and refuses every connection."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@functools.cache
def gzip_bomb(mebibytes: int) -> bytes:
    """Return blanks of that size, compressed, without ever holding them."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    piece = b" " * (1024 * 1024)
    return b"".join([*(packer.compress(piece) for _ in range(mebibytes)), packer.flush()])


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
