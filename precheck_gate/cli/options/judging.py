"""The options that say what a verdict is judged by and where it goes, and what they amount to."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from precheck_gate.ci import SYSTEMS
from precheck_gate.cli.options import many, option, section
from precheck_gate.cli.options.types import EXIT_CODE, MOMENT, PATH, PLACE, REPORT
from precheck_gate.reports.base import (
    FORMATS,
    MARKDOWN_BYTES,
    MARKDOWN_LEAST,
    FormatOptions,
    JUnitWarnings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from precheck_gate.cli.options.report_paths import Input
    from precheck_gate.cli.options.types import ReportSpec
    from precheck_gate.judgement.context import JudgementContext
    from precheck_gate.runtime.process import Clock

_POLICY_OPTIONS = (
    option(
        "--policy",
        type=PATH,
        metavar="FILE",
        help="Policy file (YAML or JSON), or builtin:strict, builtin:default or "
        "builtin:permissive. Default: builtin:default.",
    ),
    option("--profile", metavar="NAME", help="Apply this profile of the policy."),
    option(
        "--allow-outside",
        is_flag=True,
        help="Allow the policy to extend files outside its repository.",
    ),
    option(
        "--now",
        type=MOMENT,
        metavar="DATE",
        help="Judge as of this date (UTC), which decides whether a waiver is valid. Default: "
        "today.",
    ),
)

quiet_option = option("-q", "--quiet", is_flag=True, help="Hide progress, not the verdict.")
verbose_option = option("-v", "--verbose", is_flag=True, help="Print each request and each item.")

_FORMAT_OPTIONS = (
    option(
        "--max-bytes",
        type=click.IntRange(min=MARKDOWN_LEAST),
        default=MARKDOWN_BYTES,
        metavar="N",
        help="Maximum size of a Markdown report, which says what it leaves out.",
    ),
    option(
        "--junit-warnings",
        type=click.Choice([one.value for one in JUnitWarnings]),
        default=JUnitWarnings.SKIPPED.value,
        help="How JUnit shows warnings and waived findings: as skipped tests with the text, as "
        "passed tests with the text in system-out, or as failures.",
    ),
)

_OUTPUT_OPTIONS = (
    option(
        "--report",
        "reports",
        type=REPORT,
        multiple=True,
        metavar="FORMAT=PATH",
        help=f"Write a report: {', '.join(FORMATS)}. '-' is stdout. Repeatable.",
    ),
    option(
        "--redact",
        type=click.Choice(["data", "reasons", "all"]),
        help="Leave evidence (data), reasons, or both (all) out of all output.",
    ),
    option(
        "--junit",
        type=PLACE,
        metavar="PATH",
        help="Write a JUnit report. Same as --report junit=PATH.",
    ),
    *_FORMAT_OPTIONS,
    option(
        "--advisory",
        is_flag=True,
        help="Exit 0 if blocked. Reports still say blocked, and all other exit codes stay.",
    ),
    option(
        "--warn-exit-code",
        "warn_code",
        type=EXIT_CODE,
        metavar="N",
        help="Exit with N if passed with warnings, such as for GitLab's allow_failure:exit_codes.",
    ),
    option(
        "--ci",
        type=click.Choice(["auto", *SYSTEMS]),
        default="auto",
        help="CI system to report to; auto detects it.",
    ),
    option(
        "--summary",
        type=click.Choice(["full", "short", "none"]),
        default="full",
        help="What to print at the end: everything, one line for each blocking finding, or only "
        "the exit code.",
    ),
    quiet_option,
    verbose_option,
)

policy_options = many(*_POLICY_OPTIONS)
format_options = many(*_FORMAT_OPTIONS)
judge_options = many(
    *section(
        "Policy",
        *_POLICY_OPTIONS,
        option(
            "--strict-waivers",
            is_flag=True,
            help="Block on waivers that have expired or waive nothing.",
        ),
        option(
            "--baseline",
            type=PATH,
            metavar="REPORT.json",
            help="Earlier JSON report; findings that it already has are marked as known.",
        ),
    ),
    *section("Output", *_OUTPUT_OPTIONS),
)


@dataclass(frozen=True, slots=True)
class JudgeOptions:
    """The values of `judge_options`."""

    policy: Path | None = None
    profile: str | None = None
    allow_outside: bool = False
    now: date | None = None
    strict_waivers: bool = False
    baseline: Path | None = None
    redact: str | None = None
    reports: Sequence[ReportSpec] = ()
    junit: str | None = None
    max_bytes: int = MARKDOWN_BYTES
    junit_warnings: str = JUnitWarnings.SKIPPED
    advisory: bool = False
    warn_code: int | None = None
    ci: str = "none"
    quiet: bool = False
    verbose: bool = False
    summary: str = "full"

    @property
    def format_options(self) -> FormatOptions:
        """The settings of single report formats."""
        return FormatOptions(self.max_bytes, JUnitWarnings(self.junit_warnings))

    @classmethod
    def take(cls, options: Mapping[str, Any]) -> JudgeOptions:
        """Return the values from all of a command's options."""
        return cls(**{field.name: options[field.name] for field in fields(cls)})

    def specs(self) -> list[ReportSpec]:
        """Return the format and the path of each report."""
        return [*self.reports, *([("junit", self.junit)] if self.junit else [])]

    def inputs(self) -> Iterator[Input]:
        """Yield the files that the judgement reads."""
        if self.baseline is not None:
            yield "the baseline", self.baseline
        if self.policy is not None:
            from precheck_gate.policy.loading import policy_files

            for file in policy_files(self.policy):
                yield "the policy", file

    def day(self, clock: Clock) -> date:
        """Return the date to judge by: --now, or the clock's date in UTC."""
        return self.now or clock.now().date()

    def context(self, clock: Clock) -> JudgementContext:
        """Load the policy and the baseline. After a wait, ask `day` again.

        Raises:
            UsageError: one of them is invalid.
        """
        from precheck_gate.catalog import advise, group_of
        from precheck_gate.judgement.context import JudgementContext, Redact, Redaction
        from precheck_gate.policy.loading import PolicyOptions, load_policy
        from precheck_gate.saved.reports import load_baseline

        today = self.day(clock)
        policy = load_policy(self.policy, PolicyOptions(self.profile, today, self.allow_outside))
        return JudgementContext(
            policy=policy,
            today=today,
            advise=advise,
            group_of=group_of,
            known=load_baseline(self.baseline) if self.baseline is not None else frozenset(),
            redaction=Redaction(Redact(self.redact) if self.redact else None),
        )
