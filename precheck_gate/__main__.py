"""Entry: a --version that costs nothing, and the last net for whatever nobody foresaw."""

from __future__ import annotations

import sys

from precheck_gate import __version__

__all__ = ["main", "run_main"]


def main() -> None:
    """Run the program and end the process with its exit code."""
    sys.exit(run_main(sys.argv[1:]))


def run_main(arguments: list[str]) -> int:
    """Run the program; return the exit code, which is 0 only where a command said so itself."""
    if arguments == ["--version"]:
        sys.stdout.write(f"precheck-gate {__version__}\n")
        return 0
    from precheck_gate.errors import Interrupted, PrecheckGateError
    from precheck_gate.exits import ExitCode
    from precheck_gate.interrupts import Interrupts

    interrupts = Interrupts()
    interrupts.install()
    try:
        code = _invoke(arguments, interrupts)
    except Interrupted as error:
        return 128 + error.signum
    except PrecheckGateError as error:
        from precheck_gate.console import Console

        Console().error(error)
        return int(error.exit_code)
    except BaseException as error:  # a bug must not end in 1, which would read as "blocked"
        from precheck_gate.cli.execution import bug_error
        from precheck_gate.console import Console

        Console().error(bug_error(error))
        return int(ExitCode.BUG)
    return code if interrupts.received is None else 128 + interrupts.received


def _invoke(arguments: list[str], interrupts: object) -> int:
    import click

    from precheck_gate.cli import main_group
    from precheck_gate.cli.execution import Runtime
    from precheck_gate.exits import ExitCode

    try:
        result = main_group.main(
            arguments,
            prog_name="precheck-gate",
            standalone_mode=False,
            obj=Runtime(interrupts),  # type: ignore[arg-type]
        )
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return int(ExitCode.USAGE)
    except click.ClickException as error:
        error.show()
        return int(ExitCode.USAGE)
    except click.Abort:
        return int(ExitCode.SIGINT)
    # A command that forgot to say how it ended has not said that all is well.
    return result if isinstance(result, int) and not isinstance(result, bool) else int(ExitCode.BUG)


if __name__ == "__main__":
    main()
