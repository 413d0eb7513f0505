"""``precheck-gate policy schema``: the JSON Schema of policies."""

from __future__ import annotations

import click

from precheck_gate.cli.commands.policy.files import finish, show_lines

__all__ = ["schema_command"]

_EPILOG = """\b
For an editor with the YAML language server (VS Code's YAML extension, Neovim, Helix):
  precheck-gate policy schema > precheck-policy.schema.json
and as the first line of the policy:
  # yaml-language-server: $schema=./precheck-policy.schema.json
"""


@click.command("schema", epilog=_EPILOG)
def schema_command() -> int:
    """Print the JSON Schema (2020-12) of policies, by which editors check and complete them."""
    from precheck_gate.documents.validation import schema_text
    from precheck_gate.runtime.console import Console

    console = Console()
    show_lines(console, schema_text("policy-1").rstrip("\n").split("\n"))
    return finish(console)
