"""``precheck-gate policy init``: a commented policy to start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from precheck_gate.cli.commands.policy.files import finish, show_lines
from precheck_gate.cli.options.types import PATH

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["STARTER", "init_command"]

DEFAULT_FILE = "precheck-policy.yaml"

STARTER = """\
# yaml-language-server: $schema=./precheck-policy.schema.json
#
# The line above lets editors with the YAML language server check and complete this file, once the
# schema lies beside it:  precheck-gate policy schema > precheck-policy.schema.json
#
# What each item of a DRS pre-check means for the gate: allow, warn or block. Whatever stands here,
# a task that DRS itself calls not ready (result is not true) stays blocked.
#   precheck-gate policy validate FILE     every problem at once
#   precheck-gate policy lint FILE         what is allowed and probably not meant
#   precheck-gate policy explain --item srcDbBinlogIsOff --policy FILE

version: 1

# What this policy builds on: builtin:strict, builtin:default, builtin:permissive, or ./other.yaml.
extends: builtin:default

# The effect of a status where no rule matches. These are those of builtin:default.
statuses:
  PASSED: allow
  ALARM: warn
  FAILED: block
  unknown: block      # a status that DRS does not document

# The effect of a check that somebody switched off in DRS.
skipped: warn

# The first rule that matches decides. All keys of a match have to match; each is an exact text,
# a glob (* ? [a-z]) or a list: item, group, status, failed_reason, task, direction.
rules:
  - match: {group: [network, db_user_privilege], status: ALARM}
    effect: block
    reason: we take no chances with access

# Absent or not PASSED: blocks, whatever the rules say.
required_items:
  - srcDbConnection
  - dstDbConnection

limits:
  max_warnings_per_task: 5

# Dated exceptions: each turns a block into a warning that stays visible, until it expires.
# waivers:
#   - id: W-1
#     match: {item: srcDbBinlogIsOff, task: 140b5236-88ad-43c8-811c-1268453jb101}
#     reason: full migration only, nothing is replicated
#     owner: dba-team
#     expires: 2027-01-31
#     ticket: OPS-1234

# What nobody may waive, and how long a waiver may run.
never_waive:
  groups: [network]
max_waiver_days: 90

# Named layers; --profile production puts one on top of the rest.
profiles:
  production:
    statuses: {ALARM: block}
"""


@click.command("init")
@click.argument("file", type=PATH, default=DEFAULT_FILE, metavar="[FILE]")
def init_command(file: Path) -> int:
    """Write a commented policy to start from; an existing file is left as it is.

    FILE is precheck-policy.yaml where none is named; '-' prints it.
    """
    from precheck_gate.errors import UsageError, reason_of
    from precheck_gate.runtime.console import Console

    console = Console()
    if str(file) == "-":
        show_lines(console, STARTER.rstrip("\n").split("\n"))
        return finish(console)
    try:
        with file.open("x", encoding="utf-8", newline="\n") as target:
            target.write(STARTER)
    except FileExistsError:
        raise UsageError(
            f"{file} is there already, and was left as it is.",
            hint="Name another file: precheck-gate policy init FILE.",
        ) from None
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written: {reason_of(error)}.",
            hint="Check the folder and its permissions.",
        ) from None
    show_lines(console, [f"wrote {file}; next: precheck-gate policy validate {file}"])
    return finish(console)
