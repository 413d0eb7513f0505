"""Completion of command lines in bash, zsh and fish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precheck_gate.errors import UsageError

if TYPE_CHECKING:
    import click

__all__ = ["complete"]


def complete(command: click.Command, program: str, variable: str, instruction: str) -> int:
    """Print what a shell asks for: its script, or what may come next; return the exit code.

    Raises:
        UsageError: there is no completion for such a shell.
    """
    from click.shell_completion import shell_complete

    try:
        done = shell_complete(command, {}, program, variable, instruction) == 0
    except (KeyError, ValueError):  # no shell called: what it would say is missing
        done = False
    if not done:
        raise UsageError(
            f"{variable} asks for {instruction!r}, which cannot be completed.",
            hint="It is bash_source, zsh_source or fish_source, for the script of a shell.",
        )
    return 0
