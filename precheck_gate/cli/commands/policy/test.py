"""``precheck-gate policy test``: run the test cases of policies."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from precheck_gate.cli.options import option, plain_option
from precheck_gate.cli.options.types import PATH, PLACE, Number
from precheck_gate.errors import ExitCode, ReportError, reason_of
from precheck_gate.runtime.console import Console, Style
from precheck_gate.runtime.process import Runtime
from precheck_gate.safetext.cleaning import clean_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from precheck_gate.policy_tests.running import Coverage, Result
    from precheck_gate.reports.sinks import Sink

_EPILOG = """\b
A file of cases (schema policy-test-1):
  version: 1
  policy: ../precheck-policy.yaml      # or builtin:strict, or the policy itself
  now: 2027-01-31                      # the date; required if the policy has waivers
  cases:
    - name: a TTL index only warns
      items: {srcCollHasTtlIndex: ALARM}
      expect: {verdict: passed_with_warnings, exit_code: 0}

\b
Exit codes: 0 all passed, 1 some failed or the coverage is too low, 2 a file or case is not valid or
  there are none, 5 the JUnit report could not be written, 70 bug.
"""


@click.command("test", epilog=_EPILOG)
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="DIR|FILE...")
@plain_option("--junit", type=PLACE, metavar="PATH", help="Write the results as JUnit XML.")
@plain_option(
    "--min-coverage",
    type=Number(0, 100),
    metavar="PERCENT",
    help="Fail if the cases exercise less of the policies' rules and waivers.",
)
@option(
    "--allow-outside",
    is_flag=True,
    help="Let a policy extend a file outside of its repository.",
)
@plain_option("-q", "--quiet", is_flag=True, help="Print only failures and the summary.")
@click.pass_context
def test_command(
    ctx: click.Context,
    paths: Sequence[Path],
    junit: str | None,
    min_coverage: float | None,
    allow_outside: bool,
    quiet: bool,
) -> int:
    """Run test cases of policies: compare the expected with the actual verdict.

    A file is run. A folder is searched recursively for files called test_*, *_test or *.test, with
    .yaml, .yml or .json. The summary says how many rules and waivers the cases exercise, and lists
    the others.
    """
    from precheck_gate.cli.options.report_paths import check_inputs, is_stdout, sink_at
    from precheck_gate.policy_tests.case_files import find_case_files
    from precheck_gate.policy_tests.running import Coverage, Outcome, run_file

    console = Console(result=sys.stderr if junit and is_stdout(junit) else None)
    coverage = Coverage()
    results: list[Result] = []
    files = find_case_files(paths)
    check_inputs([junit] if junit else [], [("the cases", path) for path in files])
    for path in files:
        results += run_file(path, coverage, outside=allow_outside)
    for result in results:
        _print_case(result, console, quiet=quiet)
    outcomes = [result.outcome for result in results]
    counts = ", ".join(
        f"{outcomes.count(outcome)} {outcome.value}" for outcome in Outcome if outcome in outcomes
    )
    console.print_result(f"{len(results)} case{'s' if len(results) != 1 else ''}: {counts}")
    enough = _print_coverage(coverage, console, min_coverage)
    code = 0 if enough and all(outcome is Outcome.PASSED for outcome in outcomes) else 1
    if Outcome.UNUSABLE in outcomes:
        code = 2
    if junit is not None:
        sink = sink_at(junit, ctx.ensure_object(Runtime).interrupts)
        code = _write_junit(results, sink, console, code)
    console.flush()
    return code or (int(ExitCode.REPORT) if console.failure else 0)


def _place(result: Result) -> str:
    return f"{result.file}:{result.line}" if result.line else result.file


def _print_case(result: Result, console: Console, *, quiet: bool) -> None:
    good, _, bad = console.symbols(console.result)
    passed = result.outcome == "passed"
    if passed and quiet:
        return
    name = f"{result.name}  " if result.name else ""
    style, sign = (Style.GOOD, good) if passed else (Style.BAD, bad)
    unusable = "cannot be run: " if result.outcome == "unusable" else ""
    rest = console.paint(console.result, Style.FAINT, _place(result))
    sign = console.paint(console.result, style, sign)
    console.print_result(f"{sign} {clean_line(unusable + name)}{rest}")
    for line in result.lines:
        console.print_result(f"    {clean_line(line)}")


def _print_coverage(coverage: Coverage, console: Console, least: float | None) -> bool:
    """Print the coverage; return whether it is sufficient."""
    if not coverage.total:
        console.print_result("coverage: the policies have no rules and no waivers")
        return True
    share = f"{coverage.exercised} of {coverage.total} rules and waivers"
    missed = ", not exercised:" if coverage.missed else ""
    console.print_result(f"coverage: {share} ({coverage.percent:.0f} %){missed}")
    for place in coverage.missed:
        console.print_result(f"    {clean_line(place)}")
    enough = least is None or coverage.percent >= least
    if not enough:
        console.print_result(f"coverage is below the {least:g} % of --min-coverage")
    return enough


def _write_junit(results: Sequence[Result], sink: Sink, console: Console, code: int) -> int:
    from precheck_gate.reports.junit import CaseRow, write_cases

    rows = [
        CaseRow(
            file=result.file,
            name=result.name or "(the file itself)",
            place=_place(result),
            failure=result.lines if result.outcome == "failed" else (),
            error=result.lines if result.outcome == "unusable" else (),
        )
        for result in results
    ]
    try:
        write_cases(rows, sink.open())
        sink.commit()
    except OSError as error:
        sink.discard()
        failure = ReportError(
            f"The JUnit report {sink.name} could not be written: {reason_of(error)}.",
            hint="Check the path and its permissions.",
        )
        console.error(failure)
        return code or int(failure.exit_code)
    if sink.remark:
        console.warn(f"the JUnit report {sink.name}: {sink.remark}")
    return code
