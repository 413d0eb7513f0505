"""The entry point: a fast --version, and an exit code for every unexpected error."""

from __future__ import annotations

import gc
import os
import signal
import sys

from precheck_gate.runtime.version import __version__

# Not from typing, whose import takes as long as all the rest of --version.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from precheck_gate.runtime.process import Interrupts

_PROGRAM = "precheck-gate"
_COMPLETION = "_PRECHECK_GATE_COMPLETE"


def main() -> None:
    """Run the program and end the process with its exit code."""
    # Until the program has its own handlers, a signal ends it silently.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    _replace_closed_streams()
    # Imports create ten thousands of objects that stay. Searching them for garbage again and again
    # takes a fifth of the start-up time.
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
    """Run the program; return the exit code, which is 0 only if a command returned it."""
    if arguments == ["--version"]:
        try:
            sys.stdout.write(f"precheck-gate {__version__}\n")
            sys.stdout.flush()
        except OSError:
            pass  # the code below prints it again, and reports what is wrong
        else:
            return 0
    try:
        code = _run(arguments)
        from precheck_gate.runtime.console import Console

        # Flush now: an error when the interpreter exits would change the exit code.
        Console().flush()
    except BaseException as error:  # not even the error could be printed normally
        return _broken(error)
    return code


def _broken(error: BaseException) -> int:
    """Report a failure by a system call alone; return the exit code."""
    import contextlib

    # Without stderr, only the exit code is left.
    with contextlib.suppress(OSError):
        os.write(2, f"error: precheck-gate failed ({type(error).__name__})\n".encode())
    return 70


def _run(arguments: list[str]) -> int:
    from precheck_gate.errors import Interrupted, PrecheckGateError
    from precheck_gate.runtime.process import Interrupts
    from precheck_gate.runtime.reading import reads_end_with

    interrupts = Interrupts()
    interrupts.install()
    try:
        from precheck_gate.drs.auth.discovery import mask_environment

        # Before anything is printed: a credential may have been typed as an option's value.
        mask_environment()
        with reads_end_with(interrupts):
            code = _invoke(arguments, interrupts)
    except Interrupted as error:
        return 128 + error.signum
    except PrecheckGateError as error:
        from precheck_gate.runtime.console import Console

        Console().error(error)
        return int(error.exit_code)
    except BaseException as error:  # a bug must not end in 1, which would read as "blocked"
        return _unforeseen(error)
    return code if interrupts.received is None else 128 + interrupts.received


def _unforeseen(error: BaseException) -> int:
    """Print an unexpected error, and return the exit code."""
    from precheck_gate.errors import ExitCode

    try:
        from precheck_gate.cli.app.execution import unforeseen
        from precheck_gate.runtime.console import Console

        found = unforeseen(error)
        Console().error(found)
    except MemoryError:  # not enough even for the message
        return int(ExitCode.SERVICE)
    return int(found.exit_code)


def _invoke(arguments: list[str], interrupts: Interrupts) -> int:
    import click

    from precheck_gate.cli import main_group
    from precheck_gate.errors import ExitCode, ReportError, reason_of
    from precheck_gate.runtime.process import Runtime, shortage

    # A completing shell passes no arguments. If there are some, the variable is a leftover, which
    # must not make a gate exit 0 before it has done its work.
    wanted = os.environ.pop(_COMPLETION, "")
    if wanted and not arguments:
        from precheck_gate.cli.app import complete

        return complete(main_group, _PROGRAM, _COMPLETION, wanted)
    runtime = Runtime(interrupts)
    try:
        result = main_group.main(arguments, prog_name=_PROGRAM, standalone_mode=False, obj=runtime)
    except click.ClickException as error:
        from precheck_gate.cli.app.usage_errors import report_usage_error

        return report_usage_error(error, main_group, arguments, runtime)
    except click.Abort:
        return int(ExitCode.SIGINT)
    except SystemExit as error:
        # click exits like this when the reader of a help text is gone; nothing else may.
        if error.code != 1:
            raise
        return int(ExitCode.REPORT)
    except OSError as error:
        # Commands that judge handle their own errors; this one is about a help text.
        if (lack := shortage(error)) is not None:
            raise lack from None
        raise ReportError(
            f"The output could not be written: {reason_of(error)}.", hint="Is the disk full?"
        ) from None
    # A command that returns no exit code has not passed.
    return result if isinstance(result, int) and not isinstance(result, bool) else int(ExitCode.BUG)


if __name__ == "__main__":
    main()
