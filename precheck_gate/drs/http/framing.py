"""An HTTP/1 answer with a bounded head, and an exact end of its body.

`http.client` bounds each line, but not their sum, nor the number of interim answers; and it guesses
where headers contradict each other about the end of the body.
"""

from __future__ import annotations

import http
import http.client
import io
import re
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from email.message import Message

__all__ = ["MAX_HEAD_BYTES", "ExactResponse", "UnreadableAnswer"]

MAX_HEAD_BYTES = 256 * 1024
"""For all that comes before the body: headers, and interim answers with theirs."""

MAX_FRAMING_BYTES = 32 * 1024 * 1024
"""For the lines between the chunks of a body, and behind it."""

_MAX_LINE_BYTES = 64 * 1024
_PIECE = 64 * 1024
_STATUS_LINE = re.compile(rb"(HTTP/1\.[01]) ([1-9][0-9]{2})(?: ([^\r\n]*))?\r?\n")
_LENGTH = re.compile(r"[0-9]{1,15}")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_LINE_ENDS = (b"\r\n", b"\n")


class UnreadableAnswer(Exception):
    """An answer is not HTTP/1 as RFC 9112 has it, or beyond a bound; the text says in what."""


class _Stream(io.BufferedReader):
    """The bytes of one answer, and how many of them may still go into lines."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(cast("io.RawIOBase", sock.makefile("rb", buffering=0)))
        self._sock = sock
        self._begun = False
        self.allowance = MAX_HEAD_BYTES

    def readline(self, size: int | None = -1) -> bytes:  # noqa: ARG002
        """Return a whole line; b"" if the answer ended before its first one.

        Raises:
            UnreadableAnswer: the lines are too long, or hold what no line may.
            IncompleteRead: the answer ends early.
        """
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
        """Close it; a connection on which more came than the answer is not used again."""
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


class _Source:
    """What `http.client.HTTPResponse` takes for a socket."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def makefile(self, mode: str) -> _Stream:  # noqa: ARG002
        return self._stream


class ExactResponse(http.client.HTTPResponse):
    """An answer whose head is bounded and says without contradiction where the body ends."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        self._stream = _Stream(sock)
        self._rest_of_chunk = 0
        super().__init__(cast("socket.socket", _Source(self._stream)), *args, **kwargs)

    def _read_status(self) -> tuple[str, int, str]:
        """Return version, status and reason of the answer itself; interim ones go before it."""
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
        """Read the head.

        Raises:
            UnreadableAnswer: the head is not valid, or does not say where the body ends.
        """
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
        """Return the next bytes of the body, b"" at its end; chunks are put together.

        Raises:
            UnreadableAnswer: the chunks are not as they have to be.
            IncompleteRead: the body ends early.
        """
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
    """Raise where the headers contradict themselves about the end of the body."""
    if headers.defects or headers.get_payload():
        raise UnreadableAnswer("a line of its headers is none")
    lengths = {length.strip() for length in headers.get_all("Content-Length", [])}
    codings = headers.get_all("Transfer-Encoding", [])
    if len(lengths) > 1 or not all(_LENGTH.fullmatch(length) for length in lengths):
        raise UnreadableAnswer("its Content-Length is not one number")
    if codings and (lengths or not may_be_chunked):
        raise UnreadableAnswer("its Transfer-Encoding contradicts the rest of it")
    if codings and [coding.strip().lower() for coding in codings] != ["chunked"]:
        raise UnreadableAnswer("its Transfer-Encoding is not chunked")
