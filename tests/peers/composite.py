"""Runs a composite action as GitHub's runner does: expressions, files, shells and outputs."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from tests.support.ci_runner import outputs_in
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(r"\s*(\|\||&&|==|!=|[()]|'[^']*'|[\w.-]+)")

# What the surroundings of the tests must not lend to a job.
_FOREIGN = re.compile(
    r"PRECHECK_GATE_|HW_|OS_|HUAWEICLOUD_|GITHUB_|RUNNER_|PYTEST_|PYTHON|VIRTUAL_ENV"
)


def clean_environment() -> dict[str, str]:
    """Return the environment of the tests without settings that a job would take for its own."""
    return {name: value for name, value in os.environ.items() if not _FOREIGN.match(name)}


def load_action() -> dict[str, Any]:
    """Return action.yml."""
    action: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return action


@functools.cache
def action_script() -> Any:
    """Return the action's script as a module."""
    path = ROOT / "integrations" / "github" / "action.py"
    spec = importlib.util.spec_from_file_location("precheck_gate_action", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class Step:
    """What one step did."""

    name: str
    code: int
    log: str
    outputs: dict[str, str]
    summary: str = ""


@dataclass
class Job:
    """A job on a runner: a workspace, a temporary folder, and the variables of the workflow."""

    folder: Path
    temp: Path
    variables: dict[str, str] = field(default_factory=dict)
    actions: dict[str, Callable[[dict[str, str]], dict[str, str]]] = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        self.workspace = self.folder / "workspace"
        self.workspace.mkdir(parents=True, exist_ok=True)
        self.temp.mkdir(parents=True, exist_ok=True)

    def environment(self, step: dict[str, Any], context: Context, files: Path) -> dict[str, str]:
        """Return the environment of a step; creates the files that it may write to."""
        files.mkdir(parents=True)
        env = clean_environment() | self.variables
        env |= {name: context.expand(str(text)) for name, text in step.get("env", {}).items()}
        env |= {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
        }
        for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_PATH"):
            (files / name).touch()
            env[name] = str(files / name)
        return env

    def start(self, step: dict[str, Any], context: Context, files: Path) -> subprocess.Popen[str]:
        """Start a ``shell: bash`` step; its two streams arrive as one, as in the runner's log."""
        assert step["shell"] == "bash", step
        env = self.environment(step, context, files)
        script = files / "script.sh"
        script.write_text(context.expand(step["run"]), encoding="utf-8")
        return subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=self.workspace,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )

    def run(
        self,
        inputs: dict[str, str],
        *,
        only: tuple[str, ...] = (),
        watch: Callable[[subprocess.Popen[str], str], None] | None = None,
    ) -> Result:
        """Run the action's steps, or those whose names begin so; one that fails ends the action.

        ``watch`` is called with each line as it comes, and the process that printed it.
        """
        action = load_action()
        unknown = inputs.keys() - action["inputs"].keys()
        assert not unknown, f"the action has no input {unknown}"
        defaults = {name: str(of.get("default", "")) for name, of in action["inputs"].items()}
        context = Context(defaults | inputs, self.variables)
        result = Result()
        for step in action["runs"]["steps"]:
            if only and not step["name"].startswith(only):
                continue
            if "if" in step and not context.evaluate(step["if"]):
                continue
            done = self.use(step, context) if "uses" in step else self.do(step, context, watch)
            result.steps.append(done)
            if "id" in step:
                context.steps[step["id"]] = done.outputs
            if done.code != 0:
                break
        values = {name: output["value"] for name, output in action["outputs"].items()}
        result.outputs = {name: context.expand(value) for name, value in values.items()}
        return result

    def use(self, step: dict[str, Any], context: Context) -> Step:
        """Play another action: what the test says that it does."""
        name = step["uses"].partition("@")[0]
        given = {key: context.expand(str(text)) for key, text in step.get("with", {}).items()}
        return Step(step["name"], 0, "", self.actions[name](given))

    def do(
        self,
        step: dict[str, Any],
        context: Context,
        watch: Callable[[subprocess.Popen[str], str], None] | None,
    ) -> Step:
        """Run a step with a script."""
        self.count += 1
        files = self.folder / f"step-{self.count}"
        with self.start(step, context, files) as process:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if watch is not None:
                    watch(process, line)
        for name in ("GITHUB_ENV", "GITHUB_PATH"):
            assert not (files / name).read_bytes(), f"the action changes {name}"
        outputs = read_outputs(files / "GITHUB_OUTPUT")
        summary = (files / "GITHUB_STEP_SUMMARY").read_text("utf-8")
        return Step(step["name"], process.returncode, "".join(lines), outputs, summary)


@dataclass
class Result:
    """What an action did."""

    steps: list[Step] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> int:
        """The exit code of the step that ended the action."""
        return self.steps[-1].code

    @property
    def log(self) -> str:
        """All that was printed."""
        return "".join(step.log for step in self.steps)

    @property
    def summary(self) -> str:
        """What the page of the job shows."""
        return "".join(step.summary for step in self.steps)


@dataclass
class Context:
    """What expressions may refer to."""

    inputs: dict[str, str]
    env: dict[str, str]
    steps: dict[str, dict[str, str]] = field(default_factory=dict)

    def expand(self, text: str) -> str:
        """Return ``text`` with the values of its expressions."""
        return _EXPRESSION.sub(lambda match: str(self.evaluate(match[1])), text)

    def evaluate(self, expression: str) -> str | bool:
        """Return the value of an expression of strings, ``==``, ``!=``, ``&&``, ``||``, ``()``."""
        tokens = _TOKEN.findall(expression)
        assert "".join(tokens) == re.sub(r"\s+", "", expression), expression
        value = self._either(tokens)
        assert not tokens, f"an expression that the tests do not know: {expression}"
        return value

    def _either(self, tokens: list[str]) -> str | bool:
        value = self._both(tokens)
        while tokens[:1] == ["||"]:
            tokens.pop(0)
            other = self._both(tokens)
            value = value or other
        return value

    def _both(self, tokens: list[str]) -> str | bool:
        value = self._compared(tokens)
        while tokens[:1] == ["&&"]:
            tokens.pop(0)
            other = self._compared(tokens)
            value = value and other
        return value

    def _compared(self, tokens: list[str]) -> str | bool:
        value = self._one(tokens)
        if tokens[:1] in (["=="], ["!="]):
            wanted = tokens.pop(0) == "=="
            return (str(value).lower() == str(self._one(tokens)).lower()) is wanted
        return value

    def _one(self, tokens: list[str]) -> str | bool:
        token = tokens.pop(0)
        if token != "(":
            return self._operand(token)
        value = self._either(tokens)
        assert tokens.pop(0) == ")"
        return value

    def _operand(self, operand: str) -> str:
        if operand.startswith("'"):
            return operand.strip("'")
        match operand.split("."):
            case ["inputs", name]:
                return self.inputs[name]
            case ["env", name]:
                return self.env.get(name, "")
            case ["github", "action_path"]:
                return str(ROOT)
            case ["steps", step, "outputs", name]:
                return self.steps.get(step, {}).get(name, "")
        raise AssertionError(f"an expression that the tests do not know: {operand}")


def read_outputs(path: Path) -> dict[str, str]:
    """Return what a step wrote to GITHUB_OUTPUT."""
    return outputs_in(path.read_text(encoding="utf-8"))
