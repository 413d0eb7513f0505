"""Several requests at once: a bounded number of threads, which never keep the program alive."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

_K = TypeVar("_K", bound="Hashable")
_T = TypeVar("_T")
_TICK = 0.1


def in_parallel(
    work: Callable[[_K], _T], names: Sequence[_K], width: int
) -> dict[_K, _T | BaseException]:
    """Do the work for each name, ``width`` at once; return the results or what ended them.

    The threads are left behind where the wait for them is interrupted.
    """
    todo: queue.SimpleQueue[_K] = queue.SimpleQueue()
    for name in names:
        todo.put(name)
    done: dict[_K, _T | BaseException] = {}

    def run() -> None:
        while True:
            try:
                name = todo.get_nowait()
            except queue.Empty:
                return
            try:
                done[name] = work(name)
            except BaseException as error:  # handed over to the thread that waits
                done[name] = error

    # One name needs no thread.
    threads = _start(run, min(width, len(names))) if len(names) > 1 else []
    if not threads:
        run()
    for thread in threads:
        while thread.is_alive():
            thread.join(_TICK)
    return done


def _start(work: Callable[[], None], width: int) -> list[threading.Thread]:
    threads: list[threading.Thread] = []
    for _ in range(width):
        thread = threading.Thread(target=work, name="precheck-gate-parallel", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no thread left: fewer do the same work
            break
        threads.append(thread)
    return threads
