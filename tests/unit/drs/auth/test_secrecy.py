"""Secrets stand nowhere: values, logs, what is told of HTTP, and a service that repeats them.

Every run in this folder is searched for them: what is printed, logged, reported and saved, and
each error that was made, its frames and its causes included (`credentials.Gate.call`).
"""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import traceback
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from precheck_gate.drs.auth.requests_auth import BoundAuth
from precheck_gate.drs.http.debug_log import SecretFilter, guard_loggers, shown_url
from precheck_gate.drs.http.messages import HttpRequest, Reply
from precheck_gate.drs.http.transport import HttpTransport
from precheck_gate.errors import ServiceError
from precheck_gate.safetext.secrets import Secret, hide_secrets
from tests.support.credentials import (
    KEYS,
    PASSWORD,
    PROVIDER,
    REQUEST_TOKEN,
    SECRET_KEY,
    TEMPORARY_KEYS,
    TOKEN,
    USERS,
    check_frames,
    scenario,
)
from tests.support.outcome import ID, MARK

if TYPE_CHECKING:
    from requests import PreparedRequest

    from tests.support.credentials import ByGitHub, Gate
    from tests.support.gate import Serve


# --- the value ----------------------------------------------------------------------------------


@dataclasses.dataclass
class Holder:
    token: Secret


def test_a_secret_shows_nothing() -> None:
    secret = Secret(TOKEN)
    shown = f"{secret} {secret!r} {secret!s} {secret:>30} {[secret]} {Holder(secret)} {{}}"
    assert MARK not in shown + "%s %r" % (secret, secret)  # noqa: UP031
    assert secret.reveal() == TOKEN
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize(
    "leak",
    [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, lambda s: dataclasses.asdict(Holder(s))],
)
def test_a_secret_is_not_taken_along(leak: object) -> None:
    with pytest.raises(TypeError) as caught:
        leak(Secret(TOKEN))  # type: ignore[operator]
    assert MARK not in str(caught.value)


def test_a_secret_in_json_is_masked_where_text_is_asked_for() -> None:
    assert json.dumps({"token": Secret(TOKEN)}, default=str) == '{"token": "***"}'


def test_a_traceback_with_locals_shows_no_secret() -> None:
    try:
        token = Secret(TOKEN)
        raise RuntimeError(token)
    except RuntimeError as error:
        text = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
    assert "token = Secret('***')" in text
    assert MARK not in text


def test_what_others_say_of_a_secret_is_hidden() -> None:
    value = f"{MARK}/+= \"'\\\u00e9"
    Secret(value)
    forms = (value, json.dumps(value), quote(value, safe=""))
    for form in forms:
        assert MARK not in hide_secrets(f"a {form} b")


def test_a_short_secret_hides_no_words() -> None:
    Secret("demo")
    assert hide_secrets("the demo") == "the demo"


# --- logging ------------------------------------------------------------------------------------


def test_loggers_are_guarded(caplog: pytest.LogCaptureFixture) -> None:
    Secret(TOKEN)
    guard_loggers()
    guard_loggers()
    for name in ("urllib3.connectionpool", "requests"):
        logger = logging.getLogger(name)
        assert sum(isinstance(one, SecretFilter) for one in logger.filters) == 1
        with caplog.at_level(logging.DEBUG):
            logger.debug("header %s", TOKEN)
            logger.debug("https://user:%s@proxy", "abc")
            logger.debug("%d", TOKEN)
            try:
                raise RuntimeError(TOKEN)
            except RuntimeError:
                logger.exception("broken")
    assert "header ***" in caplog.text
    assert MARK not in caplog.text
    assert "abc" not in caplog.text


# --- HTTP as it is told -------------------------------------------------------------------------

WAYS = ("token", "user", "aksk", "temporary", "oidc")


@pytest.mark.parametrize("command", ["run", "doctor"])
@pytest.mark.parametrize("way", WAYS)
def test_debug_http(
    gate: Gate,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    by_github: ByGitHub,
    request: pytest.FixtureRequest,
    way: str,
    command: str,
) -> None:
    service = serve(scenario({"temporary": TEMPORARY_KEYS, "aksk": KEYS}.get(way, USERS), PROVIDER))
    fixture = {"user": "user", "aksk": "key", "temporary": "temporary_key"}.get(way)
    if fixture:
        request.getfixturevalue(fixture)
    elif way == "oidc":
        by_github(service)
        monkeypatch.setenv("PRECHECK_GATE_OIDC_AUDIENCE", "my-client")
    else:
        service = serve(scenario(f"token: {TOKEN}"))
        monkeypatch.setenv("OS_TOKEN", TOKEN)
    outcome = getattr(gate, command)(service, "--debug-http")
    assert outcome.code == 0
    asked = (
        f"http POST {service.url}/v3/054ba152d480d55b2f5dc0069e7ddef0/jobs/batch-precheck-result"
    )
    assert f"{asked}: HTTP " in outcome.err
    header = "Authorization" if way in ("aksk", "temporary") else "X-Auth-Token"
    assert f"http   > {header}: ***" in outcome.err
    if way in ("user", "oidc"):
        assert "http   < X-Subject-Token: ***" in outcome.err
    if way == "oidc":
        assert f"http GET {service.url}/ci/id-token?…: HTTP 200" in outcome.err
    if way == "temporary":
        assert "http   > X-Security-Token: ***" in outcome.err
    assert "http   < X-Request-Id: " in outcome.err


def test_debug_http_of_a_fault(gate: Gate, serve: Serve, user: None) -> None:
    service = serve(scenario(USERS, "faults: [{when: {call: token}, kind: reset}]"))
    outcome = gate.run(service, "--debug-http", "--grace", "1s")
    assert outcome.code == 4
    outcome.says("/v3/auth/tokens: 127.0.0.1", "closed the connection")


def test_urls_are_shown_without_their_secrets() -> None:
    assert shown_url("https://u:p@h:1/path?token=x#y") == "https://h:1/path?…"
    assert shown_url("https://[x") == "(no URL)"


# --- a service that repeats what it was sent ----------------------------------------------------


@pytest.mark.parametrize(
    ("way", "secret"),
    [("token", TOKEN), ("user", PASSWORD), ("aksk", SECRET_KEY), ("oidc", REQUEST_TOKEN)],
)
@pytest.mark.parametrize("status", [400, 401, 404, 503])
@pytest.mark.parametrize("call", ["token", "results", "projects"])
def test_an_echo(
    gate: Gate,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    by_github: ByGitHub,
    request: pytest.FixtureRequest,
    way: str,
    secret: str,
    status: int,
    call: str,
) -> None:
    fault = (
        f"faults: [{{when: {{call: {call}}}, status: {status}, code: {MARK}-code, "
        f"message: {json.dumps(f'you sent {secret}')}}}]"
    ).replace(f"{MARK}-code", "X.1")
    service = serve(scenario(USERS, KEYS, f"token: {TOKEN}", PROVIDER, fault))
    if way == "token":
        monkeypatch.setenv("OS_TOKEN", TOKEN)
    elif way == "oidc":
        by_github(service)
        monkeypatch.setenv("PRECHECK_GATE_OIDC_AUDIENCE", "my-client")
    else:
        request.getfixturevalue({"user": "user", "aksk": "key"}[way])
    outcome = gate.run(
        service, "--grace", "0s", "--timeout", "5s", "--region", "eu-west-101", project=None
    )
    needs_iam = way in ("user", "oidc")
    if call == "token" and not needs_iam:
        assert outcome.code == 0
    else:
        assert outcome.code == 4
        outcome.says("you sent ***")


def test_an_echo_in_an_answer(gate: Gate, serve: Serve, user: None) -> None:
    item = f"{{item: a, result: FAILED, raw_error_msg: {json.dumps(PASSWORD)}}}"
    tasks = f"tasks: [{{id: {ID}, items: [{item}]}}]"
    outcome = gate.run(serve(scenario(USERS, tasks=tasks)), "--verbose")
    assert outcome.code == 1
    assert list((gate.folder / "answers").rglob("*"))


# --- only where it belongs ----------------------------------------------------------------------


def bound(url: str) -> BoundAuth:
    def sign(request: PreparedRequest) -> None:
        request.headers["X-Auth-Token"] = Secret(TOKEN).reveal()

    return BoundAuth(sign, url)


def test_a_credential_goes_to_configured_hosts_alone(serve: Serve) -> None:
    here, there = serve(scenario()), serve(scenario())
    transport, auth = HttpTransport(), bound(here.url)
    assert transport.send(HttpRequest("POST", f"{here.url}/x", {}, b"{}"), auth, 5).status == 404
    for url in (there.url, here.url.replace("127.0.0.1", "localhost"), "http://127.0.0.1"):
        with pytest.raises(ServiceError, match="a host that is not configured"):
            transport.send(HttpRequest("POST", f"{url}/x", {}, b"{}"), auth, 5)
    assert there.requests == ()


@pytest.mark.parametrize("call", ["token", "results", "projects"])
def test_a_redirect_is_not_followed(gate: Gate, serve: Serve, user: None, call: str) -> None:
    other = serve(scenario())
    fault = f"{{when: {{call: {call}}}, kind: redirect, status: 307, location: '{other.url}/'}}"
    service = serve(scenario(USERS, f"faults: [{fault}]"))
    outcome = gate.run(service, "--region", "eu-west-101", project=None)
    assert outcome.code == 4
    outcome.says("redirects to 127.0.0.1")
    assert other.requests == ()


def test_a_reply_shows_no_header() -> None:
    reply = Reply(201, {"X-Subject-Token": TOKEN}, TOKEN.encode())
    assert repr(reply) == "Reply(status=201)"


@pytest.mark.parametrize("way", ["user", "key"])
def test_netrc_is_not_asked(
    gate: Gate, serve: Serve, tmp_path: object, request: pytest.FixtureRequest, way: str
) -> None:
    from pathlib import Path

    netrc = Path(str(tmp_path)) / "home" / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login u password {MARK}\n")
    netrc.chmod(0o600)
    request.getfixturevalue(way)
    service = serve(scenario(USERS, KEYS))
    assert gate.run(service).code == 0
    assert gate.doctor(service).code == 0
    first = service.requests[0]
    assert first.credential == ("none" if way == "user" else "signature")


def test_other_commands_keep_what_is_in_the_environment(
    gate: Gate, serve: Serve, user: None, key: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRECHECK_GATE_TOKEN", TOKEN)
    service = serve(scenario(f"token: {TOKEN}"))
    assert gate.run(service, "--verbose").code == 0
    answers, folder = str(gate.folder / "answers"), str(gate.folder)
    assert gate.call("evaluate", answers, f"--junit={folder}/again.xml", "--verbose").code == 0
    assert gate.call("demo", "--pass", "--verbose", "--directory", folder).code == 0
    assert gate.call("evaluate", f"{folder}/none").code == 2


def test_a_bug_deep_in_a_request_takes_no_frame_with_a_credential_along(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    service = serve(scenario())
    monkeypatch.setattr("http.client.HTTPConnection.endheaders", fail)
    transport, auth = HttpTransport(), bound(service.url)
    with pytest.raises(RuntimeError) as caught:
        transport.send(HttpRequest("POST", f"{service.url}/x", {}, b"{}"), auth, 5)
    check_frames(caught.value)
    names = [entry.name for entry in caught.traceback]
    assert "_exchange" in names, "where it happened is still told"
    assert "urlopen" not in names
