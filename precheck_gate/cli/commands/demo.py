"""``precheck-gate demo``: a run against the built-in simulator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from precheck_gate.cli.app.execution import execute
from precheck_gate.cli.options import plain_option
from precheck_gate.cli.options.judging import JudgeOptions, quiet_option, verbose_option
from precheck_gate.runtime.process import Runtime

if TYPE_CHECKING:
    from precheck_gate.gate import Gate

_EPILOG = "The exit code is 1, because one task fails its binlog check, and 0 with --pass."


@click.command(epilog=_EPILOG)
@plain_option("--pass", "passing", is_flag=True, help="Let all three tasks pass (exit 0).")
@plain_option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    metavar="DIR",
    help="Folder for junit.xml and report.json.  [default: .]",
)
@quiet_option
@verbose_option
@click.pass_context
def demo(ctx: click.Context, /, passing: bool, directory: Path, quiet: bool, verbose: bool) -> int:
    """Watch the gate judge three simulated tasks. Needs no account, takes some seconds.

    Starts a local simulator with three pre-checks: MySQL, DDS with two alarms, and one whose source
    database has no binary log. Runs the gate on them as a pipeline would, writes junit.xml and
    report.json, and says why the migration must not start.
    """
    judging = JudgeOptions(
        reports=[("junit", str(directory / "junit.xml")), ("json", str(directory / "report.json"))],
        quiet=quiet,
        verbose=verbose,
    )
    runtime = ctx.ensure_object(Runtime)
    scenario = "demo-pass" if passing else "demo"
    return execute("demo", judging, runtime, lambda gate: _demo(gate, runtime, judging, scenario))


def _demo(gate: Gate, runtime: Runtime, judging: JudgeOptions, scenario_name: str) -> int:
    from precheck_gate.cli.live.run import gate_live
    from precheck_gate.cli.options.service import ServiceSettings
    from precheck_gate.drs.auth.credential import Found
    from precheck_gate.drs.auth.iam_token import IamToken
    from precheck_gate.polling.poller import PollOptions
    from precheck_gate.runtime.process import SystemClock
    from precheck_gate.safetext.secrets import Secret
    from precheck_gate.simulator.scenario import DEFAULT_PROJECT_ID, builtin_scenario
    from precheck_gate.simulator.server import Simulator

    scenario = builtin_scenario(scenario_name)
    # Its threads must not receive the signals that interrupt the gate.
    with Simulator(scenario, runtime.clock or SystemClock()) as simulator:
        return gate_live(
            gate,
            runtime,
            tasks=[task.id for task in scenario.tasks],
            service=ServiceSettings(
                endpoint=simulator.url,
                project_id=scenario.project_id or DEFAULT_PROJECT_ID,
                found=Found(IamToken(Secret("demo")), "the demo"),
            ),
            polling=PollOptions(timeout=120.0),
            judging=judging,
        )
