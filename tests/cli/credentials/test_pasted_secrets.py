"""A credential that was typed where a path, a name or an ID belongs is not repeated."""

from __future__ import annotations

import base64
import random
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precheck_gate.__main__ import run_main
from precheck_gate.drs.auth.discovery import VARIABLES
from precheck_gate.drs.auth.user import IamUser
from precheck_gate.safetext.pasted_secrets import (
    looks_like_secret,
    quoted,
    safe_name,
    safe_variable_name,
    without_pasted_secrets,
)
from precheck_gate.safetext.secrets import Secret
from tests.support.outcome import ID, PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Made up, in the form of the real ones.
TOKENS = {
    "token": "SECRETtok+/=en1234567890abcdef",
    "IAM token": f"MII{base64.b64encode(random.Random(1).randbytes(2000)).decode()}",
    "JWT": "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwcyJ9.c2ln-bmF0_dXJl",
    "access key": "HST3WAN7UD0NEXAMPLE0",
    "secret key": "kXq3pL9vZ2mT8bN4cR7wY1dF6gH5jK0sA2eU9iO3",
}
SERVICE = ("--endpoint", "http://127.0.0.1:9", "--project-id", PROJECT)
RUN = ("run", ID, *SERVICE)
# All but names, addresses and paths.
SECRET = {name for name in VARIABLES if not name.endswith(("_FILE", "_URL"))}.difference(
    IamUser.public
)
LOOKS = "(a text of 30 characters that looks like a credential itself)"
SLIPS = {
    "token file": (*RUN, "--token-file", "{}"),
    "ID token's variable": (*RUN, "--idp-id", "x", "--id-token-variable", "{}"),
    "ID token's file": (*RUN, "--idp-id", "x", "--id-token-file", "{}"),
    "other": (*RUN, "--token-file", "no.txt", "--idp-id", "x", "--id-token-variable", "{}"),
    "profile": (*RUN, "--profile-name", "{}"),
    "CA bundle": (*RUN, "--ca-bundle", "{}"),
    "policy": (*RUN, "--policy", "{}"),
    "baseline": (*RUN, "--baseline", "{}"),
    "task": ("run", "{}", *SERVICE),
    "list": ("run", "--tasks-from", "{}", *SERVICE),
    "endpoint": ("run", ID, "--project-id", PROJECT, "--endpoint", "{}"),
    "region": ("run", ID, "--project-id", PROJECT, "--region", "{}"),
    "project": ("run", ID, "--endpoint", "http://127.0.0.1:9", "--project-id", "{}+"),
    **{
        option: (*RUN, option, "{}")
        for option in (
            *("--timeout", "--grace", "--auth", "--report", "--warn-exit-code", "--now", "--api"),
            *("--select", "--max-rps", "--summary", "--query-id", "--until"),
        )
    },
    "report": (*RUN, "--report", "junit:{}"),
    "answer": ("evaluate", "{}"),
    "doctor": ("doctor", *SERVICE, "--token-file", "{}"),
    "command": ("{}",),
    "sub-command": ("policy", "{}"),
    "argument": ("demo", "{}"),
}


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def check(
    slip: str, token: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    argv = [part.format(token) for part in SLIPS[slip]]
    if argv[0] == "run":
        argv += ["--junit", str(folder / "junit.xml"), f"--report=json={folder / 'report.json'}"]
    code = run_main(argv)
    said = "".join(capsys.readouterr())
    written = [path.read_text() for path in folder.iterdir() if path.is_file()]
    for text in (said, *written):
        # Not in part either: the beginning of a key is half of it.
        assert not [at for at in range(len(token) - 11) if token[at : at + 12] in text], said
    assert "Traceback" not in said
    return code, said


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("kind", TOKENS)
def test_what_looks_like_a_credential_is_not_repeated(
    slip: str,
    kind: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if slip in ("CA bundle", "policy", "baseline"):
        monkeypatch.setenv("OS_TOKEN", "another-token")
    code, said = check(slip, TOKENS[kind], folder, capsys)
    # A key has the form of a profile's name, and of nothing else that is typed.
    assert code == 2
    assert "error: " in said.lower() or "fail" in said


@pytest.mark.parametrize("slip", SLIPS)
@pytest.mark.parametrize("variable", ["PRECHECK_GATE_TOKEN", "OS_PASSWORD"])
def test_what_stands_in_the_environment_is_not_repeated_whatever_it_looks_like(
    slip: str,
    variable: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    token = "geheim-Pass!word/seven"
    monkeypatch.setenv(variable, token)
    code, _ = check(slip, token, folder, capsys)
    assert code in (2, 4)


def test_every_variable_with_a_credential_is_known_from_the_start(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {name: f"{name.lower().replace('_', '-')}/value" for name in SECRET}
    values["MY_ID_TOKEN"] = "my-id-token/value"
    assert "ACTIONS_ID_TOKEN_REQUEST_TOKEN" in values
    assert "HW_USER_PASSWORD" in values
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PRECHECK_GATE_ID_TOKEN_VARIABLE", "MY_ID_TOKEN")
    for value in values.values():
        assert run_main([value]) == 2
        assert value not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("slip", "words", "more"),
    [
        (
            "token file",
            f"The token file {LOOKS} cannot be read: No such file or directory.",
            "next: This looks like the token itself. Give the path of a file that contains it",
        ),
        (
            "ID token's variable",
            "The variable (a text of 30 characters that is not a valid variable name) contains no",
            "next: This looks like the ID token itself. Name the variable or the file",
        ),
        ("task", f"{LOOKS} is not a task ID", "looks like 140b5236-88ad-43c8-811c-1268453jb101"),
        ("--timeout", "Invalid value for '--timeout'", f"'{LOOKS}' is not a duration"),
    ],
)
def test_what_is_said_instead(
    slip: str, words: str, more: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, said = check(slip, TOKENS["token"], folder, capsys)
    assert words in said
    assert more in said


@pytest.mark.parametrize(
    ("slip", "value", "words"),
    [
        ("token file", "secrets/production-token-2024.txt", "The token file {} cannot be read: No"),
        ("token file", "/run/secrets/a1b2c3d4e5f6a7b8c9d0", "The token file {} cannot be read: No"),
        ("ID token's variable", "HUAWEI_ID_TOKEN_2", "The variable {} contains no ID token."),
        ("ID token's file", "tokens/oidc-2", "The ID token file {} cannot be read"),
        ("task", "140b5236-88ad-43c8-811c-1268453jb10", "'{}' is not a task ID"),
        ("task", "140b523688ad43c8811c1268453jb101", "'{}' is not a task ID"),
        ("task", PROJECT, "'{}' is not a task ID"),
        ("list", "waves/production_2024_03.txt", "The list of tasks {} cannot be read"),
        (
            "endpoint",
            "drs.eu-west-101.myhuaweicloud.eu",
            "The endpoint '{}' is not an http(s) URL.",
        ),
        ("region", "eu_west_101", "'{}' is not the name of a region"),
        ("--timeout", "30minutesandabit", "'{}' is not a duration"),
        ("--now", "2027-13-31T22:00:00.000000Z", "'{}' is not a date"),
        ("answer", "answers/20240131T101500.json", "The answer {} cannot be read"),
        ("command", "evalaute", "There is no command '{}'. Did you mean 'evaluate'?"),
    ],
)
def test_an_ordinary_mistake_is_repeated(
    slip: str, value: str, words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = [part.format(value) for part in SLIPS[slip]]
    assert run_main(argv) == 2
    assert words.format(value) in "".join(capsys.readouterr())


# --- the form -----------------------------------------------------------------------------------


@given(st.binary(min_size=45, max_size=3000))
def test_random_bytes_in_base64_are_a_slip(content: bytes) -> None:
    """Those that begin with a slash aside, which may be a path."""
    noise = random.Random(content).randbytes(max(300, len(content)))
    assert looks_like_secret(base64.b64encode(noise).decode().lstrip("/"))
    assert looks_like_secret(base64.urlsafe_b64encode(noise).decode().lstrip("-"))


@pytest.mark.parametrize("value", ["", ".", "-", "***", "a", "./x", "~/token", "token", "*", "**"])
def test_what_is_no_slip(value: str) -> None:
    assert not looks_like_secret(value)
    assert safe_name(value) == value


def test_a_known_secret_is_a_slip_and_what_has_it_in_it_is_told_with_a_mask() -> None:
    Secret("geheim-wort")
    assert looks_like_secret("geheim-wort")
    assert (
        safe_name("geheim-wort") == "(a text of 11 characters that looks like a credential itself)"
    )
    assert quoted("/home/geheim-wort/x") == "'/home/***/x'"
    assert quoted("left", whole="geheim-wort").startswith("(a text of 11 ")


def test_names_of_variables() -> None:
    assert safe_variable_name("HUAWEI_ID_TOKEN") == "HUAWEI_ID_TOKEN"
    assert (
        safe_variable_name("9lives") == "(a text of 6 characters that is not a valid variable name)"
    )
    assert "looks like a credential" in safe_variable_name(TOKENS["access key"])


def test_messages_of_others() -> None:
    text = f"No such option: --{TOKENS['secret key']}. Did you mean '--timeout', '--until'?"
    assert without_pasted_secrets(text) == (
        "No such option: --(a text of 40 characters that looks like a credential itself). Did you "
        "mean '--timeout', '--until'?"
    )
    assert without_pasted_secrets("'30' is not (a duration).") == "'30' is not (a duration)."
