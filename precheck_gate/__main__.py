"""Entry: a --version that costs nothing, and the last net for whatever nobody foresaw."""

from __future__ import annotations

import gc
import os
import signal
import sys

from precheck_gate import __version__

# Not from typing, whose import takes as long as all the rest of --version.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from precheck_gate.runtime.signals import Interrupts

__all__ = ["main", "run_main"]

_PROGRAM = "precheck-gate"
_COMPLETION = "_PRECHECK_GATE_COMPLETE"


def main() -> None:
    """Run the program and end the process with its exit code."""
    # Until the program has its own handlers, a signal ends it without a word.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    _replace_closed_streams()
    # A start makes objects by the ten thousand that stay: to search them for garbage again and
    # again, and once more at the end, would be a fifth of it.
    gc.set_threshold(50_000)
    code = run_main(sys.argv[1:])
    gc.freeze()
    sys.exit(code)


def _replace_closed_streams() -> None:
    """Put the null device where the caller closed a standard stream (``>&-``)."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # Stays open as long as the process.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115


def run_main(arguments: list[str]) -> int:
    """Run the program; return the exit code, which is 0 only where a command said so itself."""
    if arguments == ["--version"]:
        try:
            sys.stdout.write(f"precheck-gate {__version__}\n")
            sys.stdout.flush()
        except OSError:
            pass  # what follows prints it once more, and tells what is wrong
        else:
            return 0
    try:
        code = _run(arguments)
        from precheck_gate.runtime.console import Console

        # What is left in the buffers must not fail when the interpreter ends, and change the code.
        Console().flush()
    except BaseException as error:  # not even the error could be printed as it should be
        return _broken(error)
    return code


def _broken(error: BaseException) -> int:
    """Say with the operating system's means alone that the program failed; return the exit code."""
    import contextlib

    # Where standard error is gone as well, the exit code is all that is left to say it with.
    with contextlib.suppress(OSError):
        os.write(2, f"error: precheck-gate failed ({type(error).__name__})\n".encode())
    return 70


def _run(arguments: list[str]) -> int:
    from precheck_gate.errors import Interrupted, PrecheckGateError
    from precheck_gate.runtime.reading import reads_end_with
    from precheck_gate.runtime.signals import Interrupts

    interrupts = Interrupts()
    interrupts.install()
    try:
        _know_secrets()
        with reads_end_with(interrupts):
            code = _invoke(arguments, interrupts)
    except Interrupted as error:
        return 128 + error.signum
    except PrecheckGateError as error:
        from precheck_gate.runtime.console import Console

        Console().error(error)
        return int(error.exit_code)
    except BaseException as error:  # a bug must not end in 1, which would read as "blocked"
        return _tell_unforeseen(error)
    return code if interrupts.received is None else 128 + interrupts.received


def _tell_unforeseen(error: BaseException) -> int:
    """Print an error that nobody foresaw, and return the exit code."""
    from precheck_gate.exits import ExitCode

    try:
        from precheck_gate.cli.app.execution import unforeseen
        from precheck_gate.runtime.console import Console

        found = unforeseen(error)
        Console().error(found)
    except MemoryError:  # not even enough to say so
        return int(ExitCode.SERVICE)
    return int(found.exit_code)


def _know_secrets() -> None:
    """Have the credentials in the environment hidden, before a word is printed.

    What was meant for a variable may have been typed as an option's value.
    """
    from precheck_gate.drs.auth.discovery import mask_environment

    mask_environment()


def _invoke(arguments: list[str], interrupts: Interrupts) -> int:
    import click

    from precheck_gate.cli import main_group
    from precheck_gate.errors import ReportError, reason_of
    from precheck_gate.exits import ExitCode
    from precheck_gate.runtime.process import Runtime
    from precheck_gate.runtime.shortages import shortage

    # A shell that completes gives no arguments; where there are some, a variable that was left
    # over must not end the command before its work, and with 0.
    wanted = os.environ.pop(_COMPLETION, "")
    if wanted and not arguments:
        from precheck_gate.cli.app.completion import complete

        return complete(main_group, _PROGRAM, _COMPLETION, wanted)
    runtime = Runtime(interrupts)
    try:
        result = main_group.main(
            arguments,
            prog_name=_PROGRAM,
            standalone_mode=False,
            obj=runtime,
        )
    except click.ClickException as error:
        from precheck_gate.cli.app.usage_errors import tell_usage_error

        return tell_usage_error(error, main_group, arguments, runtime)
    except click.Abort:
        return int(ExitCode.SIGINT)
    except SystemExit as error:
        # So click ends when the reader of a help text is gone; nobody else may end so.
        if error.code != 1:
            raise
        return int(ExitCode.REPORT)
    except OSError as error:
        # Commands that judge handle their own; this is about a help text.
        if (lack := shortage(error)) is not None:
            raise lack from None
        raise ReportError(
            f"The output could not be written: {reason_of(error)}.",
            hint="Is the disk full?",
        ) from None
    # A command that forgot to say how it ended has not said that all is well.
    return result if isinstance(result, int) and not isinstance(result, bool) else int(ExitCode.BUG)


if __name__ == "__main__":
    main()
