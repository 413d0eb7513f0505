"""Jenkins: the shared-library step and both pipelines, played by a Jenkins of a hundred lines."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.peers.composite import clean_environment
from tests.peers.test_action import options
from tests.peers.tools import BLOCKS, PASSES, PROJECT, WARNS, java_home, once, program, serve
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(os.name != "posix", reason="plays a Linux agent"),
]

LIBRARY = ROOT / "integrations" / "jenkins"
STEP = LIBRARY / "vars" / "precheckGate.groovy"
EXAMPLES = ROOT / "examples" / "jenkins"
MIGRATED = "Replace this line with the command that starts your migration."
TOKEN = "token-of-the-test"

# How the examples and further pipelines are run: by what, at which service, and what comes of it.
TASKS = {"passed": PASSES, "warned": WARNS, "blocked": BLOCKS, "endless": PASSES}
RESULTS = {"passed": "SUCCESS", "warned": "UNSTABLE", "blocked": "FAILURE", "endless": "FAILURE"}
# Jenkins would drop such a variable, and the gate would judge without the setting.
EMPTY = {"policy": "policy: ''", "profile": "profile: ' '", "select": "select: null"}
PIPELINES = {"library": "Jenkinsfile", "plain": "plain.Jenkinsfile"}


@dataclass
class Build:
    """What came of a build."""

    result: str
    message: str
    events: list[dict[str, Any]]
    workspace: Path

    def of(self, step: str) -> list[dict[str, Any]]:
        """Return what the steps of a kind did."""
        return [event for event in self.events if event["step"] == step]

    @property
    def migrated(self) -> bool:
        """Whether the migration was started."""
        return MIGRATED in [event["text"] for event in self.of("echo")]


def agent(folder: Path) -> dict[str, str]:
    """Return the environment of an agent on which pip installs the precheck-gate of this tree."""
    folder.mkdir(parents=True)
    gate = f"""#!/bin/sh
exec '{sys.executable}' -m precheck_gate "$@"
"""
    python = f"""#!/bin/sh
[ "$*" = "-m venv .precheck-gate" ] || exit 9
mkdir -p .precheck-gate/bin
cp {folder}/precheck-gate {folder}/pip .precheck-gate/bin
"""
    pip = """#!/bin/sh
case "$*" in *precheck-gate==0.1.0) ;; *) exit 9 ;; esac
"""
    for name, text in (("precheck-gate", gate), ("python3", python), ("pip", pip)):
        (folder / name).write_text(text, "utf-8")
        (folder / name).chmod(0o755)
    return clean_environment() | {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "JENKINS_URL": "https://ci.example/",
    }


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Build]:
    """Return what became of all builds, made in one go, for Java is slow to start."""
    folder = once(tmp_path_factory, "jenkins", make_builds)
    made: dict[str, Any] = json.loads((folder / "made.json").read_text("utf-8"))
    return {
        name: Build(one["result"], one["message"], one["events"], folder / name)
        for name, one in made.items()
    }


def make_builds(folder: Path) -> None:
    """Make all builds; leave what became of them in ``made.json``."""
    groovy = program("groovy", debian="groovy")
    env = agent(folder / "agent")
    wanted: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        urls = {name: stack.enter_context(serve(name)).url for name in TASKS}

        def build(name: str, scenario: str, **more: Any) -> None:
            workspace = folder / name
            workspace.mkdir()
            shutil.copy(ROOT / "examples" / "policy.yaml", workspace)
            (workspace / "tasks.txt").write_text(TASKS[scenario] + "\n", "utf-8")
            (workspace / "precheck-gate-junit.xml").write_text("of an earlier build", "utf-8")
            policy = {"PRECHECK_GATE_ENDPOINT": urls[scenario]}
            wanted[name] = {
                "workspace": str(workspace),
                "library": str(LIBRARY),
                "env": env | policy | more.pop("env", {}),
                "secret": TOKEN,
                "params": {"DRS_REGION": "eu-west-101", "DRS_PROJECT_ID": PROJECT},
                **more,
            }

        for kind, file in PIPELINES.items():
            # The policy of the examples would block what merely warns in the scenario.
            text = (EXAMPLES / file).read_text("utf-8")
            text = re.sub(r"(?m)^.*policy.yaml',?\n", "", text)
            short = text.replace("'45m'", "'1s'")
            for scenario in TASKS:
                changed = short if scenario == "endless" else text
                build(f"{kind}-{scenario}", scenario, text=changed)
            build(f"{kind}-aborted", "endless", text=text.replace("'45m'", "'20s'"), abort=True)
            build(f"{kind}-refused", "passed", text=text, env={"PRECHECK_GATE_LANGUAGE": "xx"})
        calls = {
            "unknown": ("passed", "taskFrom: 'tasks.txt'"),
            "advisory": ("blocked", "tasksFrom: 'tasks.txt', advisory: true"),
            "wave": ("warned", f"tasks: ['{WARNS}'], report: ['sarif=s.sarif', 'markdown=s.md']"),
            "no-install": ("passed", "tasksFrom: 'tasks.txt', version: ''"),
            **{
                f"empty-{name}": ("passed", f"tasksFrom: 'tasks.txt', {given}")
                for name, given in EMPTY.items()
            },
            "hostile": ("passed", "tasksFrom: '$(touch pwned)`touch pwned`;touch pwned'"),
        }
        for name, (scenario, given) in calls.items():
            call = f"precheckGate({given}, projectId: '{PROJECT}', credentialsId: 'drs-token')"
            build(name, scenario, text=f"{call}\necho '{MIGRATED}'\n")
        (folder / "builds.json").write_text(json.dumps(list(wanted.values())), "utf-8")
        done = subprocess.run(
            [
                groovy,
                str(ROOT / "tests" / "peers" / "jenkins.groovy"),
                str(folder / "builds.json"),
            ],
            env=os.environ | {"JAVA_HOME": java_home()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
        )
    assert done.returncode == 0, done.stdout + done.stderr
    made = dict(zip(wanted, json.loads(done.stdout.splitlines()[-1]), strict=True))
    (folder / "made.json").write_text(json.dumps(made), "utf-8")


KINDS = pytest.mark.parametrize("kind", PIPELINES)


@pytest.mark.parametrize("scenario", TASKS)
@KINDS
def test_the_verdict_decides_whether_the_migration_starts(
    builds: Mapping[str, Build], kind: str, scenario: str
) -> None:
    build = builds[f"{kind}-{scenario}"]

    assert build.result == RESULTS[scenario], build.events
    assert build.migrated == (scenario in ("passed", "warned"))
    (junit,) = build.of("junit")
    assert junit["files"] == ["precheck-gate-junit.xml"]
    (archive,) = build.of("archive")
    assert "precheck-gate-report.json" in archive["files"]
    report = json.loads((build.workspace / "precheck-gate-report.json").read_text("utf-8"))
    assert report["exit_code"] == {"passed": 0, "warned": 10, "blocked": 1, "endless": 3}[scenario]


@KINDS
def test_an_aborted_build_is_aborted_and_keeps_its_reports(
    builds: Mapping[str, Build], kind: str
) -> None:
    build = builds[f"{kind}-aborted"]

    assert (build.result, build.migrated) == ("ABORTED", False)
    assert build.of("sh")[-1]["code"] == 143, build.of("sh")
    assert build.of("junit")[0]["files"] == ["precheck-gate-junit.xml"], build.events
    report = json.loads((build.workspace / "precheck-gate-report.json").read_text("utf-8"))
    assert report["verdict"] == "incomplete"


@KINDS
def test_wrong_settings_fail_the_build_and_publish_no_earlier_report(
    builds: Mapping[str, Build], kind: str
) -> None:
    build = builds[f"{kind}-refused"]

    assert (build.result, build.migrated) == ("FAILURE", False)
    assert build.message == "The migration must not start: precheck-gate exited with code 2."
    assert build.of("junit")[0]["files"] == ["precheck-gate-junit.xml"]
    # It is of this run, and red.
    junit = (build.workspace / "precheck-gate-junit.xml").read_text("utf-8")
    assert 'errors="1"' in junit
    assert "usage" in junit
    assert "of an earlier build" not in junit


@KINDS
def test_the_token_is_bound_for_the_gate_alone(builds: Mapping[str, Build], kind: str) -> None:
    shells = builds[f"{kind}-passed"].of("sh")
    with_token = [one["script"] for one in shells if one["bound"]]
    assert with_token == [".precheck-gate/bin/precheck-gate run"]
    assert len(shells) > 1
    assert not [one for one in shells if TOKEN in one["log"] or TOKEN in one["script"]]


@KINDS
def test_the_gate_gives_up_before_jenkins_does(builds: Mapping[str, Build], kind: str) -> None:
    (timeout,) = builds[f"{kind}-passed"].of("timeout")
    assert timeout["time"] == {"time": 1, "unit": "HOURS"}
    assert "'45m'" in (EXAMPLES / PIPELINES[kind]).read_text("utf-8")


# -- the step of the library -------------------------------------------------------------------


def test_an_option_that_does_not_exist_is_refused_before_anything_is_done(
    builds: Mapping[str, Build],
) -> None:
    build = builds["unknown"]
    assert (build.result, build.migrated, build.of("sh")) == ("FAILURE", False, [])
    assert "no option 'taskFrom'" in build.message


@pytest.mark.parametrize("name", EMPTY)
def test_an_option_that_is_empty_is_refused_before_anything_is_done(
    builds: Mapping[str, Build], name: str
) -> None:
    build = builds[f"empty-{name}"]
    assert (build.result, build.migrated, build.of("sh")) == ("FAILURE", False, [])
    assert f"the option '{name}' is empty" in build.message


def test_advisory_is_unstable_and_names_no_task_that_may_start(
    builds: Mapping[str, Build],
) -> None:
    build = builds["advisory"]
    assert (build.result, build.migrated) == ("UNSTABLE", True)
    (returned,) = build.of("returned")
    assert returned["value"] == {
        "exitCode": 0,
        "verdict": "blocked",
        "readyTasks": [],
        "blockedTasks": [BLOCKS],
        "warnings": 0,
    }


def test_a_wave_gets_the_tasks_that_may_start(builds: Mapping[str, Build]) -> None:
    build = builds["wave"]
    assert (build.result, build.migrated) == ("UNSTABLE", True)
    value = build.of("returned")[0]["value"]
    assert value["readyTasks"] == [WARNS]
    assert value["verdict"] == "passed_with_warnings"
    assert build.message == f"The pre-checks passed with {value['warnings']} warnings."
    assert (build.workspace / "s.sarif").exists()
    assert (build.workspace / "s.md").exists()


def test_without_a_version_nothing_is_installed(builds: Mapping[str, Build]) -> None:
    build = builds["no-install"]
    assert build.result == "SUCCESS"
    assert [one["script"] for one in build.of("sh")][1:] == ["precheck-gate run"]


def test_no_value_becomes_part_of_a_command(builds: Mapping[str, Build]) -> None:
    build = builds["hostile"]
    assert (build.result, build.migrated) == ("FAILURE", False)
    assert not list(build.workspace.parent.rglob("pwned"))


def test_every_option_of_the_program_is_one_of_the_step() -> None:
    known = re.findall(r"'(\w+)'", STEP.read_text("utf-8").split("known = [")[1].split("]")[0])
    by_itself = {"warn-exit-code", "junit", "ci"}
    wanted = [re.sub("-(.)", lambda match: match[1].upper(), one) for one in options()
              if one not in by_itself]  # fmt: skip
    missing = set(wanted) - set(known)
    assert not missing, f"precheckGate.groovy does not know {sorted(missing)}"
    assert set(known) - set(wanted) == {"tasks"}


def test_the_help_names_every_option_that_is_not_the_programs() -> None:
    text = (LIBRARY / "vars" / "precheckGate.txt").read_text("utf-8")
    own = re.findall(r"'(\w+)'", STEP.read_text("utf-8").split(" own = [")[1].split("]")[0])
    assert len(own) == 4
    for name in own:
        assert re.search(rf"(?m)^    {name} ", text)
