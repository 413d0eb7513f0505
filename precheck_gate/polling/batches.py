"""Which tasks share a request, and which of them is to blame where one is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precheck_gate.errors import BatchRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from precheck_gate.polling.watch import Watch

__all__ = ["Batch", "ask_batch", "batches_of"]

# The tasks of one request.
Batch = tuple[str, ...]


def batches_of(watches: Sequence[Watch], size: int) -> list[Batch]:
    """Return batches; a task in error stands alone, so that it costs no other its answer."""
    sound = tuple(watch.task_id for watch in watches if not watch.suspect)
    batches = [sound[start : start + size] for start in range(0, len(sound), size)]
    return batches + [(watch.task_id,) for watch in watches if watch.suspect]


def ask_batch(
    batch: Batch,
    ask: Callable[[Batch], None],
    accuse: Callable[[str, BatchRefused], None],
) -> None:
    """Ask for a batch; where it is refused, find the tasks at fault and ask for the others.

    Args:
        batch: the tasks, at least one.
        ask: asks for tasks in one request, and raises what speaks against that.
        accuse: told of each task at fault, with the refusal that shows it.
    """
    try:
        ask(batch)
    except BatchRefused as refused:
        culprits, others, proof = _tell_apart(batch, refused, ask)
        for task_id in culprits:
            accuse(task_id, proof)
        if others:
            ask_batch(others, ask, accuse)


def _tell_apart(
    batch: Batch, refused: BatchRefused, ask: Callable[[Batch], None]
) -> tuple[Batch, Batch, BatchRefused]:
    """Return who is at fault, who has not been answered for, and the refusal that shows it.

    Where the service names nobody, the one at fault is found by halving.
    """
    named = tuple(task_id for task_id in batch if task_id in refused.culprits)
    if named:
        return named, tuple(task_id for task_id in batch if task_id not in named), refused
    suspects, others = batch, Batch()
    while len(suspects) > 1:
        middle = len(suspects) // 2
        half, rest = suspects[:middle], suspects[middle:]
        try:
            ask(half)
            suspects = rest
        except BatchRefused as error:
            refused = error
            suspects, others = half, rest + others
    return suspects, others, refused
