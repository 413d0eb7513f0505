"""``precheck-gate policy``: init, validate, show, lint and schema, which work on a file."""

from __future__ import annotations

import functools
import textwrap
from importlib import resources
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.cli.options import EnvironmentArgument, plain_option
from precheck_gate.cli.options.judging import policy_options
from precheck_gate.cli.options.types import PATH
from precheck_gate.errors import (
    DocumentError,
    ExitCode,
    Problem,
    ReportError,
    UsageError,
    reason_of,
)
from precheck_gate.runtime.console import Console
from precheck_gate.runtime.process import Runtime
from precheck_gate.safetext.cleaning import clean, clean_line, count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date
    from pathlib import Path

    from precheck_gate.policy.loading import PolicyOptions
    from precheck_gate.policy.model import Policy


def policy_command(*left_out: str) -> Callable[[Any], Any]:
    """Declare the options of a policy, without ``left_out``, and pass them as values.

    The command gets ``today`` and ``options`` in place of --profile, --allow-outside and --now.
    """

    def declare(body: Callable[..., int]) -> Any:
        @functools.wraps(body)
        def command(
            *, now: date | None, allow_outside: bool, profile: str | None = None, **given: Any
        ) -> int:
            from precheck_gate.policy.loading import PolicyOptions

            runtime = click.get_current_context().ensure_object(Runtime)
            today = now or runtime.the_clock().now().date()
            options = PolicyOptions(profile, today, allow_outside)
            return body(today=today, options=options, **given)

        declared: Any = policy_options(command)
        declared.__click_params__ = [
            one for one in declared.__click_params__ if one.name not in left_out
        ]
        return declared

    return declare


def show_lines(console: Console, lines: Iterable[str]) -> None:
    """Print lines of a result, cleaned."""
    for line in lines:
        console.print_result(clean(line))


def finish(console: Console, code: int = 0) -> int:
    """Flush all output, and return the exit code.

    Raises:
        ReportError: the output could not be written.
    """
    console.flush()
    if console.failure:
        raise ReportError(
            f"The output could not be written: {console.failure}.",
            hint="Free some space, or write it elsewhere.",
        )
    return code


@click.command("init")
@click.argument("file", type=PATH, default="precheck-policy.yaml", metavar="[FILE]")
def init_command(file: Path) -> int:
    """Write a commented policy to start from. An existing file is not overwritten.

    FILE defaults to precheck-policy.yaml. '-' prints the policy.
    """
    console = Console()
    starter = resources.files(__package__).joinpath("starter.yaml").read_text("utf-8")
    if str(file) == "-":
        show_lines(console, starter.rstrip("\n").split("\n"))
        return finish(console)
    try:
        with file.open("x", encoding="utf-8", newline="\n") as target:
            target.write(starter)
    except FileExistsError:
        raise UsageError(
            f"{file} already exists.", hint="Name another file: precheck-gate policy init FILE."
        ) from None
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written: {reason_of(error)}.",
            hint="Check the folder and its permissions.",
        ) from None
    show_lines(console, [f"wrote {file}; next: precheck-gate policy validate {file}"])
    return finish(console)


@click.command("validate")
@click.argument("files", nargs=-1, required=True, type=PATH, metavar="FILE...")
@policy_command("policy")
def validate_command(files: Sequence[Path], options: PolicyOptions, **_today: Any) -> int:
    """Check policy files and list every error. Exits 0 if all are valid, otherwise 2.

    This includes the files that they extend, and all profiles. With --profile, that profile must
    exist.
    """
    from precheck_gate.policy.loading import in_order

    console = Console()
    problems: list[Problem] = []
    files = list(dict.fromkeys(files))
    invalid = 0
    for file in files:
        found = _validate(file, options, console)
        invalid += bool(found)
        problems += found
    if problems:
        finish(console)
        what = f"{invalid} of {len(files)} policies are" if len(files) > 1 else "The policy is"
        raise DocumentError(f"{what} not valid:", in_order(problems))
    return finish(console)


def _validate(file: Path, options: PolicyOptions, console: Console) -> list[Problem]:
    """Return all problems of a policy and its profiles; print a line if there are none."""
    from precheck_gate.policy.loading import BUILTIN, PolicyFiles, problems_of, read_policy

    problems: list[Problem] = []
    policies: list[Policy] = []
    try:
        made = PolicyFiles(read_policy(file), options)
    except UsageError as error:
        return problems_of(error, file)
    for name in dict.fromkeys(["", *made.profiles, options.profile or ""]):
        try:
            policies.append(made.policy(name))
        except UsageError as error:
            problems += problems_of(error, file)
    if not problems:
        policy = policies[0]
        parts = [count(len(policy.rules), "rule"), count(len(policy.waivers), "waiver")]
        if made.profiles:
            parts.append(f"profiles {', '.join(made.profiles)}")
        extended = [source for source in policy.sources[1:] if not source.startswith(BUILTIN)]
        if extended:
            parts.append(f"extends {', '.join(extended)}")
        show_lines(console, [f"{policy.name}: valid ({', '.join(parts)})"])
    return problems


@click.command("show")
@click.argument(
    "file",
    cls=EnvironmentArgument,
    required=False,
    type=PATH,
    envvar="PRECHECK_GATE_POLICY",
    metavar="[FILE]",
)
@plain_option(
    "--format",
    "form",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="YAML with the origin of each value as a comment, or JSON without origins.",
)
@policy_command("policy")
def show_command(file: Path | None, form: str, options: PolicyOptions, **_today: Any) -> int:
    """Print the effective policy: FILE on top of what it extends, and the profile on top of it.

    The output is itself a policy, with the same meaning. FILE defaults to builtin:default.
    """
    from precheck_gate.policy.loading import load_policy
    from precheck_gate.policy.writing import as_document, to_json, to_yaml

    policy = load_policy(file, options)
    document = as_document(policy)
    console = Console()
    if form == "json":
        show_lines(console, to_json(document))
        return finish(console)
    header = (
        f"# The effective policy of {clean_line(policy.name)}.",
        f"# Made of: {', '.join(map(clean_line, policy.sources))}",
        "# The comment after each value is its origin: file and line.",
    )
    show_lines(console, [*header, *to_yaml(document)])
    return finish(console)


_LINT_EPILOG = """\b
Kinds of warnings:
  shadowed        a rule that never decides, as an earlier one matches all that it matches
  never-matches   a task, a direction or a key of tasks: that cannot exist
  no-effect       a waiver that is expired or forbidden, or matches nothing that blocks
  unknown-name    an item, a group or a glob that matches nothing in the catalogue
  failed-allowed  a rule that allows FAILED: only a waiver allows a contradiction of DRS
"""


@click.command("lint", epilog=_LINT_EPILOG)
@click.argument("file", type=PATH, metavar="FILE")
@plain_option("--strict", is_flag=True, help="Exit 2 if there are warnings.")
@policy_command("policy", "profile")
def lint_command(file: Path, strict: bool, today: date, options: PolicyOptions) -> int:
    """Find probable mistakes in a valid policy and explain each. Checks all profiles.

    Exits 0, or 2 if FILE is not valid, or if there are warnings and --strict is given.
    """
    from precheck_gate import catalog
    from precheck_gate.policy.linting import KnownNames, lint
    from precheck_gate.policy.loading import PolicyFiles, read_policy

    files = PolicyFiles(read_policy(file), options)
    warnings = lint(files, KnownNames.of(catalog.load()), today)
    console = Console()
    for warning in warnings:
        why = f"why: {warning.reason} [{warning.kind.value}]"
        wrapped = textwrap.wrap(why, 96, initial_indent=" " * 4, subsequent_indent=" " * 4)
        show_lines(console, [str(warning.problem), *wrapped])
    found = count(len(warnings), "warning") if warnings else "no warnings"
    show_lines(console, [f"{file}: {found}"])
    return finish(console, int(ExitCode.USAGE) if strict and warnings else 0)


_SCHEMA_EPILOG = """\b
For an editor with the YAML language server (VS Code's YAML extension, Neovim, Helix):
  precheck-gate policy schema > precheck-policy.schema.json
and as the first line of the policy:
  # yaml-language-server: $schema=./precheck-policy.schema.json
"""


@click.command("schema", epilog=_SCHEMA_EPILOG)
def schema_command() -> int:
    """Print the JSON Schema (2020-12) of policies. Editors use it to check and complete them."""
    from precheck_gate.documents.validation import schema_text

    console = Console()
    show_lines(console, schema_text("policy-1").rstrip("\n").split("\n"))
    return finish(console)
