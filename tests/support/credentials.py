"""A gate with credentials of every kind, all marked, a service, and a clean environment."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from precheck_gate.cli import main_group
from precheck_gate.errors import PrecheckGateError
from precheck_gate.runtime.process import Runtime
from tests.support.gate import forget_settings
from tests.support.outcome import ID, MARK, PROJECT, Outcome, check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from precheck_gate.runtime.process import Clock
    from precheck_gate.simulator.server import Simulator

REGION = "eu-west-101"

# Marked, so that a search of everything that was written finds them.
TOKEN = f"{MARK}-token"
PASSWORD = f"{MARK}-password%with\"odd'signs"
ACCESS_KEY = f"{MARK}-access-key"
SECRET_KEY = f"{MARK}-secret-key"
SECURITY_TOKEN = f"{MARK}-security-token"
REQUEST_TOKEN = f"{MARK}-request-token"

TASKS = f"tasks: [{{id: {ID}, answer: mysql}}]"
LONG = f"tasks: [{{id: {ID}, answer: mysql, duration: 60s}}]"
USERS = f"users: [{{name: gate, password: {json.dumps(PASSWORD)}, domain: acme}}]"
KEYS = f"access_keys: [{{access_key: {ACCESS_KEY}, secret_key: {SECRET_KEY}}}]"
TEMPORARY_KEYS = (
    f"access_keys: [{{access_key: {ACCESS_KEY}, secret_key: {SECRET_KEY}, "
    f"security_token: {SECURITY_TOKEN}, lifetime: 30s}}]"
)
PROVIDER = "identity_providers: [{id: my-idp, audience: my-client}]"
ONLY_ISSUED = "users: []"


def scenario(*lines: str, tasks: str = TASKS) -> str:
    return "\n".join(("version: 1", *lines, tasks, ""))


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take out what would steer the gate from outside."""
    forget_settings(monkeypatch, "ACTIONS_", "CI_")
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))


class Gate:
    """Runs commands on the fake clock, and searches all that they leave for marked secrets."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        capsys: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        self.folder = folder
        self.clock = clock
        self._capsys = capsys
        self._caplog = caplog

    def run(self, service: Simulator, *more: str, project: str | None = PROJECT) -> Outcome:
        """Gate the task."""
        # These tests count requests, and a name is one more.
        outputs = [*self._outputs, "--no-details"]
        return self.call("run", ID, *self._service(service, project), *outputs, *more)

    def doctor(
        self,
        service: Simulator,
        *more: str,
        project: str | None = PROJECT,
        tasks: tuple[str, ...] = (),
    ) -> Outcome:
        """Examine the way to the service."""
        return self.call("doctor", *tasks, *self._service(service, project), *more)

    @staticmethod
    def _service(service: Simulator, project: str | None) -> list[str]:
        named = ["--project-id", project] if project else []
        return ["--endpoint", service.url, "--iam-endpoint", service.iam_url, *named]

    @property
    def _outputs(self) -> list[str]:
        return [
            f"--junit={self.folder / 'junit.xml'}",
            f"--report=json={self.folder / 'report.json'}",
            f"--save-answers={self.folder / 'answers'}",
        ]

    def call(self, *argv: str) -> Outcome:
        """Call a command."""
        with self._caplog.at_level(logging.DEBUG), all_errors() as errors:
            code: Any = main_group.main(
                list(argv), standalone_mode=False, obj=Runtime(clock=self.clock)
            )
        # What was typed as an option stands in the frames that it passed.
        if not any(MARK in part for part in argv):
            for error in errors:
                check_frames(error)
        out, err = self._capsys.readouterr()
        outcome = Outcome(code, out, err, self.folder)
        assert MARK not in self._caplog.text
        return check(outcome, with_reports=False)


@contextlib.contextmanager
def all_errors() -> Iterator[list[PrecheckGateError]]:
    """Collect every error that is made meanwhile, also those that nobody is told of."""
    errors: list[PrecheckGateError] = []
    make = PrecheckGateError.__init__

    def collect(self: PrecheckGateError, message: str, *, hint: str = "") -> None:
        make(self, message, hint=hint)
        errors.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PrecheckGateError, "__init__", collect)
        yield errors


def check_frames(error: BaseException) -> None:
    """Assert that a traceback with locals shows no secret: of an error, and of what caused it."""
    ahead: list[BaseException | None] = [error]
    seen: set[int] = set()
    while ahead:
        one = ahead.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        ahead += [one.__cause__, one.__context__]
        assert MARK not in f"{one!r} {one} {one.args} {vars(one)}"
        trace = one.__traceback__
        while trace is not None:
            frame = trace.tb_frame
            if "/tests/" not in frame.f_code.co_filename:
                for name, value in frame.f_locals.items():
                    assert MARK not in repr(value), (frame.f_code, name)
            trace = trace.tb_next


@pytest.fixture
def gate(
    tmp_path: Path,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Gate:
    folder = tmp_path / "out"
    folder.mkdir()
    return Gate(folder, clock, capsys, caplog)


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HW_USER_NAME", "gate")
    monkeypatch.setenv("HW_USER_PASSWORD", PASSWORD)
    monkeypatch.setenv("HW_DOMAIN_NAME", "acme")


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", ACCESS_KEY)
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", SECRET_KEY)


@pytest.fixture
def temporary_key(key: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUAWEICLOUD_SDK_SECURITY_TOKEN", SECURITY_TOKEN)


def id_token(clock: Clock, audience: str = "my-client", lives: int = 300) -> str:
    """Return an ID token, as a CI system issues it."""
    claims: dict[str, Any] = {"iss": "https://gitlab.invalid", "aud": audience}
    claims["exp"] = int(clock.now().timestamp()) + lives
    encoded = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "RS256"}, claims)
    )
    return ".".join((*encoded, MARK))


def asked(service: Simulator) -> list[str]:
    """Return the last part of each path that was asked for."""
    return [record.path.rpartition("/")[2] for record in service.requests]


class ByGitHub(Protocol):
    def __call__(self, service: Simulator) -> None: ...


@pytest.fixture
def by_github(monkeypatch: pytest.MonkeyPatch) -> ByGitHub:
    """Make the environment that of a job of GitHub Actions."""

    def set_up(service: Simulator) -> None:
        url = f"{service.url}/ci/id-token?api-version=2.0"
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", url)
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN)
        monkeypatch.setenv("HUAWEICLOUD_SDK_IDP_ID", "my-idp")

    return set_up
