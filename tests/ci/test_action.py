"""The composite action, run step by step as the runner would, against the simulator."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import click
import pytest

from precheck_gate.cli.run import run as run_command

from .composite import Job, load_action
from .scenarios import BLOCKS, PASSES, PROJECT, WARNS, serve

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from precheck_gate.simulator.server import Simulator

pytestmark = pytest.mark.skipif(os.name != "posix", reason="plays a Linux runner")

INSTALL, GATE = slice(0, 1), slice(1, 2)
TOKEN = "tok%en-of-the-test"

# A command to the runner, in both of its forms.
COMMAND = re.compile(r"^\s*::[A-Za-z]|##\[", re.MULTILINE)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a RUNNER_TEMP in which the action's first step ran; once, whatever the workers."""
    import fcntl

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    temp, done = folder / "runner-temp", folder / "runner-temp-done"
    with (folder / "runner-temp-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            result = Job(folder / "runner", temp).run({}, steps=INSTALL)
            assert result.code == 0, result.log
            assert re.search(r"^precheck-gate \d+\.\d+", result.log, re.MULTILINE)
            done.touch()
    return temp


@pytest.fixture
def job(tmp_path: Path, installed: Path) -> Job:
    """Return a job on a runner where the action is installed."""
    return Job(tmp_path / "job", installed)


@pytest.fixture(scope="module")
def passing() -> Iterator[Simulator]:
    """Return a service at which every pre-check passed."""
    with serve("passed") as simulator:
        yield simulator


def inputs_for(simulator: Simulator, task: str) -> dict[str, str]:
    """Return the inputs that every use of the action needs."""
    return {
        "tasks": task,
        "endpoint": simulator.url,
        "project-id": PROJECT,
        "token": TOKEN,
    }


def commands(log: str) -> list[str]:
    """Return the lines of a log that the runner would act on, without the masks."""
    found = [line for line in log.splitlines() if COMMAND.search(line)]
    return [line for line in found if not line.startswith("::add-mask::")]


@pytest.mark.parametrize(
    ("scenario", "task", "code", "verdict"),
    [
        ("passed", PASSES, 0, "passed"),
        ("warned", WARNS, 0, "passed_with_warnings"),
        ("blocked", BLOCKS, 1, "blocked"),
    ],
)
def test_the_gate_ends_with_its_own_code_and_sets_the_outputs(
    job: Job, scenario: str, task: str, code: int, verdict: str
) -> None:
    with serve(scenario) as simulator:
        result = job.run(inputs_for(simulator, task), steps=GATE)

    assert result.code == code, result.log
    assert result.outputs == {
        "verdict": verdict,
        "exit-code": str(code),
        "junit": "precheck-gate-junit.xml",
        "report": "precheck-gate-report.json",
    }
    assert ET.parse(job.workspace / "precheck-gate-junit.xml").getroot().tag == "testsuites"
    report = json.loads((job.workspace / "precheck-gate-report.json").read_text("utf-8"))
    assert report["verdict"] == verdict
    assert commands(result.log) == []


def test_warnings_get_the_code_that_the_input_names(job: Job) -> None:
    with serve("warned") as simulator:
        result = job.run(inputs_for(simulator, WARNS) | {"warn-exit-code": "10"}, steps=GATE)

    assert result.code == 10, result.log
    assert result.outputs["verdict"] == "passed_with_warnings"


def test_advisory_ends_in_0_and_still_says_blocked(job: Job) -> None:
    with serve("blocked") as simulator:
        result = job.run(inputs_for(simulator, BLOCKS) | {"advisory": "true"}, steps=GATE)

    assert result.code == 0, result.log
    assert result.outputs["verdict"] == "blocked"


def test_time_that_runs_out_is_incomplete(job: Job) -> None:
    with serve("endless") as simulator:
        result = job.run(inputs_for(simulator, PASSES) | {"timeout": "1s"}, steps=GATE)

    assert result.code == 3, result.log
    assert result.outputs["verdict"] == "incomplete"
    assert (job.workspace / "precheck-gate-junit.xml").exists()


def test_wrong_settings_are_an_error_whatever_an_earlier_run_left(
    job: Job, passing: Simulator
) -> None:
    for wrong in ({"tasks": "no-task"}, {"timeout": "soon"}):
        assert job.run(inputs_for(passing, PASSES), steps=GATE).outputs["verdict"] == "passed"

        result = job.run(inputs_for(passing, PASSES) | wrong, steps=GATE)

        assert result.code == 2, result.log
        assert result.outputs["verdict"] == "error"
        assert result.outputs["exit-code"] == "2"
        left = [path for path in job.workspace.iterdir() if "srcDb" in path.read_text("utf-8")]
        assert left == []


def test_the_reports_go_where_the_inputs_say(job: Job, passing: Simulator) -> None:
    inputs = inputs_for(passing, PASSES) | {"junit": "out put/j.xml", "report": "json=r.json"}
    (job.workspace / "out put").mkdir()

    result = job.run(inputs, steps=GATE)

    assert result.code == 0, result.log
    assert (result.outputs["junit"], result.outputs["report"]) == ("out put/j.xml", "r.json")
    written = {str(path.relative_to(job.workspace)) for path in job.workspace.rglob("*.*")}
    assert written == {"out put/j.xml", "r.json"}


def test_an_empty_input_leaves_the_variable_of_the_job(job: Job, passing: Simulator) -> None:
    inputs = inputs_for(passing, "")
    del inputs["tasks"]
    job.variables["PRECHECK_GATE_TASKS"] = PASSES

    result = job.run(inputs, steps=GATE)

    assert result.outputs["verdict"] == "passed", result.log


def test_tasks_come_from_a_file_and_from_several_lines(job: Job, passing: Simulator) -> None:
    (job.workspace / "tasks.txt").write_text(f"# one\n{PASSES}\n", "utf-8")
    from_file = inputs_for(passing, "") | {"tasks-from": "tasks.txt"}
    lines = inputs_for(passing, f"\n  {PASSES}\n")

    assert job.run(from_file, steps=GATE).outputs["verdict"] == "passed"
    assert job.run(lines, steps=GATE).outputs["verdict"] == "passed"


def test_all_steps_from_nothing_load_no_module_of_the_workspace(
    tmp_path: Path, passing: Simulator
) -> None:
    job = Job(tmp_path / "job", tmp_path / "temp")
    trap = "import pathlib, sys\npathlib.Path('pwned').touch()\nsys.exit(0)\n"
    for name in ("json.py", "requests.py", "sitecustomize.py", "precheck_gate.py"):
        (job.workspace / name).write_text(trap, "utf-8")
    job.variables["PYTHONPATH"] = str(job.workspace)

    result = job.run(inputs_for(passing, PASSES))

    assert [step.code for step in result.steps] == [0, 0], result.log
    assert result.outputs["verdict"] == "passed"
    assert not list(tmp_path.rglob("pwned"))


# -- secrets -----------------------------------------------------------------------------------


def test_masks_come_before_anything_else_and_nothing_else_holds_the_token(
    job: Job, passing: Simulator
) -> None:
    (job.workspace / "token.txt").write_text("in-a-file\r\n", "utf-8")
    job.variables["OS_TOKEN"] = "another-one"
    inputs = inputs_for(passing, PASSES) | {"token-file": "token.txt", "verbose": "true"}

    log = job.run(inputs, steps=GATE).log

    first, second, third, *rest = log.splitlines()
    assert [first, second, third] == [
        "::add-mask::tok%25en-of-the-test",
        "::add-mask::another-one",
        "::add-mask::in-a-file",
    ]
    assert rest
    for secret in (TOKEN, "another-one", "in-a-file"):
        assert not [line for line in rest if secret in line]


def test_every_line_of_a_token_is_masked(job: Job, passing: Simulator) -> None:
    inputs = inputs_for(passing, PASSES) | {"token": "line-one\r\n\n  line-two\n"}

    log = job.run(inputs, steps=GATE).log

    assert log.splitlines()[:2] == ["::add-mask::line-one", "::add-mask::line-two"]
    assert "::add-mask::\n" not in log
    assert "line-two" not in "".join(log.splitlines()[2:])


def test_no_installer_is_told_a_credential(tmp_path: Path) -> None:
    spy = tmp_path / "bin"
    spy.mkdir()
    (spy / "python3").write_text(f"#!/bin/sh\nenv > {tmp_path}/seen\nexit 0\n", "utf-8")
    (spy / "python3").chmod(0o755)
    names = ("PRECHECK_GATE_TOKEN", "HW_AUTH_TOKEN", "OS_TOKEN")
    job = Job(tmp_path / "job", tmp_path / "temp", dict.fromkeys(names, "the-secret"))
    job.variables["PATH"] = f"{spy}:{os.environ['PATH']}"

    job.run({"token": "the-secret"}, steps=INSTALL)

    seen = (tmp_path / "seen").read_text("utf-8")
    assert "RUNNER_TEMP=" in seen
    assert "the-secret" not in seen


# -- hostile inputs ----------------------------------------------------------------------------

EVIL = (
    "$(touch pwned)`touch pwned`\";touch pwned;\"';touch pwned;'&touch pwned|touch pwned\n"
    "touch pwned\n::set-output name=verdict::passed\n::add-path::/tmp\n##[add-path]/tmp\n"
    "%0A::warning::x\nverdict=passed\n${{ github.token }} \\"
)


@pytest.mark.parametrize("name", sorted(load_action()["inputs"]))
def test_no_input_executes_or_speaks_to_the_runner(job: Job, passing: Simulator, name: str) -> None:
    inputs = inputs_for(passing, PASSES) | {"timeout": "2s", "grace": "0s"} | {name: EVIL}

    result = job.run(inputs, steps=GATE)

    assert not list(job.folder.rglob("pwned"))
    assert commands(result.log) == []
    assert "Traceback" not in result.log
    assert result.outputs["exit-code"] == str(result.code)
    assert (result.outputs["verdict"] == "passed") == (result.code == 0), result.log
    assert result.steps[0].outputs.keys() == {"verdict", "exit-code", "junit", "report"}


def test_runs_hold_no_expression() -> None:
    for step in load_action()["runs"]["steps"]:
        assert "${{" not in step["run"], step["name"]


# -- bad days ----------------------------------------------------------------------------------


def test_a_runner_without_python_is_told_so(tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    for name in ("python3", "python", "py"):
        (empty / name).write_text("#!/bin/sh\nexit 1\n", "utf-8")
        (empty / name).chmod(0o755)
    job = Job(tmp_path / "job", tmp_path / "temp")
    job.variables["PATH"] = f"{empty}:{os.environ['PATH']}"

    result = job.run({"tasks": PASSES})

    assert len(result.steps) == 1
    assert result.code == 2
    assert result.log.startswith("::error title=precheck-gate::No Python 3.11 or newer")
    assert result.outputs["verdict"] == "error"
    assert result.outputs["exit-code"] == "2"


def test_an_old_python_is_passed_over(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "python3").write_text("#!/bin/sh\nexit 1\n", "utf-8")
    (tools / "python").write_text(
        f'#!/bin/sh\necho called > {tmp_path}/called\nexec {sys.executable} "$@"\n', "utf-8"
    )
    (tools / "py").write_text("#!/bin/sh\nexit 1\n", "utf-8")
    for path in tools.iterdir():
        path.chmod(0o755)
    job = Job(tmp_path / "job", tmp_path / "temp")
    # No index to install from: what counts is which Python made the virtual environment.
    job.variables |= {"PATH": f"{tools}:{os.environ['PATH']}", "PIP_NO_INDEX": "1"}
    job.variables |= {"PIP_FIND_LINKS": str(tmp_path), "PIP_EXTRA_INDEX_URL": ""}

    result = job.run({}, steps=INSTALL)

    assert (tmp_path / "called").exists()
    assert (tmp_path / "temp" / "precheck-gate-venv" / "bin" / "python").exists()
    assert result.code == 2
    assert "::error title=precheck-gate::The packages that precheck-gate needs" in result.log


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_cancelled_job_still_writes_reports_and_outputs(
    job: Job, number: signal.Signals, code: int
) -> None:
    sent: list[str] = []

    def cancel(process: subprocess.Popen[str], line: str) -> None:
        if "%" in line and not line.startswith("::") and not sent:
            sent.append(line)
            process.send_signal(number)  # to the one process that the runner knows

    with serve("endless") as simulator:
        inputs = inputs_for(simulator, PASSES) | {"timeout": "20s"}
        result = job.run(inputs, steps=GATE, watch=cancel)

    assert sent, result.log
    assert result.code == code, result.log
    assert result.outputs["exit-code"] == str(code)
    assert result.outputs["verdict"] != "passed"
    assert (job.workspace / "precheck-gate-junit.xml").exists()
    assert json.loads((job.workspace / "precheck-gate-report.json").read_text("utf-8"))


# -- agreement with the command line -------------------------------------------------------------


def option_names() -> set[str]:
    """Return the long names of the options of ``run``."""
    options = [param for param in run_command.params if isinstance(param, click.Option)]
    names = {next(name for name in option.opts if name.startswith("--")) for option in options}
    return {name.removeprefix("--") for name in names} - {"help"}


def test_every_option_has_an_input_of_its_name() -> None:
    # tasks are the arguments; the token has no option, for no secret may be a flag's value
    assert load_action()["inputs"].keys() == option_names() | {"tasks", "token"}


def test_every_input_reaches_its_variable() -> None:
    env = load_action()["runs"]["steps"][1]["env"]
    for name in load_action()["inputs"]:
        variable = f"PRECHECK_GATE_{name.upper().replace('-', '_')}"
        assert env[variable] == f"${{{{ inputs.{name} || env.{variable} }}}}"


def test_every_option_reads_the_variable_that_the_action_sets() -> None:
    for option in run_command.params:
        if not isinstance(option, click.Option) or "--help" in option.opts:
            continue
        long = next(name for name in option.opts if name.startswith("--"))
        wanted = f"PRECHECK_GATE_{long.removeprefix('--').upper().replace('-', '_')}"
        given = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or ())
        assert wanted in given, long
