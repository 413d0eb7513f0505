"""Each way to say who asks, from its place to a verdict, over real HTTP."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from precheck_gate.drs.auth import profile
from precheck_gate.runtime.reading import read_file
from tests.support.credentials import (
    ACCESS_KEY,
    KEYS,
    ONLY_ISSUED,
    PASSWORD,
    PROVIDER,
    REGION,
    SECRET_KEY,
    SECURITY_TOKEN,
    TEMPORARY_KEYS,
    TOKEN,
    USERS,
    asked,
    id_token,
    scenario,
)
from tests.support.outcome import ID, MARK, PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.credentials import ByGitHub, Gate
    from tests.support.fakes import FakeClock
    from tests.support.gate import Serve

DAYS = f"tasks: [{{id: {ID}, answer: mysql, duration: 60h}}]"


# --- a token ------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["PRECHECK_GATE_TOKEN", "HW_AUTH_TOKEN", "OS_TOKEN"])
def test_a_token(gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, TOKEN)
    service = serve(scenario(f"token: {TOKEN}"))
    outcome = gate.run(service)
    assert outcome.code == 0
    outcome.says(f"token from {variable}")
    assert asked(service) == ["batch-precheck-result"]


# --- an IAM user --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        ("PRECHECK_GATE_USER_NAME", "PRECHECK_GATE_PASSWORD", "PRECHECK_GATE_DOMAIN_NAME"),
        ("HW_USER_NAME", "HW_USER_PASSWORD", "HW_DOMAIN_NAME"),
        ("OS_USERNAME", "OS_PASSWORD", "OS_USER_DOMAIN_NAME"),
        ("OS_USERNAME", "OS_PASSWORD", "OS_DOMAIN_NAME"),
    ],
)
def test_a_user(
    gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch, names: tuple[str, str, str]
) -> None:
    for name, value in zip(names, ("gate", PASSWORD, "acme"), strict=True):
        monkeypatch.setenv(name, value)
    service = serve(scenario(USERS))
    outcome = gate.run(service)
    assert outcome.code == 0
    outcome.says(f"IAM user from {names[0]} and {names[1]}")
    assert asked(service) == ["tokens", "batch-precheck-result"]
    report = json.loads((gate.folder / "report.json").read_bytes())
    assert report["service"]["requests"] == 2


def test_a_users_token_is_used_again_and_renewed_before_it_ends(
    gate: Gate, serve: Serve, user: None
) -> None:
    service = serve(scenario(USERS, tasks=DAYS))
    outcome = gate.run(service, "--interval", "30m", "--timeout", "3d")
    assert outcome.code == 0
    assert all(record.status < 400 for record in service.requests)
    issued = [record.moment / 3600 for record in service.requests if record.path.endswith("tokens")]
    assert len(issued) == 3
    assert all(23 <= later - before < 24.5 for before, later in pairwise(issued))


def test_a_wrong_clock_does_not_renew_each_time(gate: Gate, serve: Serve, user: None) -> None:
    """By our clock the token has ended when it comes; IAM says how long it lives."""
    service = serve(scenario(USERS, "clock_skew: -30h", tasks=DAYS))
    outcome = gate.run(service, "--interval", "2h", "--timeout", "3d")
    assert outcome.code == 0
    assert asked(service).count("tokens") == 3


def test_the_project_is_found_by_the_region(gate: Gate, serve: Serve, user: None) -> None:
    service = serve(scenario(USERS, f"region: {REGION}", "project_id: p1"))
    outcome = gate.run(service, "--region", REGION, project=None)
    assert outcome.code == 0
    assert asked(service) == ["tokens", "projects", "batch-precheck-result"]
    assert "/v3/p1/" in service.requests[-1].path
    report = json.loads((gate.folder / "report.json").read_bytes())
    assert report["service"]["project_id"] == "p1"


# --- an access key ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        ("PRECHECK_GATE_ACCESS_KEY", "PRECHECK_GATE_SECRET_KEY"),
        ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"),
        ("HW_ACCESS_KEY", "HW_SECRET_KEY"),
    ],
)
def test_an_access_key(
    gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch, names: tuple[str, str]
) -> None:
    for name, value in zip(names, (ACCESS_KEY, SECRET_KEY), strict=True):
        monkeypatch.setenv(name, value)
    service = serve(scenario(KEYS))
    outcome = gate.run(service)
    assert outcome.code == 0
    outcome.says(f"access key from {names[0]} and {names[1]}")
    assert asked(service) == ["batch-precheck-result"]


def test_a_temporary_access_key(gate: Gate, serve: Serve, temporary_key: None) -> None:
    outcome = gate.run(serve(scenario(TEMPORARY_KEYS)))
    assert outcome.code == 0
    outcome.says("temporary access key from HUAWEICLOUD_SDK_AK")


def test_an_access_key_finds_its_project(gate: Gate, serve: Serve, key: None) -> None:
    service = serve(scenario(KEYS, "project_id: p1"))
    assert gate.run(service, "--region", REGION, project=None).code == 0
    first, second = service.requests
    assert (first.path, first.credential) == ("/v3/projects", "signature")
    assert "x-project-id" not in first.headers
    assert second.headers["x-project-id"] == "p1"


# --- the shared file ----------------------------------------------------------------------------


def write_profile(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


BASIC = f"[basic]\nak = {ACCESS_KEY}\nsk = {SECRET_KEY}\nproject_id = {PROJECT}\n"


def test_the_shared_file(gate: Gate, serve: Serve, tmp_path: Path) -> None:
    file = write_profile(tmp_path / "home" / ".huaweicloud" / "credentials", BASIC)
    outcome = gate.run(serve(scenario(KEYS)), project=None)
    assert outcome.code == 0
    outcome.says(f"access key from profile basic of {file}")
    assert "warning:" not in outcome.text


def test_another_file_and_profile(
    gate: Gate, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"{BASIC}[temp]\nak={ACCESS_KEY}\nsk={SECRET_KEY}\nsecurity_token={SECURITY_TOKEN}\n"
    file = write_profile(tmp_path / "mine.ini", text)
    monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", str(file))
    outcome = gate.run(serve(scenario(TEMPORARY_KEYS)), "--profile-name", "temp")
    assert outcome.code == 0
    outcome.says(f"temporary access key from profile temp of {file}")


@pytest.mark.parametrize("options", [[], ["--auth", "profile"], ["--profile-name", "basic"]])
def test_the_shared_file_is_read_once(
    gate: Gate, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    file = write_profile(tmp_path / "home" / ".huaweicloud" / "credentials", BASIC)
    read: list[Path] = []

    def count(path: Path, bound: int) -> bytes:
        read.append(path)
        return read_file(path, bound)

    monkeypatch.setattr(profile, "read_file", count)
    assert gate.run(serve(scenario(KEYS)), *options, project=None).code == 0
    assert read == [file]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_warned_about(
    gate: Gate, serve: Serve, tmp_path: Path, mode: int
) -> None:
    file = write_profile(tmp_path / "home" / ".huaweicloud" / "credentials", BASIC, mode)
    service = serve(scenario(KEYS))
    for outcome in (gate.run(service, "--quiet"), gate.doctor(service)):
        assert outcome.code == 0
        outcome.says("is open to others", f"(mode {mode:04o})", f"chmod 600 {file}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"ak = {ACCESS_KEY}\n", "something before its first [section], line 1"),
        (f"[basic]\nak = a\n{SECRET_KEY}\n", "lines that are not 'key = value': 3"),
        (f"[basic]\nsk = {SECRET_KEY}\nsk = {SECRET_KEY}\n", "a key twice, line 3"),
        (f"[basic]\nsk = {SECRET_KEY}\n[basic]\n", "a section twice, line 3"),
        (f"[basic]\nsk = {SECRET_KEY}\n", "has no credential in it"),
        (f"[other]\nsk = {SECRET_KEY}\n", "no profile 'basic'"),
        (f"[basic]\nak = a\nsk = {SECRET_KEY}\n  more\n", "contains invalid characters"),
        ("[basic]\nsk = " + MARK * 7000, "is larger than 64 KiB"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_shared_file_that_cannot_be_used(
    gate: Gate, serve: Serve, tmp_path: Path, text: str | None, words: str
) -> None:
    if text is not None:
        write_profile(tmp_path / "home" / ".huaweicloud" / "credentials", text)
    service = serve(scenario(KEYS))
    for outcome in (gate.run(service, "--auth", "profile"), gate.doctor(service, "--auth=profile")):
        assert outcome.code == 2
        outcome.says(words)
    assert service.requests == ()


# --- the CI's identity --------------------------------------------------------------------------


def test_the_identity_of_a_job_of_github(gate: Gate, serve: Serve, by_github: ByGitHub) -> None:
    service = serve(scenario(PROVIDER, ONLY_ISSUED))
    by_github(service)
    outcome = gate.run(service, "--oidc-audience", "my-client")
    assert outcome.code == 0
    outcome.says("CI identity from GitHub's identity of this job")
    assert asked(service) == ["id-token", "tokens", "batch-precheck-result"]
    assert service.requests[1].headers["x-idp-id"] == "my-idp"


def test_a_ci_identity_is_renewed(gate: Gate, serve: Serve, by_github: ByGitHub) -> None:
    service = serve(scenario(PROVIDER, ONLY_ISSUED, tasks=DAYS))
    by_github(service)
    outcome = gate.run(
        service, "--oidc-audience", "my-client", "--interval", "1h", "--timeout", "3d"
    )
    assert outcome.code == 0
    assert asked(service).count("id-token") == 3


def test_the_variable_of_gitlab(
    gate: Gate, serve: Serve, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUAWEI_ID_TOKEN", id_token(clock))
    service = serve(scenario(PROVIDER, ONLY_ISSUED))
    outcome = gate.run(service, "--id-token-variable", "HUAWEI_ID_TOKEN", "--idp-id", "my-idp")
    assert outcome.code == 0
    outcome.says("CI identity from the variable HUAWEI_ID_TOKEN")


@pytest.mark.parametrize("by_option", [True, False])
def test_an_id_token_in_a_file(
    gate: Gate,
    serve: Serve,
    clock: FakeClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    by_option: bool,
) -> None:
    file = tmp_path / "id-token"
    file.write_text(id_token(clock) + "\n")
    monkeypatch.setenv("HUAWEICLOUD_SDK_IDP_ID", "my-idp")
    options = ["--id-token-file", str(file)] if by_option else []
    if not by_option:
        monkeypatch.setenv("HUAWEICLOUD_SDK_ID_TOKEN_FILE", str(file))
    assert gate.run(serve(scenario(PROVIDER, ONLY_ISSUED)), *options).code == 0


def test_an_id_token_that_ends_leaves_the_iam_token_as_it_is(
    gate: Gate, serve: Serve, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitLab's variable cannot be had anew: the token from IAM is used to its very end."""
    monkeypatch.setenv("HUAWEI_ID_TOKEN", id_token(clock))
    monkeypatch.setenv("HUAWEICLOUD_SDK_IDP_ID", "my-idp")
    tasks = f"tasks: [{{id: {ID}, answer: mysql, duration: 58m}}]"
    service = serve(scenario(PROVIDER, ONLY_ISSUED, "token_lifetime: 1h", tasks=tasks))
    outcome = gate.run(
        service, "--id-token-variable", "HUAWEI_ID_TOKEN", "--interval", "1m", "--timeout", "2h"
    )
    assert outcome.code == 0
    assert [record.status for record in service.requests if record.status == 401]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--id-token-variable", "NONE", "--idp-id", "i"],
            "The variable NONE contains no ID",
        ),
        (["--id-token-file", "/none", "--idp-id", "i"], "/none cannot be read: No such file"),
        (["--id-token-variable", "NONE"], "no identity provider is named"),
        (["--id-token-variable", "NONE", "--idp-id", "a b"], "(--idp-id) is not valid"),
        (["--auth", "oidc", "--idp-id", "i"], "No CI identity found"),
        (["--auth", "user"], "No IAM user found"),
        (["--auth", "aksk"], "No access key found"),
        (["--auth", "token"], "No token found"),
        ([], "No credential found"),
        (["--iam-endpoint", f"https://u:{MARK}@x", "--auth", "user"], "No IAM user found"),
    ],
)
def test_what_is_not_there(gate: Gate, serve: Serve, options: list[str], words: str) -> None:
    service = serve(scenario())
    for outcome in (gate.run(service, *options), gate.doctor(service, *options)):
        assert outcome.code == 2
        outcome.says(words, "next: ") if options[-1:] != ["a b"] else outcome.says(words)
    assert service.requests == ()


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (
            {"HUAWEICLOUD_SDK_AK": ACCESS_KEY},
            "HUAWEICLOUD_SDK_AK is set, HUAWEICLOUD_SDK_SK is not",
        ),
        ({"HW_USER_PASSWORD": PASSWORD}, "HW_USER_PASSWORD is set, HW_USER_NAME is not"),
        ({"HW_USER_NAME": "g", "HW_USER_PASSWORD": PASSWORD}, "but no domain name"),
        ({"OS_TOKEN": f"{TOKEN} {TOKEN}"}, "contains invalid characters"),
        (
            {"HW_ACCESS_KEY": ACCESS_KEY, "HW_SECRET_KEY": f"{MARK}\u00e9"},
            "contains invalid characters",
        ),
    ],
)
def test_what_is_there_in_part(
    gate: Gate,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    words: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    service = serve(scenario())
    outcome = gate.run(service)
    assert outcome.code == 2
    outcome.says(words)
    assert service.requests == ()


# --- the order ----------------------------------------------------------------------------------


def test_two_sources_at_once_are_said_aloud(
    gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch, key: None, user: None
) -> None:
    monkeypatch.setenv("OS_TOKEN", TOKEN)
    service = serve(scenario(f"token: {TOKEN}", USERS))
    outcome = gate.run(service, "--quiet")
    assert outcome.code == 0
    outcome.says(
        "found several credentials: using the token from OS_TOKEN, not the access key from "
        "HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, the IAM user from HW_USER_NAME and"
    )
    outcome = gate.run(service, "--auth", "user")
    assert outcome.code == 0
    assert "several" not in outcome.text


def test_the_order(
    gate: Gate,
    serve: Serve,
    tmp_path: Path,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    key: None,
    user: None,
    by_github: ByGitHub,
) -> None:
    """Each of them is taken away in turn, and the next one is found."""
    service = serve(scenario(f"token: {TOKEN}", USERS, KEYS, PROVIDER))
    by_github(service)
    write_profile(tmp_path / "home" / ".huaweicloud" / "credentials", BASIC)
    file = tmp_path / "token"
    file.write_text(TOKEN)
    monkeypatch.setenv("PRECHECK_GATE_TOKEN", TOKEN)
    monkeypatch.setenv("PRECHECK_GATE_OIDC_AUDIENCE", "my-client")
    monkeypatch.setenv("MINE", id_token(clock))
    outcome = gate.run(service, "--token-file", str(file), "--profile-name", "basic")
    outcome.says(f"token from {file}")
    gate.run(service, "--profile-name", "basic").says(
        "policy builtin:default, access key from profile"
    )
    outcome = gate.run(service, "--id-token-variable", "MINE")
    outcome.says("policy builtin:default, CI identity from the variable MINE")
    for variable, words in (
        ("PRECHECK_GATE_TOKEN", "token from PRECHECK_GATE_TOKEN"),
        ("HUAWEICLOUD_SDK_AK", "access key from HUAWEICLOUD_SDK_AK"),
        ("HW_USER_NAME", "IAM user from HW_USER_NAME"),
        ("HUAWEICLOUD_SDK_IDP_ID", "CI identity from GitHub's"),
        ("HOME", "access key from profile basic"),
    ):
        outcome = gate.run(service)
        assert outcome.code == 0
        outcome.says(f"policy builtin:default, {words}")
        monkeypatch.delenv(variable)
