"""The composite action, run step by step as the runner would, against the simulator."""

from __future__ import annotations

import json
import os
import re
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import click
import pytest

from precheck_gate.__main__ import run_main
from precheck_gate.cli.commands.run import run as run_command
from precheck_gate.drs.auth.access_key import AccessKey
from precheck_gate.drs.auth.iam_token import IamToken
from precheck_gate.drs.auth.user import IamUser
from tests.peers.composite import Job, action_script, load_action, read_outputs
from tests.peers.tools import BLOCKS, PASSES, PROJECT, WARNS, once, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from precheck_gate.simulator.server import Simulator

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(os.name != "posix", reason="plays a Linux runner"),
]

FIND, INSTALL, GATE = ("Find",), ("Install",), ("Run",)
OUTPUTS = {
    *("verdict", "exit-code", "ready-tasks", "blocked-tasks", "warnings"),
    *("junit", "report", "summary"),
}
TOKEN = "tok%en-of-the-test"

# A command to the runner, in both of its forms, and those that the gate is meant to give.
COMMAND = re.compile(r"^\s*::[A-Za-z]|##\[", re.MULTILINE)
MEANT = re.compile(r"::(add-mask|error|warning|group|endgroup)( title=[^:]*)?::")


def lay_traps(job: Job) -> None:
    """Put modules into the workspace that nothing may load."""
    trap = "import pathlib, sys\npathlib.Path('pwned').touch()\nsys.exit(0)\n"
    for name in ("json.py", "requests.py", "sitecustomize.py", "precheck_gate.py", "venv.py"):
        (job.workspace / name).write_text(trap, "utf-8")
    job.variables["PYTHONPATH"] = str(job.workspace)


def install(folder: Path) -> None:
    """Run the action's first steps, in a workspace that tries to slip in its own modules."""
    job = Job(folder / "runner", folder / "temp")
    lay_traps(job)
    result = job.run({}, only=(*FIND, "Set up", *INSTALL))
    assert [step.code for step in result.steps] == [0, 0], result.log
    assert re.search(r"(?m)^precheck-gate \d+\.\d+.*, installed in \d+ s$", result.log)
    assert not list(job.folder.rglob("pwned"))


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a RUNNER_TEMP in which the action is installed."""
    return once(tmp_path_factory, "runner", install) / "temp"


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
    """Return the lines of a log that the runner would act on and that nobody meant."""
    found = [line for line in log.splitlines() if COMMAND.search(line)]
    return [line for line in found if not MEANT.match(line)]


@pytest.mark.parametrize(
    ("scenario", "task", "code", "verdict", "warnings"),
    [
        ("passed", PASSES, 0, "passed", 0),
        ("warned", WARNS, 0, "passed_with_warnings", 2),
        ("blocked", BLOCKS, 1, "blocked", 0),
    ],
)
def test_the_gate_ends_with_its_own_code_and_sets_the_outputs(
    job: Job, scenario: str, task: str, code: int, verdict: str, warnings: int
) -> None:
    with serve(scenario) as simulator:
        result = job.run(inputs_for(simulator, task), only=GATE)

    assert result.code == code, result.log
    ready = json.dumps([task])
    assert result.outputs == {
        "verdict": verdict,
        "exit-code": str(code),
        "ready-tasks": ready if code == 0 else "[]",
        "blocked-tasks": "[]" if code == 0 else ready,
        "warnings": str(warnings),
        "junit": "precheck-gate-junit.xml",
        "report": "precheck-gate-report.json",
        "summary": "precheck-gate-summary.md",
    }
    assert ET.parse(job.workspace / "precheck-gate-junit.xml").getroot().tag == "testsuites"
    report = json.loads((job.workspace / "precheck-gate-report.json").read_text("utf-8"))
    assert report["verdict"] == verdict
    assert task[:8] in (job.workspace / "precheck-gate-summary.md").read_text("utf-8")
    assert task[:8] in result.summary
    assert commands(result.log) == []
    assert ("::error " in result.log) == (verdict == "blocked")
    assert ("::warning " in result.log) == (warnings > 0)


def test_warnings_get_the_code_that_the_input_names(job: Job) -> None:
    with serve("warned") as simulator:
        result = job.run(inputs_for(simulator, WARNS) | {"warn-exit-code": "10"}, only=GATE)

    assert result.code == 10, result.log
    assert result.outputs["verdict"] == "passed_with_warnings"


def test_advisory_ends_in_0_and_still_says_blocked(job: Job) -> None:
    with serve("blocked") as simulator:
        result = job.run(inputs_for(simulator, BLOCKS) | {"advisory": "true"}, only=GATE)

    assert result.code == 0, result.log
    assert result.outputs["verdict"] == "blocked"


def test_time_that_runs_out_is_incomplete(job: Job) -> None:
    with serve("endless") as simulator:
        result = job.run(inputs_for(simulator, PASSES) | {"timeout": "1s"}, only=GATE)

    assert result.code == 3, result.log
    assert result.outputs["verdict"] == "incomplete"
    assert (job.workspace / "precheck-gate-junit.xml").exists()


def test_wrong_settings_are_an_error_whatever_an_earlier_run_left(
    job: Job, passing: Simulator
) -> None:
    for wrong in ({"tasks": "no-task"}, {"timeout": "soon"}):
        assert job.run(inputs_for(passing, PASSES), only=GATE).outputs["verdict"] == "passed"

        result = job.run(inputs_for(passing, PASSES) | wrong, only=GATE)

        assert result.code == 2, result.log
        assert result.outputs["verdict"] == "error"
        assert result.outputs["exit-code"] == "2"
        left = [path for path in job.workspace.iterdir() if "srcDb" in path.read_text("utf-8")]
        assert left == []


def test_the_reports_go_where_the_inputs_say(job: Job, passing: Simulator) -> None:
    inputs = inputs_for(passing, PASSES) | {"junit": "out put/j.xml", "report": "json=r.json"}
    (job.workspace / "out put").mkdir()

    result = job.run(inputs, only=GATE)

    assert result.code == 0, result.log
    assert (result.outputs["junit"], result.outputs["report"]) == ("out put/j.xml", "r.json")
    written = {str(path.relative_to(job.workspace)) for path in job.workspace.rglob("*.*")}
    assert written == {"out put/j.xml", "r.json", "precheck-gate-summary.md"}


def test_an_input_that_is_not_given_leaves_the_variable_of_the_job(
    job: Job, passing: Simulator
) -> None:
    inputs = inputs_for(passing, PASSES)
    del inputs["tasks"]
    job.variables["PRECHECK_GATE_TASKS"] = PASSES

    result = job.run(inputs, only=GATE)

    assert result.outputs["verdict"] == "passed", result.log


def test_tasks_come_from_a_file_and_from_several_lines(job: Job, passing: Simulator) -> None:
    (job.workspace / "tasks.txt").write_text(f"# one\n{PASSES}\n", "utf-8")
    from_file = inputs_for(passing, PASSES) | {"tasks-from": "tasks.txt"}
    del from_file["tasks"]
    lines = inputs_for(passing, f"\n  {PASSES}\n")

    assert job.run(from_file, only=GATE).outputs["verdict"] == "passed"
    assert job.run(lines, only=GATE).outputs["verdict"] == "passed"


def test_no_step_loads_a_module_of_the_workspace(job: Job, passing: Simulator) -> None:
    lay_traps(job)

    result = job.run(inputs_for(passing, PASSES), only=GATE)

    assert result.outputs["verdict"] == "passed", result.log
    assert not list(job.folder.rglob("pwned"))


# -- secrets -----------------------------------------------------------------------------------


def test_masks_come_before_anything_else_and_nothing_else_holds_the_token(
    job: Job, passing: Simulator
) -> None:
    (job.workspace / "token.txt").write_text("in-a-file\r\n", "utf-8")
    job.variables["OS_TOKEN"] = "another-one"
    inputs = inputs_for(passing, PASSES) | {"token-file": "token.txt", "verbose": "true"}

    log = job.run(inputs, only=GATE).log

    first, second, third, *rest = log.splitlines()
    assert [first, second, third] == [
        "::add-mask::tok%25en-of-the-test",
        "::add-mask::another-one",
        "::add-mask::in-a-file",
    ]
    assert rest
    for secret in (TOKEN, "another-one", "in-a-file"):
        shown = [line for line in rest if not line.startswith("::add-mask::")]
        assert not [line for line in shown if secret in line]


def test_every_line_of_a_token_is_masked(job: Job, passing: Simulator) -> None:
    inputs = inputs_for(passing, PASSES) | {"token": "line-one\r\n\n  line-two\n"}

    log = job.run(inputs, only=GATE).log

    assert log.splitlines()[:2] == ["::add-mask::line-one", "::add-mask::line-two"]
    assert "::add-mask::\n" not in log
    assert "line-two" not in "".join(log.splitlines()[2:])


def test_no_installer_is_told_a_credential(tmp_path: Path) -> None:
    spy = tmp_path / "bin"
    spy.mkdir()
    (spy / "python3").write_text(f"#!/bin/sh\nenv > {tmp_path}/seen\nexit 0\n", "utf-8")
    (spy / "python3").chmod(0o755)
    names = [name for names in SECRET_VARIABLES for name in names]
    job = Job(tmp_path / "job", tmp_path / "temp", dict.fromkeys(names, "the-secret"))
    job.variables["PATH"] = f"{spy}:{os.environ['PATH']}"

    job.run(dict.fromkeys(SECRET_INPUTS, "the-secret"), only=INSTALL)

    seen = (tmp_path / "seen").read_text("utf-8")
    assert "RUNNER_TEMP=" in seen
    assert "the-secret" not in seen


# -- hostile inputs ----------------------------------------------------------------------------

EVIL = (
    "$(touch pwned)`touch pwned`\";touch pwned;\"';touch pwned;'&touch pwned|touch pwned\n"
    "touch pwned\n::set-output name=verdict::passed\n::add-path::/tmp\n##[add-path]/tmp\n"
    "%0A::warning::x\nverdict=passed\n${{ github.token }} \\"
)


INPUTS = sorted(load_action()["inputs"])


@pytest.mark.parametrize("name", INPUTS)
def test_an_input_reaches_the_program_as_it_is_and_executes_nothing(
    tmp_path: Path, name: str
) -> None:
    job = Job(tmp_path / "job", tmp_path / "temp")
    program = tmp_path / "temp" / "precheck-gate-venv" / "bin" / "python"
    program.parent.mkdir(parents=True)
    # The script itself runs; the gate that it calls shows what it was told.
    program.write_text(
        f'#!/bin/sh\nexec {sys.executable} -I -c "import runpy, sys; sys.argv[0] = sys.argv[1]; '
        f"sys.executable = '{tmp_path}/gate'; runpy.run_path(sys.argv[1], run_name='__main__')"
        '" "$4"\n',
        "utf-8",
    )
    (tmp_path / "gate").write_text(f"#!/bin/sh\nexec env -0 >'{tmp_path}/seen'\n", "utf-8")
    program.chmod(0o755)
    (tmp_path / "gate").chmod(0o755)

    result = job.run({name: EVIL}, only=GATE)

    assert result.code == 0, result.log
    seen = (tmp_path / "seen").read_text("utf-8").split("\0")
    # Of the reports, the script makes lines, and adds its own.
    whole = EVIL if name != "report" else EVIL.splitlines()[0]
    wanted = f"PRECHECK_GATE_{name.upper().replace('-', '_')}={whole}"
    assert any(one == wanted or one.startswith(f"{wanted}\n") for one in seen)
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("name", INPUTS)
def test_the_gate_never_speaks_to_the_runner_with_the_words_of_an_input(
    tmp_path: Path,
    passing: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    name: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in os.environ:
        if not re.match("PATH|HOME|TMP", variable):
            monkeypatch.delenv(variable)
    given = inputs_for(passing, PASSES) | {"timeout": "1s", "grace": "0s", name: EVIL}
    for one, value in given.items():
        monkeypatch.setenv(f"PRECHECK_GATE_{one.upper().replace('-', '_')}", value)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    (tmp_path / "output").touch()

    code = run_main(["run"])

    printed = "".join(capfd.readouterr())
    assert commands(printed) == []
    assert "Traceback" not in printed
    assert code != 70, printed
    outputs = read_outputs(tmp_path / "output")
    assert outputs.get("exit-code", str(code)) == str(code)
    assert (outputs.get("verdict") == "passed") == (code == 0)


def test_evil_in_many_inputs_at_once_on_the_whole_way(job: Job, passing: Simulator) -> None:
    inputs = inputs_for(passing, PASSES) | {"junit": EVIL, "profile": EVIL, "verbose": "true"}

    result = job.run(inputs, only=GATE)

    assert not list(job.folder.rglob("pwned"))
    assert commands(result.log) == []
    assert "Traceback" not in result.log
    assert result.outputs["exit-code"] == str(result.code) != "0"
    assert result.outputs["verdict"] == "error"
    assert result.steps[0].outputs.keys() == OUTPUTS


def test_runs_hold_no_expression() -> None:
    for step in load_action()["runs"]["steps"]:
        assert "${{" not in step.get("run", ""), step["name"]


# -- bad days ----------------------------------------------------------------------------------


def fake_tools(folder: Path, **scripts: str) -> str:
    """Return a PATH on which these programs come first."""
    folder.mkdir()
    for name in ("python3", "python", "py"):
        (folder / name).write_text(scripts.get(name, "#!/bin/sh\nexit 1\n"), "utf-8")
        (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_a_python_is_set_up_only_where_none_is_found(tmp_path: Path) -> None:
    called: list[dict[str, str]] = []

    def setup_python(given: dict[str, str]) -> dict[str, str]:
        called.append(given)
        return {"python-path": str(tmp_path / "set-up")}

    job = Job(tmp_path / "job", tmp_path / "temp")
    job.actions["actions/setup-python"] = setup_python
    names = (*FIND, "Set up")
    assert job.run({}, only=names).steps[0].outputs == {"found": "true"}
    assert called == []

    # What counts is which Python is to make the virtual environment; this one makes none.
    (tmp_path / "set-up").write_text("#!/bin/sh\n[ $2 = -c ]\n", "utf-8")
    (tmp_path / "set-up").chmod(0o755)
    job.variables["PATH"] = fake_tools(tmp_path / "bin")
    result = job.run({"tasks": PASSES})

    assert result.steps[0].outputs == {"found": "false"}
    assert called == [{"python-version": "3.13", "update-environment": "False"}]
    assert result.code == 2
    assert "::error title=precheck-gate::This Python cannot create virtual" in result.log


def test_a_runner_on_which_no_python_can_be_set_up_is_told_so(tmp_path: Path) -> None:
    job = Job(tmp_path / "job", tmp_path / "temp")
    job.actions["actions/setup-python"] = lambda _: {"python-path": "/absent/python"}
    job.variables["PATH"] = fake_tools(tmp_path / "bin")

    result = job.run({"tasks": PASSES})

    assert [step.name.split()[0] for step in result.steps] == ["Find", "Set", "Install"]
    assert result.code == 2
    assert "::error title=precheck-gate::No Python 3.11 or newer" in result.log
    assert result.outputs == {
        "verdict": "error",
        "exit-code": "2",
        "ready-tasks": "[]",
        "blocked-tasks": "[]",
        "warnings": "0",
        "junit": "",
        "report": "",
        "summary": "",
    }


def test_an_old_python_is_passed_over(tmp_path: Path) -> None:
    good = f'#!/bin/sh\necho called > {tmp_path}/called\nexec {sys.executable} "$@"\n'
    job = Job(tmp_path / "job", tmp_path / "temp")
    job.variables["PATH"] = fake_tools(tmp_path / "bin", python=good)

    assert job.run({}, only=FIND).steps[0].outputs == {"found": "true"}
    assert (tmp_path / "called").exists()


# -- agreement with the command line -------------------------------------------------------------

# The credentials have no option, for no secret may be a flag's value; the tasks are arguments.
SECRET_INPUTS = ("token", "access-key", "secret-key", "security-token", "password")
WITHOUT_OPTION = {"tasks", "user-name", "domain-name", *SECRET_INPUTS}
SECRET_VARIABLES = (
    [name for names in IamToken.variables for name in names.required],
    *(names.required + names.optional for names in AccessKey.variables),
    *(names.required[1:] for names in IamUser.variables),
)


def options() -> dict[str, click.Option]:
    """Return the options of ``run`` by their long names."""
    found = [param for param in run_command.params if isinstance(param, click.Option)]
    long = [(name[2:], one) for one in found for name in one.opts if name.startswith("--")]
    return {name: one for name, one in long if name != "help"}


@pytest.mark.parametrize("name", sorted(options()))
def test_every_option_has_an_input_of_its_name_that_says_its_default(name: str) -> None:
    inputs = load_action()["inputs"]
    assert name in inputs, f"action.yml has no input {name}"
    default = options()[name].default
    if isinstance(default, str):
        assert f"Without it, {default}." in inputs[name]["description"]


def test_no_input_is_without_an_option() -> None:
    assert set(load_action()["inputs"]) - set(options()) == WITHOUT_OPTION


@pytest.mark.parametrize("name", INPUTS)
def test_every_input_reaches_the_script_and_is_empty_only_where_it_was_lost(name: str) -> None:
    env = load_action()["runs"]["steps"][-1]["env"]
    assert env[f"GATE_INPUT_{name.upper().replace('-', '_')}"] == f"${{{{ inputs.{name} }}}}"
    assert load_action()["inputs"][name]["default"] == action_script().NOT_GIVEN


@pytest.mark.parametrize("text", ["", "  "])
@pytest.mark.parametrize("name", INPUTS)
def test_an_input_that_is_given_and_empty_is_refused_by_name(
    tmp_path: Path, name: str, text: str
) -> None:
    job = Job(tmp_path / "job", tmp_path / "temp")
    program = tmp_path / "temp" / "precheck-gate-venv" / "bin" / "python"
    program.parent.mkdir(parents=True)
    # The script itself runs, and no gate: that would be a call with -m.
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *" -m "*) exit 0 ;; esac\nexec {sys.executable} "$@"\n', "utf-8"
    )
    program.chmod(0o755)
    variable = f"PRECHECK_GATE_{name.upper().replace('-', '_')}"
    job.variables[variable] = "what the job says"

    result = job.run({name: text}, only=GATE)

    assert result.code == 2, result.log
    assert f"::error title=precheck-gate::The input {name} is set but empty" in result.log
    assert result.outputs["verdict"] == "error"
    assert result.outputs["exit-code"] == "2"


@pytest.mark.parametrize(
    ("given", "of_job", "expected"),
    [
        ("not given", None, None),
        ("not given", "1h", "1h"),
        ("not given", "", ""),
        ("30m", "1h", "30m"),
        ("30m", None, "30m"),
    ],
)
def test_the_variable_of_the_job_stands_in_for_an_input_that_is_not_given(
    given: str, of_job: str | None, expected: str | None
) -> None:
    env = {"GATE_INPUT_TIMEOUT": given, "OTHER": "kept"}
    env |= {} if of_job is None else {"PRECHECK_GATE_TIMEOUT": of_job}
    taken, lost = action_script().take_inputs(env)
    wanted = {} if expected is None else {"PRECHECK_GATE_TIMEOUT": expected}
    assert (taken, lost) == ({"OTHER": "kept"} | wanted, [])


def test_an_empty_variable_of_the_job_is_refused_by_the_gate(job: Job, passing: Simulator) -> None:
    job.variables["PRECHECK_GATE_PROFILE"] = ""

    result = job.run(inputs_for(passing, PASSES), only=GATE)

    assert result.code == 2, result.log
    assert "The variable PRECHECK_GATE_PROFILE is empty" in result.log


def test_every_option_reads_the_variable_that_the_action_sets() -> None:
    for name, option in options().items():
        wanted = f"PRECHECK_GATE_{name.upper().replace('-', '_')}"
        given = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or ())
        assert wanted in given, name


@pytest.mark.parametrize("name", sorted({name for names in SECRET_VARIABLES for name in names}))
def test_every_variable_with_a_credential_is_hidden(name: str) -> None:
    assert list(action_script().secret_lines({name: "a\n b \n"})) == ["a", "b"]
