"""``precheck-gate policy show``: the effective policy, after what it extends and the profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from precheck_gate.cli.commands.policy.files import file_options, finish, show_lines
from precheck_gate.cli.options import EnvironmentArgument, plain_option
from precheck_gate.cli.options.types import PATH
from precheck_gate.runtime.process import Runtime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from precheck_gate.policy.model import Policy

__all__ = ["show_command"]


@click.command("show")
@click.argument(
    "file",
    cls=EnvironmentArgument,
    required=False,
    type=PATH,
    envvar="PRECHECK_GATE_POLICY",
    metavar="[FILE]",
)
@file_options
@plain_option(
    "--format",
    "form",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="YAML with the origin of each value as a comment, or JSON without origins.",
)
@click.pass_context
def show_command(
    ctx: click.Context,
    /,
    file: Path | None,
    profile: str | None,
    allow_outside: bool,
    now: date | None,
    form: str,
) -> int:
    """Print the effective policy: FILE, what it extends below it, the profile on top of it.

    What is printed is a policy by itself, and means the same. Without FILE: builtin:default.
    """
    from precheck_gate.policy import PolicyOptions, load_policy
    from precheck_gate.policy.writing import as_document, to_json, to_yaml
    from precheck_gate.runtime.console import Console

    today = now or ctx.ensure_object(Runtime).the_clock().now().date()
    policy = load_policy(file, PolicyOptions(profile, today, allow_outside))
    document = as_document(policy)
    console = Console()
    if form == "json":
        show_lines(console, to_json(document))
    else:
        show_lines(console, _header(policy))
        show_lines(console, to_yaml(document))
    return finish(console)


def _header(policy: Policy) -> Iterator[str]:
    from precheck_gate.safetext.cleaning import clean_line

    yield f"# The effective policy of {clean_line(policy.name)}."
    yield f"# Made of: {', '.join(map(clean_line, policy.sources))}"
    yield "# Behind each value stand the file and the line that it comes from."
