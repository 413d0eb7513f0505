"""How entries of the catalogue are laid out: for a terminal of 80 columns, and as JSON."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from precheck_gate.catalog import Basis, FixLocation
from precheck_gate.runtime.console import Style

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from precheck_gate.catalog import Entry, Failure, Reason, Reference
    from precheck_gate.runtime.console import Console

__all__ = ["Found"]

WIDTH = 80
_FIRST = {
    FixLocation.SOURCE: "Begin on the source.",
    FixLocation.DESTINATION: "Begin on the destination.",
    FixLocation.TASK: "Begin in the DRS task.",
    FixLocation.CONSOLE: "No public page tells how: see the task's pre-check in the DRS console.",
}
_BASIS = {
    Basis.READ: "A public source names this item beside its meaning.",
    Basis.INFERRED: (
        "Inferred: the public page does not name this item; it was matched to it by meaning."
    ),
}
_FAILURES = "Failures that DRS's pages describe without an item's name"

# A line and how to paint it; "" for plain.
_Line = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """What is to be told of the catalogue."""

    items: tuple[Entry, ...]
    reasons: tuple[Reason, ...]
    failures: tuple[Failure, ...]

    def as_json(self) -> list[str]:
        """Return the lines of one JSON object, of the same shape whatever was asked."""
        value: dict[str, list[dict[str, Any]]] = {
            "items": [{**asdict(one), "next_step": one.next_step} for one in self.items],
            "reasons": [asdict(one) for one in self.reasons],
            "failures": [asdict(one) for one in self.failures],
        }
        return json.dumps(value, indent=2).split("\n")

    def show(self, console: Console, *, short: bool) -> None:
        """Print it; ``short`` for a line or two of each, else everything."""
        lines = self._table() if short else self._full()
        for style, line in lines:
            console.print_result(console.paint(console.result, style, line) if style else line)

    def _table(self) -> Iterator[_Line]:
        groups: dict[str, list[Entry]] = {}
        for entry in self.items:
            groups.setdefault(entry.group or "(no group)", []).append(entry)
        for group, entries in groups.items():
            yield Style.STRONG, f"{group} ({len(entries)})"
            for entry in entries:
                yield from _row(entry.item, entry.title)
            yield "", ""
        for title, rows in (
            ("Reasons", [(reason.code, reason.meaning) for reason in self.reasons]),
            (_FAILURES, [(one.title, one.symptom) for one in self.failures]),
        ):
            if rows:
                yield Style.STRONG, f"{title} ({len(rows)})"
                for name, text in rows:
                    yield from _row(name, text)
                yield "", ""
        yield Style.FAINT, "precheck-gate explain ITEM tells how to mend it."

    def _full(self) -> Iterator[_Line]:
        first = True
        for block in (*map(_of_reason, self.reasons), *map(_of_item, self.items)):
            if not first:
                yield "", ""
            first = False
            yield from block


def _row(name: str, text: str) -> Iterator[_Line]:
    """Yield a name, and its text beside it or, where the name is long, below it."""
    column = 2 + 34
    indent = " " * column
    if len(name) < column - 3:
        yield from _wrapped(text, f"  {name}".ljust(column), indent)
        return
    yield from _wrapped(name, "  ", "  ")
    yield from _wrapped(text, indent, indent)


def _wrapped(text: str, first: str, rest: str) -> Iterator[_Line]:
    lines = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from (("", line) for line in lines or [first.rstrip()])


def _of_item(entry: Entry) -> Iterator[_Line]:
    yield Style.STRONG, entry.item
    yield from _wrapped(entry.title, "", "")
    yield "", ""
    shown = "as DRS's documented answers show" if entry.group_from_example else "inferred"
    yield from _fact("group", f"{entry.group} ({shown})")
    yield from _fact("engines", ", ".join(entry.engines) or "not documented")
    if entry.reasons:
        yield from _fact("reasons", ", ".join(entry.reasons))
    yield from _section("What it checks", entry.checks)
    yield from _section("Why it matters", entry.matters)
    yield from _section("How to mend it", _FIRST[entry.first])
    yield from _remedies(entry)
    yield from _sources(entry.sources)
    yield "", ""
    yield from _wrapped(_BASIS[entry.mapping], "", "")


def _of_reason(reason: Reason) -> Iterator[_Line]:
    yield Style.STRONG, reason.code
    yield from _wrapped(reason.meaning, "", "")
    yield "", ""
    yield from _fact("item", f"{reason.item} (precheck-gate explain {reason.item})")
    yield from _sources(reason.sources)


def _fact(name: str, text: str) -> Iterator[_Line]:
    yield from _wrapped(text, f"  {name:<10}", " " * 12)


def _section(title: str, text: str) -> Iterator[_Line]:
    yield "", ""
    yield Style.STRONG, title
    yield from _wrapped(text, "  ", "  ")


def _remedies(entry: Entry) -> Iterator[_Line]:
    for place, text in (
        ("On the source", entry.on_source),
        ("On the destination", entry.on_destination),
        ("In the task", entry.in_task),
    ):
        if text:
            yield "", f"  {place}"
            yield from _wrapped(text, "    ", "    ")


def _sources(sources: Iterable[Reference]) -> Iterator[_Line]:
    yield "", ""
    yield Style.STRONG, "Sources"
    for source in sources:
        yield from _wrapped(f"{source.title} [{source.kind}]", "  - ", "    ")
        if source.url:
            yield "", f"    {source.url}"
