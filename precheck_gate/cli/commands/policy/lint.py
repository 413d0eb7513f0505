"""``precheck-gate policy lint``: what in a policy is allowed and probably not meant."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from precheck_gate.cli.commands.policy.files import (
    file_options_of_all_profiles,
    finish,
    profiles_of,
    show_lines,
)
from precheck_gate.cli.options import plain_option
from precheck_gate.cli.options.types import PATH
from precheck_gate.exits import ExitCode
from precheck_gate.runtime.process import Runtime

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

__all__ = ["lint_command"]

_EPILOG = """\b
Kinds of warnings:
  shadowed        a rule that never decides, since an earlier one matches all that it matches
  never-matches   a task, direction or key of tasks: that nothing can have
  no-effect       a waiver that waives nothing: expired, never to be waived, nothing blocks
  unknown-name    an item or group, or a glob, that the catalogue knows nothing of
  failed-allowed  FAILED turned into allow: only a waiver lifts DRS's contradiction
"""


@click.command("lint", epilog=_EPILOG)
@click.argument("file", type=PATH, metavar="FILE")
@file_options_of_all_profiles
@plain_option("--strict", is_flag=True, help="Exit 2 where there is a warning.")
@click.pass_context
def lint_command(
    ctx: click.Context,
    /,
    file: Path,
    allow_outside: bool,
    now: date | None,
    strict: bool,
) -> int:
    """Warn of what is allowed in a policy and probably not meant, each with the reason why.

    All profiles of FILE are looked at. Exit 0, unless --strict is given and there are warnings, or
    the file is no policy: 2.
    """
    from precheck_gate import catalog
    from precheck_gate.documents.yaml_document import read_document
    from precheck_gate.policy import PolicyOptions, load_policy
    from precheck_gate.policy.linting.lint import lint
    from precheck_gate.policy.linting.names import KnownNames
    from precheck_gate.runtime.console import Console
    from precheck_gate.safetext.cleaning import count

    today = now or ctx.ensure_object(Runtime).the_clock().now().date()
    plain = load_policy(file, PolicyOptions(None, today, allow_outside))
    effective = {"": plain} | {
        name: load_policy(file, PolicyOptions(name, today, allow_outside))
        for name in profiles_of(plain)
    }
    names = KnownNames.of(catalog.load())
    warnings = lint(read_document(file, "policy"), effective, names, today)
    console = Console()
    for warning in warnings:
        why = f"why: {warning.reason} [{warning.kind.value}]"
        indent = " " * 4
        wrapped = textwrap.wrap(why, 96, initial_indent=indent, subsequent_indent=indent)
        show_lines(console, [str(warning.problem), *wrapped])
    found = count(len(warnings), "warning") if warnings else "no warnings"
    show_lines(console, [f"{file}: {found}"])
    return finish(console, int(ExitCode.USAGE) if strict and warnings else 0)
