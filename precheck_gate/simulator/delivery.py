"""Sends answers over a socket, the way a fault has it: whole, cut, slowly, late or never."""

from __future__ import annotations

import select
import socket
import struct
import sys
from typing import TYPE_CHECKING

from precheck_gate.simulator.faults import Fault, FaultKind

if TYPE_CHECKING:
    import threading

    from precheck_gate.runtime.clock import Clock
    from precheck_gate.simulator.replies import Reply

__all__ = ["deliver", "wait"]

_PIECE = 64 * 1024
_TICK = 0.05


def wait(clock: Clock, seconds: float, closed: threading.Event) -> None:
    """Wait by the clock, in steps so short that closing the simulator ends it promptly."""
    end = clock.monotonic() + seconds
    while not closed.is_set() and (rest := end - clock.monotonic()) > 0:
        clock.sleep(min(rest, _TICK))


def deliver(
    connection: socket.socket,
    head: bytes,
    reply: Reply,
    fault: Fault | None,
    closed: threading.Event,
) -> bool:
    """Send an answer.

    Args:
        connection: where to.
        head: the status line and the headers, with the empty line that ends them.
        reply: the answer, for its body.
        fault: what goes wrong with the sending, of the stage `Stage.DELIVERY`.
        closed: set when the simulator ends; slow and hanging answers end with it.

    Returns:
        Whether the connection can be used for another request.

    Raises:
        OSError: the other side is gone.
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
