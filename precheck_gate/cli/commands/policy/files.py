"""What the commands about policies share: options for a file, and how their output ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from precheck_gate.cli.options.judging import policy_options
from precheck_gate.errors import ReportError
from precheck_gate.safetext.cleaning import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from precheck_gate.policy.model import Policy
    from precheck_gate.runtime.console import Console

__all__ = [
    "file_options",
    "file_options_of_all_profiles",
    "finish",
    "profiles_of",
    "show_lines",
]


def file_options(command: Any) -> Any:
    """Add the options of a policy but --policy: the command takes its file as an argument."""
    return _without("policy", policy_options(command))


def file_options_of_all_profiles(command: Any) -> Any:
    """Like `file_options`, for a command that looks at every profile."""
    return _without("profile", file_options(command))


def _without(name: str, command: Any) -> Any:
    parameters = command.__click_params__
    command.__click_params__ = [parameter for parameter in parameters if parameter.name != name]
    return command


def profiles_of(policy: Policy) -> list[str]:
    """Return the profiles of all files that a policy was made of."""
    from precheck_gate.documents.yaml_document import read_document
    from precheck_gate.policy.reading import LayerReader

    files = [Path(source) for source in policy.sources if not source.startswith("builtin:")]
    readers = [LayerReader(read_document(file, "policy")) for file in files]
    return list(dict.fromkeys(name for reader in readers for name in reader.profiles))


def show_lines(console: Console, lines: Iterable[str]) -> None:
    """Print lines of a result, made harmless."""
    for line in lines:
        console.print_result(clean(line))


def finish(console: Console, code: int = 0) -> int:
    """Bring all output out, and return the exit code.

    Raises:
        ReportError: the output could not be written.
    """
    console.flush()
    if console.failure:
        raise ReportError(
            f"The output could not be written: {console.failure}.",
            hint="Free some space, or print it elsewhere.",
        )
    return code
