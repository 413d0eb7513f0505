"""``precheck-gate explain``: what the catalogue says of an item or a reason code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from precheck_gate.cli.commands.policy.files import finish, show_lines
from precheck_gate.cli.options.environment import plain_option
from precheck_gate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from precheck_gate.catalog import Catalog, Entry, Reason
    from precheck_gate.cli.commands.explain_text import Found

__all__ = ["explain"]

_EPILOG = """\b
Examples:
  precheck-gate explain srcDbBinlogIsOff
  precheck-gate explain SRC_HAS_TTL_INDEXES
  precheck-gate explain --search binlog format
"""


@click.command(epilog=_EPILOG)
@click.argument("names", nargs=-1, metavar="[ITEM|REASON]...")
@plain_option("--list", "listing", is_flag=True, help="List all items by their group.")
@plain_option("--search", metavar="WORDS", help="Find what has all of the words in it.")
@plain_option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for programs.",
)
def explain(names: Sequence[str], listing: bool, search: str | None, form: str) -> int:
    """Tell what a pre-check item or a failed_reason means, and how to mend it.

    The texts are this project's own; each names the public pages that it rests on, and says
    whether such a page names the item or it was matched by meaning. DRS documents no complete list
    of items: of an unknown one nothing is made up, and the exit code is 2.
    """
    from precheck_gate import catalog
    from precheck_gate.runtime.console import Console

    known = catalog.load()
    if listing:
        if names or search is not None:
            raise UsageError("--list lists everything.", hint="Leave the rest out.")
        found = _everything(known)
    elif search is not None:
        found = _search(known, " ".join([search, *names]))
    elif names:
        found = _look_up(known, names)
    else:
        raise UsageError(
            "There is nothing to explain.",
            hint="Name an item or a reason; --list lists them, --search finds them.",
        )
    console = Console()
    if form == "json":
        show_lines(console, found.as_json())
    else:
        found.show(console, short=listing or search is not None)
    return finish(console)


def _everything(known: Catalog) -> Found:
    from precheck_gate.cli.commands.explain_text import Found

    return Found(tuple(known.items.values()), tuple(known.reasons.values()), known.failures)


def _search(known: Catalog, words: str) -> Found:
    from precheck_gate.cli.commands.explain_text import Found

    folded = words.casefold().split()
    reasons = [
        reason
        for reason in known.reasons.values()
        if folded and all(word in f"{reason.code} {reason.meaning}".casefold() for word in folded)
    ]
    failures = known.search_failures(words)
    found = Found(tuple(known.search(words)), tuple(reasons), tuple(failures))
    if not (found.items or found.reasons or found.failures):
        raise UsageError(
            f"Nothing in the catalogue has {words!r} in it.",
            hint="Try fewer words, or the whole list with --list.",
        )
    return found


def _look_up(known: Catalog, names: Sequence[str]) -> Found:
    from precheck_gate.cli.commands.explain_text import Found

    items: dict[str, Entry] = {}
    reasons: dict[str, Reason] = {}
    for name in names:
        entry, reason = known.entry(name), known.for_reason(name)
        if reason is not None:
            reasons[name] = reason
            # How to mend it stands with the item that gives the reason.
            entry = known.entry(reason.item)
        elif entry is None:
            raise _unknown(known, name)
        if entry is not None:
            items[entry.item] = entry
    return Found(tuple(items.values()), tuple(reasons.values()), ())


def _unknown(known: Catalog, name: str) -> UsageError:
    from difflib import get_close_matches

    folded = {code.casefold(): code for code in known.reasons}
    near = known.suggest(name)
    near += [folded[code] for code in get_close_matches(name.casefold(), folded)]
    hint = "DRS documents no complete list: read its cause in the task's pre-check in the console."
    if near:
        hint = f"Did you mean {' or '.join(near)}? If not: {hint}"
    return UsageError(
        f"The catalogue knows neither an item nor a reason called {name!r}.", hint=hint
    )
