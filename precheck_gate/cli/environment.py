"""Options and arguments that may stand in the environment, where empty is a setting that was lost.

click takes an empty variable for none: a policy whose variable a pipeline failed to fill would
silently be the default one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PREFIX", "EnvironmentArgument", "EnvironmentOption"]

PREFIX = "PRECHECK_GATE_"
# How to say what holds where nothing is said.
_DEFAULTS = {f"{PREFIX}POLICY": "; builtin:default says that no policy of yours is meant"}


class EnvironmentOption(click.Option):
    """An option that refuses an empty variable of ours, unless the command line has the option."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Return the text of the variable; None where there is none."""
        _refuse_empty(self.envvar, ctx)
        return super().resolve_envvar_value(ctx)


class EnvironmentArgument(click.Argument):
    """The same for an argument."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Return the text of the variable; None where there is none."""
        _refuse_empty(self.envvar, ctx)
        return super().resolve_envvar_value(ctx)


def _refuse_empty(names: str | Sequence[str] | None, ctx: click.Context) -> None:
    if ctx.resilient_parsing:
        return
    for name in [names] if isinstance(names, str) else names or ():
        if name.startswith(PREFIX) and not os.environ.get(name, "-").strip():
            raise click.UsageError(
                f"The variable {name} is empty: give it a value, or unset it"
                f"{_DEFAULTS.get(name, '')}.",
                ctx,
            )
