"""``precheck-gate policy validate``: everything that is wrong with policies, at once."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.cli.commands.policy.files import file_options, finish, profiles_of, show_lines
from precheck_gate.cli.options.types import PATH
from precheck_gate.errors import DocumentError, Problem, UsageError
from precheck_gate.runtime.process import Runtime
from precheck_gate.safetext.cleaning import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from precheck_gate.documents.yaml_document import Document, Path_
    from precheck_gate.policy.loading import PolicyOptions
    from precheck_gate.policy.model import Policy

__all__ = ["validate_command"]

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@click.command("validate")
@click.argument("files", nargs=-1, required=True, type=PATH, metavar="FILE...")
@file_options
@click.pass_context
def validate_command(
    ctx: click.Context,
    /,
    files: Sequence[Path],
    profile: str | None,
    allow_outside: bool,
    now: date | None,
) -> int:
    """Tell everything that is wrong with policies: exit 2, or 0 and a line for each.

    What a file extends is checked with it, and each of its profiles; with --profile, that one has
    to be there.
    """
    from precheck_gate.policy import PolicyOptions
    from precheck_gate.runtime.console import Console

    today = now or ctx.ensure_object(Runtime).the_clock().now().date()
    options = PolicyOptions(profile, today, allow_outside)
    console = Console()
    problems: list[Problem] = []
    bad = 0
    for file in dict.fromkeys(files):
        checked = _Checked(file, options)
        if checked.problems:
            bad += 1
            problems += checked.problems
        else:
            show_lines(console, [checked.summary()])
    if problems:
        finish(console)
        several = f"{bad} of {len(set(files))} policies" if len(set(files)) > 1 else "The policy"
        raise DocumentError(f"{several} cannot be used:", _in_order(problems))
    return finish(console)


def _in_order(problems: Sequence[Problem]) -> list[Problem]:
    """Return each problem once, in the order of each file; the files as they came."""
    files = list(dict.fromkeys(problem.file for problem in problems))
    return sorted(
        dict.fromkeys(problems),
        key=lambda problem: (files.index(problem.file), problem.line, problem.column),
    )


class _Checked:
    """A file, and what came of loading it in every way."""

    def __init__(self, file: Path, options: PolicyOptions) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._plain = replace(options, profile=None)
        self._policy = self._load(file, self._plain)
        self._profiles: list[str] = []
        if self._policy is None:
            self._look_behind(file, [])
            return
        self._profiles = profiles_of(self._policy)
        named = [options.profile] if options.profile else []
        for name in dict.fromkeys([*self._profiles, *named]):
            self._load(file, replace(options, profile=name))

    def _load(self, file: Path, options: PolicyOptions) -> Policy | None:
        from precheck_gate.policy import load_policy

        try:
            return load_policy(file, options)
        except DocumentError as error:
            self._note(error.problems)
        except UsageError as error:
            self._note([Problem(error.message, str(file), hint=error.hint)])
        return None

    def _note(self, problems: Iterable[Problem]) -> None:
        known = {(one.file, one.line, one.message) for one in self.problems}
        self.problems += [one for one in problems if (one.file, one.line, one.message) not in known]

    def _look_behind(self, file: Path, chain: list[Path]) -> None:
        """Find what the first problems of a file hide: dates, waivers, the file that it extends."""
        from precheck_gate.documents.yaml_document import read_document

        try:
            document = read_document(file, "policy")
        except UsageError:
            return
        if not isinstance(document.value, dict):
            return
        self._note(_dates(document))
        self._note(_waivers(document, self._plain.today))
        extends = document.value.get("extends")
        if not isinstance(extends, str) or extends.startswith("builtin:") or "://" in extends:
            return
        target = file.parent / extends
        chain = [*chain, file.resolve()]
        # Only what may surely be read; the loader knows more of repositories.
        inside = target.resolve().is_relative_to(self._file.resolve().parent)
        if target.resolve() in chain or not target.is_file():
            return
        if (inside or self._plain.outside) and self._load(target, self._plain) is None:
            self._look_behind(target, chain)

    def summary(self) -> str:
        """Return the line that is printed of a good file."""
        policy = self._policy
        if policy is None:
            raise ValueError("the file was not loaded")
        parts = [count(len(policy.rules), "rule"), count(len(policy.waivers), "waiver")]
        if self._profiles:
            parts.append(f"profiles {', '.join(self._profiles)}")
        below = [source for source in policy.sources[1:] if not source.startswith("builtin:")]
        if below:
            parts.append(f"extends {', '.join(below)}")
        return f"{policy.name}: valid ({', '.join(parts)})"


def _each_waiver(document: Document) -> Iterator[tuple[Path_, dict[str, Any]]]:
    """Yield each waiver of a document and of its profiles that is a mapping, with its path."""
    profiles = document.value.get("profiles")
    named = profiles if isinstance(profiles, dict) else {}
    layers: list[tuple[Path_, Any]] = [((), document.value)]
    layers += [(("profiles", name), layer) for name, layer in named.items()]
    for path, layer in layers:
        waivers = layer.get("waivers") if isinstance(layer, dict) else None
        for index, waiver in enumerate(waivers if isinstance(waivers, list) else ()):
            if isinstance(waiver, dict):
                yield (*path, "waivers", index), waiver


def _dates(document: Document) -> Iterator[Problem]:
    """Yield a problem for each day of a waiver that no calendar has."""
    for where, waiver in _each_waiver(document):
        for key in ("since", "expires"):
            value = waiver.get(key)
            if isinstance(value, str) and _DAY.fullmatch(value) and _day(value) is None:
                yield document.problem(f"{value} is not a date", (*where, key))


def _waivers(document: Document, today: date | None) -> Iterator[Problem]:
    """Yield what is wrong with waivers that have the right form, whatever stands beside them."""
    seen: set[str] = set()
    for where, waiver in _each_waiver(document):
        for message in _against(waiver, seen, document.value.get("max_waiver_days"), today):
            yield document.problem(message, where)


def _against(
    waiver: dict[str, Any], seen: set[str], bound: Any, today: date | None
) -> Iterator[str]:
    name, expires = waiver.get("id"), _day(waiver.get("expires"))
    since = _day(waiver.get("since"))
    if isinstance(name, str):
        if name in seen:
            yield f"the waiver {name!r} stands twice"
        seen.add(name)
    if expires is None:
        return
    if since is not None and since > expires:
        yield "the waiver expires before it begins"
    start = since or today
    if isinstance(bound, int) and start is not None and (expires - start).days > bound:
        begins = "since" if since else "from today"
        yield f"the waiver {name!r} runs {(expires - start).days} days {begins}, over {bound}"


def _day(value: Any) -> date | None:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
