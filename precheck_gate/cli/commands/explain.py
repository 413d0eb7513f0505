"""``precheck-gate explain``: what the catalogue knows about an item or a reason code."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from precheck_gate import catalog
from precheck_gate.catalog import Basis, FixLocation
from precheck_gate.cli.commands.policy.files import finish, show_lines
from precheck_gate.cli.options import plain_option
from precheck_gate.errors import UsageError
from precheck_gate.runtime.console import Console, Style

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from precheck_gate.catalog import Catalog, Entry, Failure, Reason, Reference

_EPILOG = """\b
Examples:
  precheck-gate explain srcDbBinlogIsOff
  precheck-gate explain SRC_HAS_TTL_INDEXES
  precheck-gate explain --search binlog format
"""


@click.command(epilog=_EPILOG)
@click.argument("names", nargs=-1, metavar="[ITEM|REASON]...")
@plain_option("--list", "listing", is_flag=True, help="List all items by group.")
@plain_option("--search", metavar="WORDS", help="Find entries that contain all words.")
@plain_option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Output format.",
)
def explain(names: Sequence[str], listing: bool, search: str | None, form: str) -> int:
    """Explain a pre-check item or a failed_reason, and how to fix it.

    The texts are this project's own. Each one names the public pages it is based on, and says
    whether a page names the item or it was matched by meaning. DRS has no complete list of items:
    an unknown one is an error (exit 2), and nothing is made up about it.
    """
    known = catalog.load()
    if listing:
        if names or search is not None:
            raise UsageError("--list lists everything.", hint="Leave out the rest.")
        found = _Found(tuple(known.items.values()), tuple(known.reasons.values()), known.failures)
    elif search is not None:
        found = _search(known, " ".join([search, *names]))
    elif names:
        found = _look_up(known, names)
    else:
        raise UsageError(
            "There is nothing to explain.",
            hint="Name an item or a reason. --list lists them, --search finds them.",
        )
    console = Console()
    if form == "json":
        show_lines(console, found.as_json())
    else:
        for style, line in _table(found) if listing or search is not None else _full(found):
            console.print_result(console.paint(console.result, style, line) if style else line)
    return finish(console)


@dataclass(frozen=True, slots=True)
class _Found:
    """The entries to show."""

    items: tuple[Entry, ...]
    reasons: tuple[Reason, ...] = ()
    failures: tuple[Failure, ...] = ()

    def as_json(self) -> list[str]:
        """Return the lines of a JSON object, which always has the same keys."""
        value: dict[str, list[dict[str, Any]]] = {
            "items": [{**asdict(one), "next_step": one.next_step} for one in self.items],
            "reasons": [asdict(one) for one in self.reasons],
            "failures": [asdict(one) for one in self.failures],
        }
        return json.dumps(value, indent=2).split("\n")


def _search(known: Catalog, words: str) -> _Found:
    folded = words.casefold().split()
    reasons = [
        reason
        for reason in known.reasons.values()
        if folded and all(word in f"{reason.code} {reason.meaning}".casefold() for word in folded)
    ]
    failures = known.search_failures(words)
    found = _Found(tuple(known.search(words)), tuple(reasons), tuple(failures))
    if not (found.items or found.reasons or found.failures):
        raise UsageError(
            f"No entry of the catalogue contains {words!r}.",
            hint="Try fewer words, or see all entries with --list.",
        )
    return found


def _look_up(known: Catalog, names: Sequence[str]) -> _Found:
    items: dict[str, Entry] = {}
    reasons: dict[str, Reason] = {}
    for name in names:
        entry, reason = known.entry(name), known.for_reason(name)
        if reason is not None:
            reasons[name] = reason
            # The item that gives the reason says how to fix it.
            entry = known.entry(reason.item)
        elif entry is None:
            raise _unknown(known, name)
        if entry is not None:
            items[entry.item] = entry
    return _Found(tuple(items.values()), tuple(reasons.values()))


def _unknown(known: Catalog, name: str) -> UsageError:
    folded = {code.casefold(): code for code in known.reasons}
    near = known.suggest(name)
    near += [folded[code] for code in get_close_matches(name.casefold(), folded)]
    hint = "DRS has no complete list: look up the cause in the task's pre-check in the console."
    if near:
        hint = f"Did you mean {' or '.join(near)}? If not: {hint}"
    return UsageError(f"The catalogue has no item or reason {name!r}.", hint=hint)


# The layout for a terminal of 80 columns

WIDTH = 80
_FIRST = {
    FixLocation.SOURCE: "Begin on the source.",
    FixLocation.DESTINATION: "Begin on the destination.",
    FixLocation.TASK: "Begin in the DRS task.",
    FixLocation.CONSOLE: "No public page says how. See the task's pre-check in the DRS console.",
}
_BASIS = {
    Basis.READ: "A public source names this item and its meaning.",
    Basis.INFERRED: "Inferred: the public page does not name this item; it was matched by meaning.",
}
_FAILURES = "Failures that the DRS pages describe without an item"

# A line and its style; "" for plain.
_Line = tuple[str, str]


def _table(found: _Found) -> Iterator[_Line]:
    groups: dict[str, list[Entry]] = {}
    for entry in found.items:
        groups.setdefault(entry.group or "(no group)", []).append(entry)
    sections = [
        *((group, [(one.item, one.title) for one in entries]) for group, entries in groups.items()),
        ("Reasons", [(one.code, one.meaning) for one in found.reasons]),
        (_FAILURES, [(one.title, one.symptom) for one in found.failures]),
    ]
    for title, rows in sections:
        if rows:
            yield Style.STRONG, f"{title} ({len(rows)})"
            for name, text in rows:
                yield from _row(name, text)
            yield "", ""
    yield Style.FAINT, "Run 'precheck-gate explain ITEM' to see how to fix it."


def _full(found: _Found) -> Iterator[_Line]:
    blocks = [*map(_of_reason, found.reasons), *map(_of_item, found.items)]
    for number, block in enumerate(blocks):
        if number:
            yield "", ""
        yield from block


def _row(name: str, text: str) -> Iterator[_Line]:
    """Yield a name with its text beside it or, after a long name, below it."""
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
    basis = "from DRS's documented answers" if entry.group_from_example else "inferred"
    yield from _fact("group", f"{entry.group} ({basis})")
    yield from _fact("engines", ", ".join(entry.engines) or "not documented")
    if entry.reasons:
        yield from _fact("reasons", ", ".join(entry.reasons))
    yield from _section("What it checks", entry.checks)
    yield from _section("Why it matters", entry.matters)
    yield from _section("How to fix it", _FIRST[entry.first])
    for place, text in (
        ("On the source", entry.on_source),
        ("On the destination", entry.on_destination),
        ("In the task", entry.in_task),
    ):
        if text:
            yield "", f"  {place}"
            yield from _wrapped(text, "    ", "    ")
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


def _sources(sources: Iterable[Reference]) -> Iterator[_Line]:
    yield "", ""
    yield Style.STRONG, "Sources"
    for source in sources:
        yield from _wrapped(f"{source.title} [{source.kind}]", "  - ", "    ")
        if source.url:
            yield "", f"    {source.url}"
