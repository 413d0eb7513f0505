"""Terraform: what it puts out is what the gate reads, and what the gate lets pass it starts."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.cli.options.tasks import parse_task_list
from tests.peers.test_other_systems import environment
from tests.peers.tools import PASSES, WARNS, program, python_package
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name != "posix", reason="runs a POSIX shell script")

TERRAFORM = ROOT / "examples" / "terraform"
SAMPLE = TERRAFORM / "outputs.sample.json"

# The arguments that the provider documents (version 1.97.1 and the page of drs_start_job).
JOB = {
    *("name", "type", "engine_type", "direction", "net_type", "migration_type"),
    *("source_db", "destination_db"),
}
DATABASE = {
    *("engine_type", "ip", "port", "user", "password"),
    *("region", "instance_id", "subnet_id"),
}
START = {"job_id"}
MARKED_UNVERIFIED = {"is_start_job", "is_pre_check"}
META = {"for_each", "lifecycle"}


def parsed(file: Path) -> dict[str, Any]:
    """Return what python-hcl2 makes of a file, without the quotes that it keeps around names."""
    python_package("python-hcl2")
    import hcl2

    text: dict[str, Any] = json.loads(
        json.dumps(hcl2.loads(file.read_text("utf-8"))).replace('\\"', "")
    )
    return text


def resource(file: Path, kind: str) -> dict[str, Any]:
    (block,) = [one[kind] for one in parsed(file)["resource"] if kind in one]
    found: dict[str, Any] = block["wave"]
    return {name: value for name, value in found.items() if not name.startswith("__")}


def test_the_tasks_are_created_and_not_started_with_arguments_that_are_documented() -> None:
    job = resource(TERRAFORM / "tasks" / "main.tf", "huaweicloud_drs_job")
    assert job.keys() - META - MARKED_UNVERIFIED == JOB
    for side in ("source_db", "destination_db"):
        (database,) = job[side]
        assert {name for name in database if not name.startswith("__")} <= DATABASE
    assert job["is_start_job"] in (False, "false")
    text = (TERRAFORM / "tasks" / "main.tf").read_text("utf-8")
    assert text.index("UNVERIFIED") < text.index("is_start_job = false")


def test_the_start_is_a_configuration_of_its_own() -> None:
    start = resource(TERRAFORM / "start" / "main.tf", "huaweicloud_drs_start_job")
    assert start.keys() - META == START
    assert "drs_start_job" not in (TERRAFORM / "tasks" / "main.tf").read_text("utf-8")


def test_terraform_itself_finds_the_files_in_order() -> None:
    terraform = program("terraform", debian="none", optional=True)
    if not terraform:
        pytest.skip("terraform is not installed: python-hcl2 has read the files")
    done = subprocess.run(
        [terraform, "fmt", "-check", "-recursive", str(TERRAFORM)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_gate_finds_the_tasks_in_what_terraform_puts_out() -> None:
    named = parse_task_list(SAMPLE.read_bytes(), "outputs.json")
    assert [task.task_id for task in named] == [PASSES, WARNS]
    outputs = parsed(TERRAFORM / "tasks" / "main.tf")["output"]
    assert {name for one in outputs for name in one} == set(json.loads(SAMPLE.read_text("utf-8")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the example with a terraform that answers as the recorded one did."""
    folder = tmp_path / "terraform"
    shutil.copytree(TERRAFORM, folder)
    (folder / "policy.yaml").write_text("version: 1\nextends: builtin:default\n", "utf-8")
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "terraform"
    fake.write_text(
        f"""#!/bin/sh
echo "$@" >>'{tmp_path}/calls'
case "$*" in
  *'output -json') cat '{SAMPLE}' ;;
  *'output -raw region') printf eu-west-101 ;;
esac
""",
        "utf-8",
    )
    fake.chmod(0o755)
    return folder


@pytest.mark.parametrize("blocked", [False, True])
def test_the_tasks_start_only_if_the_gate_lets_them(folder: Path, *, blocked: bool) -> None:
    from precheck_gate.documents.yaml_document import parse_document
    from precheck_gate.runtime.process import SystemClock
    from precheck_gate.simulator.scenario import load_scenario
    from precheck_gate.simulator.server import Simulator

    items = "items: [{item: srcDbBinlogIsOff, result: FAILED}]" if blocked else "answer: mysql"
    text = (
        f"version: 1\ntasks:\n  - {{id: {PASSES}, answer: mysql}}\n  - {{id: {WARNS}, {items}}}\n"
    )
    script = folder / "migrate.sh"
    with Simulator(load_scenario(parse_document(text, "two.yaml")), SystemClock()) as simulator:
        # The region's own endpoint is never asked in a test.
        line = "precheck-gate run \\\n"
        whole = script.read_text("utf-8")
        assert line in whole
        script.write_text(whole.replace(line, f"{line}  --endpoint {simulator.url} \\\n"), "utf-8")
        done = subprocess.run(
            ["sh", str(script)],
            env=environment(folder.parent),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
        )

    assert done.returncode == int(blocked), done.stdout + done.stderr
    calls = (folder.parent / "calls").read_text("utf-8").splitlines()
    started = [call for call in calls if call.startswith("-chdir=start apply")]
    assert bool(started) is not blocked
    if started:
        (ready,) = re.findall(r"ready_tasks=(.*)$", started[0])
        assert json.loads(ready) == [PASSES, WARNS]
