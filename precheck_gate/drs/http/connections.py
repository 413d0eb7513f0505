"""What requests sends through: connections that can be ended, and replies that are exact.

A socket's timeouts bound each wait for bytes, never their sum: a server that sends a byte now and
then holds a thread for as long as it likes, unless its socket is shut down from outside.
`http.client` bounds each line of a head, but not their sum, nor the number of interim replies, and
guesses where headers contradict each other about the end of the body. And requests takes a
compressed body that was cut near its end, checksum and length missing, for whole.
"""

from __future__ import annotations

import functools
import http
import http.client
import io
import re
import socket
import threading
import zlib
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self, cast

from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from email.message import Message

    from urllib3 import HTTPConnectionPool, PoolManager, ProxyManager

ACCEPTED = "gzip"
"""The one compression that requests ask for."""

# For all that comes before the body: headers, and interim replies with theirs.
MAX_HEAD_BYTES = 256 * 1024
# For the lines between the chunks of a body, and behind it.
MAX_FRAMING_BYTES = 32 * 1024 * 1024
MAX_LAYERS = 5

_MAX_LINE_BYTES = 64 * 1024
_PIECE = 64 * 1024
_STATUS_LINE = re.compile(rb"(HTTP/1\.[01]) ([1-9][0-9]{2})(?: ([^\r\n]*))?\r?\n")
_LENGTH = re.compile(r"[0-9]{1,15}")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_LINE_ENDS = (b"\r\n", b"\n")
_WITH_HEADER = 16 + zlib.MAX_WBITS  # has zlib read gzip


# Connections that another thread can end


class Lifeline:
    """Lets another thread end an exchange: it shuts down each socket that the exchange uses.

    A context manager around the exchange, in the thread that does it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._cut = False
        self.ended = False

    def __enter__(self) -> Self:
        _LIFELINE.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _LIFELINE.set(None)
        with self._lock:
            self.ended = True
            for sock in self._sockets:
                sock.close()
            self._sockets.clear()

    def hold(self, sock: socket.socket) -> None:
        """Take a socket of the exchange; raise `ConnectionAbortedError` if it was ended already."""
        with self._lock:
            if self._cut:
                raise ConnectionAbortedError("The exchange was ended.")
            # A copy: TLS takes the original over, and must not be disturbed from another thread.
            self._sockets.append(socket.fromfd(sock.fileno(), socket.AF_INET, socket.SOCK_STREAM))

    def cut(self) -> None:
        """End the exchange, if it has not ended."""
        with self._lock:
            self._cut = True
            for sock in self._sockets:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


_LIFELINE: ContextVar[Lifeline | None] = ContextVar("lifeline", default=None)


def _hold(sock: socket.socket) -> None:
    lifeline = _LIFELINE.get()
    if lifeline is not None:
        lifeline.hold(sock)


class Adapter(HTTPAdapter):
    """Makes connections that a `Lifeline` holds and whose replies are exact."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: D102
        super().init_poolmanager(*args, **kwargs)
        _hold_all(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> ProxyManager:  # noqa: D102
        manager: ProxyManager = super().proxy_manager_for(*args, **kwargs)
        _hold_all(manager)
        return manager


def _hold_all(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {
        scheme: _held(pool) for scheme, pool in manager.pool_classes_by_scheme.items()
    }


@functools.cache
def _held(pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
    """Return a kind of pool whose connections are held; one for SOCKS has a kind of its own."""
    if issubclass(pool.ConnectionCls, _HeldConnection):
        return pool
    connection = type("HeldConnection", (_HeldConnection, pool.ConnectionCls), {})
    return type("HeldPool", (pool,), {"ConnectionCls": connection})


# Replies whose head is bounded, and whose body has an exact end


class UnreadableAnswer(Exception):
    """A reply is not HTTP/1 by RFC 9112, or exceeds a bound; the text names the fault."""


class _Stream(io.BufferedReader):
    """The bytes of one reply, with an allowance of bytes in lines."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(cast("io.RawIOBase", sock.makefile("rb", buffering=0)))
        self._sock = sock
        self._begun = False
        self.allowance = MAX_HEAD_BYTES

    def makefile(self, mode: str) -> _Stream:  # noqa: ARG002
        """Return itself: `http.client.HTTPResponse` takes it for a socket."""
        return self

    def readline(self, size: int | None = -1) -> bytes:  # noqa: ARG002
        """Return a whole line; b"" if the reply ended before its first one."""
        line = super().readline(_MAX_LINE_BYTES + 1)
        self.allowance -= len(line)
        if len(line) > _MAX_LINE_BYTES or self.allowance < 0:
            raise UnreadableAnswer("its headers are too large")
        if (line or self._begun) and not line.endswith(b"\n"):
            raise http.client.IncompleteRead(line)
        self._begun = True
        if b"\r" in line[:-2] or b"\0" in line:
            raise UnreadableAnswer("a control character is in its headers")
        return line

    def close(self) -> None:
        """Close it; a connection that has more bytes than the reply is not used again."""
        if not self.closed:
            with suppress(OSError, ValueError):
                patience = self._sock.gettimeout()
                self._sock.settimeout(0)
                try:
                    if self.peek(1):
                        self._sock.shutdown(socket.SHUT_RDWR)
                finally:
                    self._sock.settimeout(patience)
        super().close()


class _ExactResponse(http.client.HTTPResponse):
    """A reply whose head is bounded and says without contradiction where the body ends."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        self._stream = _Stream(sock)
        self._rest_of_chunk = 0
        super().__init__(cast("socket.socket", self._stream), *args, **kwargs)

    def _read_status(self) -> tuple[str, int, str]:
        """Return version, status and reason of the reply itself, after interim ones."""
        while True:
            line = self._stream.readline()
            if not line:
                raise http.client.RemoteDisconnected("The connection was closed without an answer")
            found = _STATUS_LINE.fullmatch(line)
            if found is None:
                raise UnreadableAnswer("it does not begin with a status line of HTTP/1")
            status = int(found[2])
            if not 100 <= status < 200 or status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                return found[1].decode(), status, (found[3] or b"").decode("latin-1")
            self._skip_lines()

    def _skip_lines(self) -> None:
        while self._stream.readline() not in _LINE_ENDS:
            pass

    def begin(self) -> None:
        """Read the head, which has to be valid and to say where the body ends."""
        try:
            super().begin()
        except (http.client.RemoteDisconnected, http.client.IncompleteRead):
            raise
        except http.client.HTTPException:
            raise UnreadableAnswer("it has too many headers") from None
        _check_head(self.headers, may_be_chunked=self.version == 11)
        if self.length == 0:
            # Such a status has no body, whatever the headers say.
            self.chunked = False
        self._stream.allowance += MAX_FRAMING_BYTES

    def read(self, amt: int | None = None) -> bytes:
        """Return the next bytes of the body, b"" at its end; chunks are put together."""
        if not self.chunked or self.isclosed():
            return super().read(amt)
        if not self._rest_of_chunk and not self._begin_chunk():
            self.close()
            return b""
        wanted = min(amt or _PIECE, self._rest_of_chunk)
        piece = self._stream.read(wanted)
        if len(piece) < wanted:
            raise http.client.IncompleteRead(piece)
        self._rest_of_chunk -= wanted
        if not self._rest_of_chunk and self._stream.readline() not in _LINE_ENDS:
            raise UnreadableAnswer("a chunk of its body is longer than it says")
        return piece

    def _begin_chunk(self) -> int:
        """Return the size of the next chunk; 0 where the body is over."""
        found = _CHUNK_LINE.fullmatch(self._stream.readline())
        if found is None:
            raise UnreadableAnswer("a chunk of its body has no size")
        self._rest_of_chunk = int(found[1], 16)
        if not self._rest_of_chunk:
            self._skip_lines()
        return self._rest_of_chunk


def _check_head(headers: Message, *, may_be_chunked: bool) -> None:
    """Raise where the headers contradict each other about the end of the body."""
    if headers.defects or headers.get_payload():
        raise UnreadableAnswer("a line of its headers is not valid")
    lengths = {length.strip() for length in headers.get_all("Content-Length", [])}
    codings = headers.get_all("Transfer-Encoding", [])
    if len(lengths) > 1 or not all(_LENGTH.fullmatch(length) for length in lengths):
        raise UnreadableAnswer("its Content-Length is not one number")
    if codings and (lengths or not may_be_chunked):
        raise UnreadableAnswer("its Transfer-Encoding contradicts the rest of it")
    if codings and [coding.strip().lower() for coding in codings] != ["chunked"]:
        raise UnreadableAnswer("its Transfer-Encoding is not chunked")


class _HeldConnection:
    """Mixed into urllib3's connections."""

    response_class = _ExactResponse
    sock: socket.socket | None

    def _new_conn(self) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]
        try:
            _hold(sock)
        except OSError:
            sock.close()
            raise
        return sock

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:
            # Opened by an earlier exchange.
            _hold(self.sock)
        super().request(*args, **kwargs)  # type: ignore[misc]


# Compressed bodies that are whole


class Damaged(ValueError):
    """A compressed body is cut off or not valid."""


def unpacked(chunks: Iterable[bytes], encoding: str) -> Iterable[bytes]:
    """Return a body without its compression, in small pieces, however large it is.

    A ``Content-Encoding`` other than gzip is left as it is. Raises `Damaged` here or while the body
    is read.
    """
    layers = [name.strip().lower() for name in encoding.split(",")]
    if len(layers) > MAX_LAYERS:
        raise Damaged(f"it was compressed {len(layers)} times")
    for name in reversed(layers):
        if name in ("gzip", "x-gzip"):
            chunks = _gunzip(chunks)
    return chunks


def _gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    member = None
    for chunk in chunks:
        rest = chunk
        while rest:
            member = member or zlib.decompressobj(_WITH_HEADER)
            yield _piece(member, rest)
            # A second member may follow (RFC 1952), and nothing else.
            rest = member.unused_data if member.eof else member.unconsumed_tail
            member = None if member.eof else member
    while member is not None and not member.eof:
        piece = _piece(member, b"")
        if not piece and not member.eof:
            raise Damaged("it ends early")
        yield piece


def _piece(member: zlib._Decompress, packed: bytes) -> bytes:
    try:
        return member.decompress(packed, _PIECE)
    except zlib.error as error:
        raise Damaged(str(error)) from None
