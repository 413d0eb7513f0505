"""Runs the gate for the GitHub action, and ends with the gate's exit code.

The gate reads its settings from the environment, and writes annotations, outputs and the job
summary by itself. What is left for this script: to turn inputs into the variables that the gate
reads, to hide credentials before anything is printed, to ask for the reports that the outputs name,
to pass on the runner's signals, and to set outputs where the gate could not even start. It uses the
standard library alone.
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

# The reports that the outputs name, and where they go unless the user says otherwise.
DEFAULT_PATHS = {
    "junit": "precheck-gate-junit.xml",
    "json": "precheck-gate-report.json",
    "markdown": "precheck-gate-summary.md",
}

# Variables of these names hold a credential, ours as well as those that the ecosystem uses.
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
# The default of every input in action.yml: so one that is given and empty is not taken for none.
NOT_GIVEN = "not given"
JUNIT_VARIABLE = "PRECHECK_GATE_JUNIT"
REPORT_VARIABLE = "PRECHECK_GATE_REPORT"
REPORT_VARIABLES = (JUNIT_VARIABLE, REPORT_VARIABLE)

# What an exit code says by itself. Without the gate's own word, nothing counts as passed.
VERDICT_BY_CODE = {1: "blocked", 3: "incomplete"}


def take_inputs(env: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the environment of the gate, and the inputs that are given and empty.

    An input goes before the job's variable of its name, and leaves it where it is not given.
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
    """Yield each line of each credential in ``env`` or in a file that it names, once."""
    texts = [value for name, value in env.items() if SECRET_VARIABLE.fullmatch(name)]
    texts.append(env.get(env.get(ID_TOKEN_VARIABLE, ""), ""))
    for path in filter(None, map(env.get, SECRET_FILE_VARIABLES)):
        with suppress(OSError, ValueError):  # the gate says what is wrong with it
            # A pipe may never end, and what is read here would be missing for the gate.
            if Path(path).is_file():
                texts.append(Path(path).read_text(encoding="utf-8", errors="replace"))
    lines = (line.strip() for text in texts for line in text.splitlines())
    yield from dict.fromkeys(filter(None, lines))


def mask(env: Mapping[str, str]) -> None:
    """Tell the runner to hide the credentials."""
    for line in secret_lines(env):
        sys.stdout.write(f"::add-mask::{line.replace('%', '%25')}\n")
    sys.stdout.flush()


def choose_reports(env: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return where each of the reports goes, and all that the gate is to write."""
    # The gate splits its variable in the same way: at lines, and before each "format=".
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


def forget_old(paths: Mapping[str, str], env: Mapping[str, str]) -> None:
    """Remove reports of an earlier run, so that none is taken for this run's.

    Nothing else is removed: no link or device, such as /dev/stdout, and no file that the gate
    reads, which it refuses to write to.
    """
    settings = {name: text for name, text in env.items() if name.startswith(PREFIX)}
    inputs = {text for name, text in settings.items() if name not in REPORT_VARIABLES}
    for path in map(Path, paths.values()):
        with suppress(OSError, ValueError):  # the gate says that it cannot write there
            is_input = any(os.path.realpath(path) == os.path.realpath(text) for text in inputs)
            if stat.S_ISREG(path.lstat().st_mode) and not is_input:
                path.unlink()


def run_gate(env: Mapping[str, str]) -> int:
    """Run the gate, pass on the runner's signals, and return its exit code."""
    command = [sys.executable, "-I", "-u", "-X", "utf8", "-m", "precheck_gate", "run"]
    children: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        if not children:
            early.append(number)
        elif os.name == "posix":  # on Windows, the child hears of it by itself
            children[0].send_signal(number)

    signal.signal(signal.SIGINT, forward)
    signal.signal(signal.SIGTERM, forward)
    # In a group of its own: a signal to all would reach it twice, and a second one ends it at once.
    group = 0 if os.name == "posix" else None
    children.append(subprocess.Popen(command, env=dict(env), process_group=group))
    for number in early[:1]:
        forward(number, None)
    code = children[0].wait()
    return code if code >= 0 else 128 - code


def has_told(path: str) -> bool:
    """Return whether the gate has set the outputs of this step."""
    with suppress(OSError):
        text = Path(path).read_text(encoding="utf-8", errors="replace")
        return re.search(r"^exit-code<<", text, re.MULTILINE) is not None
    return False


def tell_instead(path: str, code: int) -> None:
    """Set the outputs that an exit code alone allows."""
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
    forget_old(paths, env)
    code = refuse(lost) if lost else run_gate({**env, REPORT_VARIABLE: "\n".join(wanted)})
    outputs = os.environ.get("GITHUB_OUTPUT", "")
    if outputs and not has_told(outputs):
        tell_instead(outputs, code)
    return code


def refuse(lost: list[str]) -> int:
    """Say which inputs were lost, and return the code of a usage error."""
    inputs = f"input {lost[0]} is" if len(lost) == 1 else f"inputs {', '.join(lost)} are"
    sys.stdout.write(
        f"::error title=precheck-gate::The {inputs} given and empty: a setting was lost. Give a "
        f"value, or leave the input out.\n"
    )
    sys.stdout.flush()
    return 2


if __name__ == "__main__":
    sys.exit(main())
