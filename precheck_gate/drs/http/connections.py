"""Connections that another thread can end.

A socket's timeouts bound each wait for bytes, never their sum: a server that sends a byte now and
then holds on to a thread for as long as it likes, unless its socket is shut down from outside.
"""

from __future__ import annotations

import functools
import socket
import threading
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

from requests.adapters import HTTPAdapter

from precheck_gate.drs.http.framing import ExactResponse

if TYPE_CHECKING:
    from urllib3 import HTTPConnectionPool, PoolManager, ProxyManager

__all__ = ["Adapter", "Lifeline"]


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
        """Note a socket that the exchange uses from now on.

        Raises:
            ConnectionAbortedError: the exchange was ended already.
        """
        with self._lock:
            if self._cut:
                raise ConnectionAbortedError("The exchange was ended.")
            # A copy: TLS takes the original over, and is not to be disturbed in another thread.
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
    """What requests sends through: connections that a `Lifeline` holds, answers that are exact."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the connections to hosts."""
        super().init_poolmanager(*args, **kwargs)
        _hold_all(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> ProxyManager:
        """Return the connections through a proxy."""
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


class _HeldConnection:
    """Mixed into urllib3's connections."""

    response_class = ExactResponse
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
