"""What the tasks are called in the live table: cut in the middle, and never two alike. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from precheck_gate.runtime.console import cells
from precheck_gate.safetext.cleaning import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from precheck_gate.cli.progress.board import TaskState

__all__ = ["fitted", "whole_names"]


def whole_names(tasks: Iterable[TaskState], *, whole_ids: bool) -> dict[str, str]:
    """Return a name for each task by its ID: what people call it, or its ID.

    Two tasks that people call the same have their short ID behind it.
    """
    tasks = list(tasks)
    titles = Counter(task.title for task in tasks)
    names = {}
    for task in tasks:
        short, title = clean_line(task.name), clean_line(task.title)
        if titles[task.title] > 1 and title:
            title = f"{title} {short}"
        names[task.task_id] = title or (clean_line(task.task_id) if whole_ids else short)
    return names


def fitted(
    tasks: Sequence[TaskState], names: Mapping[str, str], width: int, sign: str
) -> list[str]:
    """Return the names of tasks in exactly ``width`` columns each, a cut marked by ``sign``."""
    cut = _cut([names[task.task_id] for task in tasks], width, sign)
    # What still looks like another is told by its ID, which is short and never the same.
    seen = Counter(cut)
    told = (
        _start(task.name if seen[name] > 1 else name, width)
        for task, name in zip(tasks, cut, strict=True)
    )
    return [name + " " * (width - cells(name)) for name in told]


def _cut(names: Sequence[str], width: int, sign: str) -> list[str]:
    """Cut the longest names at the place that leaves the most of them different."""
    room = width - cells(sign)
    if room < 2 or all(cells(name) <= width for name in names):
        return list(names)
    # In the middle first; then ever further from it.
    heads = sorted(range(1, room), key=lambda head: abs(2 * head - room))
    best: list[str] = []
    for head in heads:
        tried = [
            name
            if cells(name) <= width
            else _start(name, head) + sign + _start(name[::-1], room - head)[::-1]
            for name in names
        ]
        if len(set(tried)) > len(set(best)):
            best = tried
        if len(set(best)) == len(set(names)):
            break
    return best


def _start(text: str, width: int) -> str:
    """Return as much of a text's beginning as fits into the columns."""
    if text.isascii():
        return text[:width]
    while cells(text) > width:
        text = text[:-1]
    return text
