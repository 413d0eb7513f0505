"""The simulator as an HTTP server on loopback."""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import struct
import sys
import threading
import uuid
from collections import deque
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from precheck_gate.errors import UsageError
from precheck_gate.simulator.faults import Fault, FaultKind, Stage
from precheck_gate.simulator.messages import (
    INVALID_PARAMETER,
    NO_SUCH_API,
    Request,
    Response,
    error_reply,
)
from precheck_gate.simulator.service import Handled, SimulatedService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from precheck_gate.runtime.process import Clock
    from precheck_gate.simulator.messages import Response
    from precheck_gate.simulator.scenario import Scenario

_SECRET_WORDS = (
    "auth", "token", "secret", "cookie", "password", "signature", "credential", "key",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request and how it was answered.

    ``moment`` counts in seconds from the simulator's start; ``path`` is without the query;
    ``jobs`` are the IDs of the tasks in the body; ``credential`` is the kind that came with it
    (``token``, ``signature`` or ``none``); ``status`` is the HTTP status of the answer, which a
    fault may have kept from arriving; ``faults`` are the kinds of faults that hit it.
    """

    moment: float
    method: str
    path: str
    jobs: tuple[str, ...]
    headers: Mapping[str, str]
    credential: str
    status: int
    faults: tuple[str, ...]
    request_id: str


class RequestLog:
    """Keeps the last requests; safe to use from several threads."""

    def __init__(self, limit: int = 20_000) -> None:
        self._records: deque[RequestRecord] = deque(maxlen=limit)
        self._lock = threading.Lock()

    def add(self, record: RequestRecord) -> None:
        """Append a record; at the limit, drop the oldest."""
        with self._lock:
            self._records.append(record)

    def records(self) -> tuple[RequestRecord, ...]:
        """Return the records so far, the oldest first."""
        with self._lock:
            return tuple(self._records)


def harmless_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers, their names in lower case, without any that may carry a credential."""
    lowered = ((name.lower(), value) for name, value in headers)
    return {
        name: value for name, value in lowered if not any(word in name for word in _SECRET_WORDS)
    }


_PIECE = 64 * 1024
_TICK = 0.05


def wait(clock: Clock, seconds: float, closed: threading.Event) -> None:
    """Wait by the clock, in short steps, so that closing the simulator ends the wait."""
    end = clock.monotonic() + seconds
    while not closed.is_set() and (rest := end - clock.monotonic()) > 0:
        clock.sleep(min(rest, _TICK))


def deliver(
    connection: socket.socket,
    head: bytes,
    reply: Response,
    fault: Fault | None,
    closed: threading.Event,
) -> bool:
    """Send an answer; return whether the connection can be used for another request.

    Slow and hanging answers end when ``closed`` is set. Raises OSError if the client is gone.
    """
    if fault is None:
        connection.sendall(head + reply.body)
    elif fault.kind is FaultKind.SLOW:
        slow_head = fault.where == "headers"
        _trickle(connection, head, fault.bytes_per_second if slow_head else 0, closed)
        _trickle(connection, reply.body, 0 if slow_head else fault.bytes_per_second, closed)
    else:
        if fault.kind is FaultKind.RESET:
            connection.sendall((head + reply.body)[: fault.bytes or 0])
            _reset(connection)
        elif fault.kind is FaultKind.TRUNCATE:
            size = len(reply.body)
            kept = size // 2 if fault.bytes is None else min(fault.bytes, max(size - 1, 0))
            connection.sendall(head + reply.body[:kept])
        elif fault.kind is FaultKind.HANG:
            _hang(connection, closed)
        return False
    _pad(connection, reply.padding, closed)
    return not closed.is_set()


def _pad(connection: socket.socket, size: int, closed: threading.Event) -> None:
    piece = b" " * min(size, _PIECE)
    while size > 0 and not closed.is_set():
        connection.sendall(piece[:size])
        size -= len(piece)


def _reset(connection: socket.socket) -> None:
    # A close that does not linger is a reset instead of an orderly end.
    form = "hh" if sys.platform == "win32" else "ii"
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(form, 1, 0))
    connection.close()


def _trickle(
    connection: socket.socket, content: bytes, rate: float, closed: threading.Event
) -> None:
    """Send at ``rate`` bytes per second; 0 is at once."""
    if not rate:
        connection.sendall(content)
        return
    step = max(1, int(rate * _TICK))
    for start in range(0, len(content), step):
        if closed.wait(step / rate):
            return
        connection.sendall(content[start : start + step])


def _hang(connection: socket.socket, closed: threading.Event) -> None:
    while not closed.wait(_TICK):
        readable, _, _ = select.select([connection], [], [], 0)
        # Readable without a byte: the other side has given up.
        if readable and not connection.recv(1, socket.MSG_PEEK):
            return


MAX_BODY = 1024 * 1024
_IDLE_SECONDS = 120.0
# How often the server looks whether it is to end.
_POLL_SECONDS = 0.02
_ANY_HOST = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Simulator:
    """Serves a scenario from its construction until `close`; a context manager.

    The moments of the scenario count from now. Port 0 takes any free one. ``on_request`` is called
    from the thread that serves the request. Raises UsageError if the address cannot be used.
    """

    def __init__(
        self,
        scenario: Scenario,
        clock: Clock,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        on_request: Callable[[RequestRecord], None] | None = None,
    ) -> None:
        self.scenario = scenario
        try:
            self._server = _Server(host, port, SimulatedService(scenario, clock), clock, on_request)
        except (OSError, OverflowError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UsageError(
                f"The simulator cannot listen on {host}, port {port}: {reason}.",
                hint="Choose another port, or 0 for any free one.",
            ) from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="simulator", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    @property
    def host(self) -> str:
        """The address that it is bound to."""
        return str(self._server.server_address[0])

    @property
    def url(self) -> str:
        """The endpoint of the simulated DRS."""
        host = _ANY_HOST.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def iam_url(self) -> str:
        """The endpoint of the simulated IAM: the same."""
        return self.url

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """The requests so far, oldest first, without credentials."""
        return self._server.log.records()

    def close(self) -> None:
        """Stop serving and end every connection, also those that a fault keeps waiting."""
        if not self._server.closed.is_set():
            self._server.closed.set()
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server.end_connections()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    # On Windows the option would let a second server take the same port.
    allow_reuse_address = sys.platform != "win32"

    def __init__(
        self,
        host: str,
        port: int,
        service: SimulatedService,
        clock: Clock,
        on_request: Callable[[RequestRecord], None] | None,
    ) -> None:
        self.service = service
        self.clock = clock
        self.on_request = on_request
        self.log = RequestLog()
        self.closed = threading.Event()
        self._connections: set[Any] = set()
        self._change = threading.Condition()
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        # The inherited method asks the DNS for the host's name, which nobody here needs.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._change:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._change:
            self._connections.discard(request)
            self._change.notify_all()

    def end_connections(self) -> None:
        with self._change:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._change.wait_for(lambda: not self._connections, timeout=2)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Clients often hang up. Anything else is a bug and is shown.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = _IDLE_SECONDS

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Refuse a malformed request and close the connection, whose rest is unknown."""
        self.close_connection = True
        # An unknown method reads as 501 here; to the gateway it is an API that does not exist.
        # (unverified) the codes with which the gateway refuses what is no proper HTTP.
        unknown_method = code == HTTPStatus.NOT_IMPLEMENTED
        status = 404 if unknown_method else int(code)
        error = NO_SUCH_API if unknown_method else INVALID_PARAMETER
        request_id = uuid.uuid4().hex
        text = "" if unknown_method else message or ""
        reply = error_reply(status, error, text, request_id=request_id)
        headers = self.headers.items() if self.command and hasattr(self, "headers") else []
        self._log(self.server.service.moment, Handled(reply), headers, "none", request_id)
        self._send(Handled(reply), request_id)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Print nothing: the inherited log would show what clients sent, unfiltered."""

    def _serve(self) -> None:
        body = self._read_body()
        if body is None:
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body)
        request_id = uuid.uuid4().hex
        moment = self.server.service.moment
        answer = self.server.service.answer(request, request_id)
        self._log(moment, answer, self.headers.items(), request.credential, request_id)
        self._send(answer, request_id)

    def _log(
        self,
        moment: float,
        answer: Handled,
        headers: Iterable[tuple[str, str]],
        credential: str,
        request_id: str,
    ) -> None:
        record = RequestRecord(
            moment=moment,
            method=self.command or "?",
            # A request line that could not be parsed leaves no path of its own.
            path=self.path.partition("?")[0] if self.command else "",
            jobs=answer.jobs,
            headers=harmless_headers(headers),
            credential=credential,
            status=answer.reply.status,
            faults=answer.faults.kinds,
            request_id=request_id,
        )
        self.server.log.add(record)
        if self.server.on_request is not None:
            self.server.on_request(record)

    def _read_body(self) -> bytes | None:
        """Return the body, or None after refusing it or losing the client."""
        lengths = set(self.headers.get_all("Content-Length", ["0"]))
        if self.headers.get("Transfer-Encoding") is not None:
            self.send_error(HTTPStatus.LENGTH_REQUIRED, "A Content-Length is required.")
            return None
        length = lengths.pop().strip()
        if lengths or not (length.isascii() and length.isdigit()):
            self.send_error(HTTPStatus.BAD_REQUEST, "The Content-Length is not a number.")
            return None
        if len(length) > len(str(MAX_BODY)) or int(length) > MAX_BODY:
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return None
        return body

    def _send(self, answer: Handled, request_id: str) -> None:
        delay = answer.faults[Stage.DELAY]
        if delay is not None:
            wait(self.server.clock, delay.delay, self.server.closed)
        fault = answer.faults[Stage.DELIVERY]
        head = self._head(answer.reply, request_id)
        if not deliver(self.connection, head, answer.reply, fault, self.server.closed):
            self.close_connection = True

    def _head(self, reply: Response, request_id: str) -> bytes:
        size = len(reply.body) + reply.padding
        lines = [
            f"HTTP/1.1 {reply.status} {_PHRASES.get(reply.status, '')}",
            f"Date: {self.server.service.date}",
            "Server: precheck-gate-simulator",
            f"X-Request-Id: {request_id}",
            *(f"{name}: {value}" for name, value in reply.headers),
            f"Content-Length: {size}",
        ]
        if size:
            lines.append(f"Content-Type: {reply.content_type}")
        lines.append(f"Connection: {'close' if self.close_connection else 'keep-alive'}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
