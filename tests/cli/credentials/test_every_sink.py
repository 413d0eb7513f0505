"""A service that repeats a credential in all of its texts gets it past no sink.

Without the net under the console: each text is hidden by whoever shows it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from precheck_gate.runtime import console
from tests.support import credentials
from tests.support.credentials import TOKEN, USERS, scenario
from tests.support.outcome import ID, MARK

if TYPE_CHECKING:
    from tests.support.credentials import Gate
    from tests.support.gate import Serve

ECHO = json.dumps(f"you sent {TOKEN}")
ITEM = (
    f"{{item: {ECHO}, result: ALARM, group: {ECHO}, failed_reason: {ECHO}, raw_error_msg: {ECHO}, "
    f"data: {ECHO}, failed_sub_jobs: [{{id: {ECHO}, name: {ECHO}, check_result: {ECHO}}}]}}"
)
TASK = f"tasks: [{{id: {ID}, name: {ECHO}, engine: mysql, duration: 8s, items: [{ITEM}]}}]"


@pytest.fixture(autouse=True)
def no_net(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "hide_secrets", lambda text: text)
    monkeypatch.setenv("PRECHECK_GATE_TOKEN", TOKEN)
    # What the service sent is judged as it came, and so is in memory; no error says it.
    monkeypatch.setattr(credentials, "check_frames", check_words)


def check_words(error: BaseException) -> None:
    assert MARK not in f"{error!r} {error} {error.args} {vars(error)}"


@pytest.mark.parametrize("api", ["v3", "v5"])
@pytest.mark.parametrize("starts", [(), ("--start-precheck",)])
def test_no_text_of_a_task_is_shown_with_the_credential(
    gate: Gate, serve: Serve, api: str, starts: tuple[str, ...]
) -> None:
    service = serve(scenario(f"token: {TOKEN}", tasks=TASK))
    outcome = gate.call(
        *("run", "--endpoint", service.url, "--project-id", "054ba152d480d55b2f5dc0069e7ddef0"),
        *("--select", "name=you sent*", "--api", api, "--timeout", "60s", "--verbose"),
        *("--report", f"html={gate.folder / 'a.html'}", "--junit", str(gate.folder / "a.xml")),
        *("--report", f"json={gate.folder / 'a.json'}", "--debug-http", *starts),
    )
    assert outcome.code in (1, 3, 4)
    outcome.says("1 task selected by", "you sent ***")
    assert "you sent ***" in (gate.folder / "a.json").read_text()


@pytest.mark.parametrize("status", [200, 400, 401, 404, 500])
@pytest.mark.parametrize("call", ["results", "start", "status", "detail", "list", "projects"])
def test_no_refusal_of_a_call_is(gate: Gate, serve: Serve, call: str, status: int) -> None:
    fault = f"faults: [{{when: {{call: {call}}}, status: {status}, code: {ECHO}, message: {ECHO}}}]"
    service = serve(scenario(f"token: {TOKEN}", USERS, fault, tasks=TASK))
    outcome = gate.call(
        *("run", "--endpoint", service.url, "--iam-endpoint", service.iam_url),
        *("--region", "eu-west-101", "--select", "name=you sent*", "--timeout", "60s"),
        *("--start-precheck", "--verbose", "--grace", "0s", "--debug-http"),
        *("--report", f"json={gate.folder / 'a.json'}"),
        *("--save-answers", str(gate.folder / "answers")),
    )
    assert outcome.code in (1, 4)
    outcome.says("***")
