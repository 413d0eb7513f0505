"""The rules of a SARIF report: what the catalogue says of each item that a result names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from precheck_gate import catalog
from precheck_gate.safetext.cleaning import shorten

if TYPE_CHECKING:
    from precheck_gate.catalog import Entry
    from precheck_gate.reports.code_scanning import Point

__all__ = ["rule_for"]

MAX_TAGS = 20
# GitHub cuts the descriptions of a rule here.
MAX_DESCRIPTION = 1_000
TAG = "drs-pre-check"

_OWN = {
    "result": (
        "The task as a whole",
        "Whether DRS itself says that the task may start, and whether that can be believed.",
    ),
    "judged": ("Every task is judged", "No task that was asked for may be left out."),
    "waivers": ("Waivers are in order", "No waiver may have expired or waive nothing."),
    "limits.max_warnings": ("Warnings of the run", "The bound on all warnings of the run."),
    "max_warnings_per_task": ("Warnings of a task", "The bound on the warnings of one task."),
    "min_passed_rate": ("Share of PASSED items", "The least share of items that are PASSED."),
}
_OWN_OTHER = ("The run could be judged", "Whether there was a trustworthy answer to judge.")


def rule_for(point: Point) -> dict[str, Any]:
    """Return the reporting descriptor of what a point is about."""
    if not point.item:
        title, checks = _OWN.get(point.check.partition("/")[2], _OWN_OTHER)
        help_text = f"{checks} A matter of the gate itself: each result says what to do."
        return _rule(point.check, title, checks, {"text": help_text}, [])
    entry = catalog.load().entry(point.item)
    if entry is None:
        step = shorten(catalog.unknown_next_step(point.item, point.group), MAX_DESCRIPTION)
        title = f"Pre-check item {point.check}"
        return _rule(point.check, title, f"{title}, which the catalogue does not know.",
                     {"text": step}, [point.group])  # fmt: skip
    rule = _rule(
        point.check,
        entry.title,
        f"{entry.checks} {entry.matters}",
        {"text": _plain_help(entry), "markdown": _markdown_help(entry)},
        [entry.group, *entry.engines],
    )
    url = next((source.url for source in entry.sources if source.url.startswith("https://")), "")
    return rule | ({"helpUri": url} if url else {})


def _rule(
    check: str, title: str, about: str, help_: dict[str, str], tags: list[str]
) -> dict[str, Any]:
    known = dict.fromkeys([TAG, *(tag for tag in tags if tag)])
    return {
        "id": check,
        "shortDescription": {"text": _ended(shorten(title, MAX_DESCRIPTION))},
        "fullDescription": {"text": _ended(shorten(about, MAX_DESCRIPTION))},
        "help": help_,
        "properties": {"tags": list(known)[:MAX_TAGS]},
    }


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _remedies(entry: Entry) -> list[tuple[str, str]]:
    places = (
        ("On the source", entry.on_source),
        ("On the destination", entry.on_destination),
        ("In the DRS task", entry.in_task),
    )
    return [place for place in places if place[1]] or [("In the DRS console", entry.next_step)]


def _plain_help(entry: Entry) -> str:
    remedies = " ".join(f"{where}: {what}" for where, what in _remedies(entry))
    return f"{entry.checks} {entry.matters} {remedies}"


def _markdown_help(entry: Entry) -> str:
    lines = [f"{entry.checks}\n\n{entry.matters}\n"]
    lines += [f"**{where}:** {what}\n" for where, what in _remedies(entry)]
    lines += [f"* [{one.title}]({one.url})" for one in entry.sources if one.url]
    return "\n".join(lines)
