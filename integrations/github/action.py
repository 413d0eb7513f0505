"""Run the gate for the GitHub action, and exit with the exit code of the gate.

The gate reads its settings from the environment, and writes annotations, outputs and the job
summary. This script does the rest, with the standard library only:

- It turns inputs into the variables that the gate reads.
- It masks credentials before anything is printed.
- It requests the reports that the outputs name.
- It forwards the signals of the runner.
- It sets outputs if the gate could not start.
"""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

# The reports that the outputs name, with their default paths.
DEFAULT_PATHS = {
    "junit": "precheck-gate-junit.xml",
    "json": "precheck-gate-report.json",
    "markdown": "precheck-gate-summary.md",
}

# Variables that hold a credential: our own, and those that other tools use.
SECRET_VARIABLE = re.compile(
    r"(PRECHECK_GATE|HUAWEICLOUD_SDK|HW|OS)_"
    r"(TOKEN|AUTH_TOKEN|SECURITY_TOKEN|ACCESS_KEY|SECRET_KEY|AK|SK|PASSWORD|USER_PASSWORD)"
    r"|HUAWEICLOUD_OIDC_ID_TOKEN"
)
SECRET_FILE_VARIABLES = (
    *("PRECHECK_GATE_TOKEN_FILE", "PRECHECK_GATE_ID_TOKEN_FILE"),
    *("HUAWEICLOUD_SDK_ID_TOKEN_FILE", "HUAWEICLOUD_OIDC_TOKEN_FILE"),
)
ID_TOKEN_VARIABLE = "PRECHECK_GATE_ID_TOKEN_VARIABLE"  # noqa: S105  # names the variable
PREFIX = "PRECHECK_GATE_"
INPUT_PREFIX = "GATE_INPUT_"
# The default of every input in action.yml. It tells a missing input from one that is set but empty.
NOT_GIVEN = "not given"
JUNIT_VARIABLE = "PRECHECK_GATE_JUNIT"
REPORT_VARIABLE = "PRECHECK_GATE_REPORT"
REPORT_VARIABLES = (JUNIT_VARIABLE, REPORT_VARIABLE)

# The verdict that follows from an exit code alone. Without outputs of the gate, nothing passed.
VERDICT_BY_CODE = {1: "blocked", 3: "incomplete"}


def take_inputs(env: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the environment of the gate, and the inputs that are set but empty.

    An input overrides the variable of the job with the same name.
    """
    of_job = {name: text for name, text in env.items() if not name.startswith(INPUT_PREFIX)}
    given: dict[str, str] = {}
    lost = []
    for name in sorted(env.keys() - of_job.keys()):
        short = name.removeprefix(INPUT_PREFIX)
        if not env[name].strip():
            lost.append(short.lower().replace("_", "-"))
        elif env[name] != NOT_GIVEN:
            given[PREFIX + short] = env[name]
    return {**given, **of_job, **given}, lost


def secret_lines(env: Mapping[str, str]) -> Iterator[str]:
    """Yield each line of each credential in ``env``, or in a file that it names, once."""
    texts = [value for name, value in env.items() if SECRET_VARIABLE.fullmatch(name)]
    texts.append(env.get(env.get(ID_TOKEN_VARIABLE, ""), ""))
    for path in filter(None, map(env.get, SECRET_FILE_VARIABLES)):
        with suppress(OSError, ValueError):  # the gate reports the problem
            # A pipe may never end, and the gate could not read it again.
            if Path(path).is_file():
                texts.append(Path(path).read_text(encoding="utf-8", errors="replace"))
    lines = (line.strip() for text in texts for line in text.splitlines())
    yield from dict.fromkeys(filter(None, lines))


def mask(env: Mapping[str, str]) -> None:
    """Tell the runner to mask the credentials."""
    for line in secret_lines(env):
        sys.stdout.write(f"::add-mask::{line.replace('%', '%25')}\n")
    sys.stdout.flush()


def choose_reports(env: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the path of each output's report, and all reports that the gate must write."""
    # The gate splits the variable in the same way: at newlines, and before each "format=".
    entries = re.split(r"\n|\s+(?=[a-z]+=)", env.get(REPORT_VARIABLE, ""))
    wanted = [entry.strip() for entry in entries if entry.strip()]
    junit = env.get(JUNIT_VARIABLE, "").strip()
    paths = {}
    for name, default in DEFAULT_PATHS.items():
        named = [junit] if name == "junit" else []
        named += [entry.partition("=")[2] for entry in wanted if entry.startswith(f"{name}=")]
        path = next((path for path in named if path not in ("", "-")), "")
        if not path:
            path = default
            wanted.append(f"{name}={path}")
        paths[name] = path
    return paths, wanted


def remove_old_reports(paths: Mapping[str, str], env: Mapping[str, str]) -> None:
    """Remove reports of an earlier run, so that none is mistaken for a report of this run.

    Links, devices such as /dev/stdout, and inputs of the gate are not removed. The gate refuses to
    overwrite its inputs.
    """
    settings = {name: text for name, text in env.items() if name.startswith(PREFIX)}
    inputs = {text for name, text in settings.items() if name not in REPORT_VARIABLES}
    for path in map(Path, paths.values()):
        with suppress(OSError, ValueError):  # the gate reports that it cannot write there
            is_input = any(os.path.realpath(path) == os.path.realpath(text) for text in inputs)
            if stat.S_ISREG(path.lstat().st_mode) and not is_input:
                path.unlink()


def run_gate(env: Mapping[str, str]) -> int:
    """Run the gate, forward the signals of the runner, and return the exit code."""
    command = [sys.executable, "-I", "-u", "-X", "utf8", "-m", "precheck_gate", "run"]
    children: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        if not children:
            early.append(number)
        elif os.name == "posix":  # on Windows, the child gets the signal itself
            children[0].send_signal(number)

    signal.signal(signal.SIGINT, forward)
    signal.signal(signal.SIGTERM, forward)
    # In its own process group: otherwise it would get a signal twice, and the second one ends it.
    group = 0 if os.name == "posix" else None
    children.append(subprocess.Popen(command, env=dict(env), process_group=group))
    for number in early[:1]:
        forward(number, None)
    code = children[0].wait()
    return code if code >= 0 else 128 - code


def outputs_are_set(path: str) -> bool:
    """Return whether the gate has set the outputs of this step."""
    with suppress(OSError):
        text = Path(path).read_text(encoding="utf-8", errors="replace")
        return re.search(r"^exit-code<<", text, re.MULTILINE) is not None
    return False


def set_outputs(path: str, code: int) -> None:
    """Set the outputs that follow from the exit code alone."""
    outputs = (
        f"verdict={VERDICT_BY_CODE.get(code, 'error')}\n"
        f"exit-code={code}\nready-tasks=[]\nblocked-tasks=[]\nwarnings=0\n"
        "junit=\nreport=\nsummary=\n"
    )
    try:
        with Path(path).open("a", encoding="utf-8", newline="\n") as file:
            file.write(outputs)
    except OSError as problem:
        sys.stdout.write(f"precheck-gate: the outputs could not be set: {problem.strerror}\n")


def main() -> int:
    """Run the action's gate step."""
    env, lost = take_inputs(os.environ)
    mask(env)
    paths, wanted = choose_reports(env)
    remove_old_reports(paths, env)
    code = refuse(lost) if lost else run_gate({**env, REPORT_VARIABLE: "\n".join(wanted)})
    outputs = os.environ.get("GITHUB_OUTPUT", "")
    if outputs and not outputs_are_set(outputs):
        set_outputs(outputs, code)
    return code


def refuse(lost: list[str]) -> int:
    """Name the inputs that are set but empty, and return the code of a usage error."""
    inputs = f"input {lost[0]} is" if len(lost) == 1 else f"inputs {', '.join(lost)} are"
    sys.stdout.write(
        f"::error title=precheck-gate::The {inputs} set but empty, so a setting was lost. Set "
        f"a value, or remove the input.\n"
    )
    sys.stdout.flush()
    return 2


if __name__ == "__main__":
    sys.exit(main())
