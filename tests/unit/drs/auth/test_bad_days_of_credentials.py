"""Bad days: every refusal says what happened and what to do, and none of it is green."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.credentials import (
    ACCESS_KEY,
    KEYS,
    LONG,
    ONLY_ISSUED,
    PASSWORD,
    PROVIDER,
    REGION,
    SECRET_KEY,
    TEMPORARY_KEYS,
    TOKEN,
    USERS,
    asked,
    id_token,
    scenario,
)
from tests.support.outcome import ID

if TYPE_CHECKING:
    from tests.support.credentials import ByGitHub, Gate
    from tests.support.fakes import FakeClock
    from tests.support.gate import Serve

RIGHT = f"password: {json.dumps(PASSWORD)}"

# --- users --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("password: wrong, domain: acme", ["username or password is wrong", "name, password and"]),
        (f"{RIGHT}, domain: other", ["HTTP 401", "domain (the account's name)"]),
        (f"{RIGHT}, disabled: true", ["The user is disabled", "administrator enable"]),
        (f"{RIGHT}, mfa: true", ["MFA authentication is required", "second factor"]),
    ],
    ids=["wrong password", "wrong domain", "disabled", "MFA"],
)
def test_a_user_that_iam_refuses(
    gate: Gate, serve: Serve, user: None, more: str, words: list[str]
) -> None:
    service = serve(scenario(f"users: [{{name: gate, {more}}}]"))
    outcome = gate.run(service)
    assert outcome.code == 4
    outcome.says("IAM answered HTTP 401", *words)
    assert asked(service) == ["tokens"]
    examined = gate.doctor(service)
    assert examined.code == 4
    examined.has_line("fail  iam         IAM answered HTTP 401")
    examined.says(*words)


def test_the_wrong_scope(gate: Gate, serve: Serve, user: None) -> None:
    service = serve(scenario(USERS, "faults: [{when: {call: token}, status: 400, shape: nested}]"))
    outcome = gate.run(service)
    assert outcome.code == 4
    outcome.says("IAM answered HTTP 400", "Check --project-id (054ba152d480d55b2f5dc0069e7ddef0).")


# --- tokens that end ----------------------------------------------------------------------------


def test_a_token_that_expires_in_the_middle_is_renewed(
    gate: Gate, serve: Serve, user: None
) -> None:
    service = serve(scenario(USERS, "token_lifetime: 20s", tasks=LONG))
    outcome = gate.run(service, "--interval", "5s")
    assert outcome.code == 0
    assert asked(service).count("tokens") >= 3
    assert all(record.status < 400 for record in service.requests)


def test_a_token_that_is_revoked_in_the_middle_is_renewed_once(
    gate: Gate, serve: Serve, user: None
) -> None:
    service = serve(scenario(USERS, "revoke_tokens: [12s, 31s]", tasks=LONG))
    outcome = gate.run(service, "--interval", "5s")
    assert outcome.code == 0
    assert asked(service).count("tokens") == 3
    assert [record.status for record in service.requests].count(401) == 2


def test_a_user_that_is_gone_when_the_token_is_revoked(
    gate: Gate, serve: Serve, user: None
) -> None:
    gone = "faults: [{when: {call: token, request: 2-}, status: 401, message: gone}]"
    service = serve(scenario(USERS, "revoke_tokens: [12s]", gone, tasks=LONG))
    outcome = gate.run(service, "--interval", "5s")
    assert outcome.code == 4
    outcome.says("IAM answered HTTP 401", "gone")
    assert asked(service).count("tokens") == 2


def test_a_token_that_is_refused_again_is_not_asked_for_again(
    gate: Gate, serve: Serve, user: None
) -> None:
    service = serve(scenario(USERS, "faults: [{status: 401, code: APIGW.0301}]"))
    outcome = gate.run(service)
    assert outcome.code == 4
    outcome.says("HTTP 401", "IAM has just issued this token")
    assert asked(service) == ["tokens", "batch-precheck-result"] * 2


def test_a_given_token_that_is_revoked_in_the_middle(
    gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_TOKEN", TOKEN)
    service = serve(scenario(f"token: {TOKEN}", "revoke_tokens: [12s]", tasks=LONG))
    outcome = gate.run(service, "--interval", "5s")
    assert outcome.code == 4
    outcome.says("HTTP 401", "get a new one")
    assert len(service.requests) == 4


def test_temporary_keys_that_end(gate: Gate, serve: Serve, temporary_key: None) -> None:
    service = serve(scenario(TEMPORARY_KEYS, tasks=LONG))
    outcome = gate.run(service, "--interval", "5s")
    assert outcome.code == 4
    outcome.says(
        "the temporary access key has ended",
        "The temporary access key is wrong or has expired: get a new one with its security token",
    )
    assert service.requests[-1].moment >= 30


def test_temporary_keys_without_their_security_token(gate: Gate, serve: Serve, key: None) -> None:
    outcome = gate.run(serve(scenario(TEMPORARY_KEYS)))
    assert outcome.code == 4
    outcome.says("the security token is wrong", "A temporary access key also needs")


def test_a_wrong_secret_key(
    gate: Gate, serve: Serve, key: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", f"{SECRET_KEY}x")
    outcome = gate.run(serve(scenario(KEYS)))
    assert outcome.code == 4
    outcome.says("the signature is wrong", "The access key or its secret is wrong")


# --- the clock ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("skew", "words"), [("20m", "20 min behind"), ("-20m", "20 min ahead of")])
def test_a_clock_that_is_wrong(gate: Gate, serve: Serve, key: None, skew: str, words: str) -> None:
    service = serve(scenario(KEYS, f"clock_skew: {skew}"))
    outcome = gate.run(service)
    assert outcome.code == 4
    outcome.says("more than 15 minutes off", f"This computer's clock is {words} the service's")
    examined = gate.doctor(service)
    assert examined.code == 4
    examined.has_line(f"fail  clock       {words} the service's")


def test_a_clock_that_is_near_enough(gate: Gate, serve: Serve, key: None) -> None:
    service = serve(scenario(KEYS, "clock_skew: 4m"))
    assert gate.run(service).code == 0
    gate.doctor(service).has_line("ok    clock       4 min behind the service's clock, close")


def test_a_wrong_clock_is_not_blamed_for_what_it_does_not_do(
    gate: Gate, serve: Serve, key: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", "another-key")
    assert "computer's clock" not in gate.run(serve(scenario(KEYS))).text


# --- regions, projects, permissions -------------------------------------------------------------


def test_the_wrong_region(gate: Gate, serve: Serve, user: None) -> None:
    service = serve(scenario(USERS, "region: cn-north-4"))
    outcome = gate.run(service, "--region", REGION, project=None)
    assert outcome.code == 4
    outcome.says(f"IAM knows no project named {REGION}", "Check --region")
    assert asked(service) == ["tokens", "projects"]
    examined = gate.doctor(service, "--region", REGION, project=None)
    assert examined.code == 4
    examined.has_line("fail  project     IAM knows no project")


def test_two_projects_of_a_region(gate: Gate, serve: Serve, user: None) -> None:
    two = f"{{projects: [{{id: a1, name: {REGION}}}, {{id: b2, name: {REGION}}}]}}"
    fault = f"faults: [{{when: {{call: projects}}, kind: wrong_shape, body: {two}}}]"
    outcome = gate.run(serve(scenario(USERS, fault)), "--region", REGION, project=None)
    assert outcome.code == 4
    outcome.says("IAM knows 2 projects", "a1, b2", "Choose one with --project-id")


@pytest.mark.parametrize(
    "body", ["[]", "{projects: 1}", "{}", f"{{projects: [{{id: '../x', name: {REGION}}}]}}"]
)
def test_projects_that_are_none(gate: Gate, serve: Serve, user: None, body: str) -> None:
    fault = f"faults: [{{when: {{call: projects}}, kind: wrong_shape, body: {body}}}]"
    service = serve(scenario(USERS, fault))
    outcome = gate.run(service, "--region", REGION, "--grace", "1s", project=None)
    assert outcome.code == 4
    outcome.says("project")
    assert "batch-precheck-result" not in asked(service)


def test_the_wrong_project(gate: Gate, serve: Serve, user: None) -> None:
    service = serve(scenario(USERS, "project_id: another"))
    for outcome in (gate.run(service), gate.doctor(service)):
        assert outcome.code == 4
        outcome.says("The parameter project_id is invalid", "DRS.M00202", "--project-id")


@pytest.mark.parametrize("way", ["user", "key", "oidc"])
def test_no_permission(
    gate: Gate,
    serve: Serve,
    user: None,
    key: None,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    service = serve(
        scenario(
            USERS.replace("domain: acme", "permitted: false"),
            f"access_keys: [{{access_key: {ACCESS_KEY}, secret_key: {SECRET_KEY}, "
            "permitted: false}]",
            "identity_providers: [{id: my-idp, permitted: false}]",
        )
    )
    monkeypatch.setenv("MINE", id_token(clock))
    options = {
        "user": ["--auth", "user"],
        "key": ["--auth", "aksk"],
        "oidc": ["--id-token-variable", "MINE", "--idp-id", "my-idp"],
    }[way]
    for outcome in (gate.run(service, *options), gate.doctor(service, *options)):
        assert outcome.code == 4
        outcome.says(
            "HTTP 403",
            "The permission to query DRS tasks is missing",
            "may not query DRS in this project: check its permissions",
            "the permission to query DRS tasks",
        )


# --- IAM that is down, and throttling -----------------------------------------------------------

DOWN = {
    "503": "status: 503, shape: html",
    "reset": "kind: reset",
    "closed": "kind: close",
    "HTML": "kind: html",
    "garbage": "kind: empty, status: 200",
}


@pytest.mark.parametrize("name", DOWN)
def test_an_iam_that_is_down(gate: Gate, serve: Serve, user: None, name: str) -> None:
    service = serve(scenario(USERS, f"faults: [{{when: {{call: token}}, {DOWN[name]}}}]"))
    outcome = gate.run(service, "--grace", "20s")
    assert outcome.code == 4
    assert set(asked(service)) == {"tokens"}
    assert len(service.requests) > 2
    examined = gate.doctor(service)
    assert examined.code == 4
    examined.has_line("fail  iam")
    examined.has_line("skip  query")


def test_an_iam_that_comes_back(gate: Gate, serve: Serve, user: None) -> None:
    service = serve(scenario(USERS, "faults: [{when: {call: token, to: 30s}, status: 503}]"))
    outcome = gate.run(service)
    assert outcome.code == 0
    outcome.says("IAM answered HTTP 503")


def test_an_iam_that_is_down_when_the_token_could_be_renewed(
    gate: Gate, serve: Serve, user: None
) -> None:
    """The old token is good for a while yet, and IAM is back before it ends."""
    fault = "faults: [{when: {call: token, from: 1m, to: 58m}, status: 503}]"
    tasks = f"tasks: [{{id: {ID}, answer: mysql, duration: 90m}}]"
    service = serve(scenario(USERS, "token_lifetime: 60m", fault, tasks=tasks))
    outcome = gate.run(service, "--interval", "30s", "--timeout", "3h")
    assert outcome.code == 0
    assert not [record for record in service.requests if record.status == 401]
    assert "giving up" not in outcome.text


def test_throttling_for_a_minute(gate: Gate, serve: Serve, user: None) -> None:
    fault = "{when: {to: 60s, call: %s}, status: 429, retry_after: 7, code: APIGW.0308}"
    faults = ", ".join(fault % call for call in ("token", "results"))
    service = serve(scenario(USERS, f"faults: [{faults}]"))
    outcome = gate.run(service, "--grace", "2m")
    assert outcome.code == 0
    outcome.says("HTTP 429", "APIGW.0308")
    assert len(service.requests) < 15


def test_an_iam_that_redirects(gate: Gate, serve: Serve, user: None) -> None:
    other = serve(scenario())
    fault = f"{{when: {{call: token}}, kind: redirect, location: '{other.url}/v3/auth/tokens'}}"
    service = serve(scenario(USERS, f"faults: [{fault}]"))
    outcome = gate.run(service)
    assert outcome.code == 4
    outcome.says("IAM redirects to 127.0.0.1", "credentials are not sent", "--iam-endpoint")
    assert other.requests == ()


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("http://192.0.2.1", "The IAM endpoint http://192.0.2.1 would send"),
        ("ftp://x", "The IAM endpoint 'ftp://x' is not an http(s) URL"),
        ("https://u:s3cr3t-MARK@x", "credentials in it"),
    ],
)
def test_an_iam_endpoint_that_is_not_safe(
    gate: Gate, user: None, endpoint: str, words: str
) -> None:
    options = ["--endpoint", "http://127.0.0.1:1", "--project-id", "p"]
    outcome = gate.call("run", ID, *options, "--iam-endpoint", endpoint)
    assert outcome.code == 2
    outcome.says(words)


def test_iam_is_not_guessed_where_the_endpoint_is_another(gate: Gate, user: None) -> None:
    """The region's IAM would get a password that is meant for somebody else's."""
    options = ["--endpoint", "http://127.0.0.1:1", "--region", REGION]
    outcome = gate.call("run", ID, *options)
    assert outcome.code == 2
    outcome.says("IAM is needed for the IAM user, and its endpoint is not known")


# --- the CI's identity --------------------------------------------------------------------------


def test_an_id_token_for_the_wrong_audience(gate: Gate, serve: Serve, by_github: ByGitHub) -> None:
    service = serve(scenario(PROVIDER, ONLY_ISSUED))
    by_github(service)
    for outcome in (gate.run(service), gate.doctor(service, "--oidc-audience", "simulator")):
        assert outcome.code == 4
        outcome.says(
            "The audience of the ID token is not accepted",
            "its audience is 'simulator'",
            "--oidc-audience",
        )
    assert "batch-precheck-result" not in asked(service)


def test_an_id_token_for_the_wrong_audience_of_gitlab(
    gate: Gate, serve: Serve, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", id_token(clock, "other"))
    service = serve(scenario(PROVIDER))
    outcome = gate.run(service, "--id-token-variable", "MINE", "--idp-id", "my-idp")
    assert outcome.code == 4
    outcome.says("its audience is 'other'", "the 'aud' of the job's id_tokens")


def test_an_id_token_that_has_ended(
    gate: Gate, serve: Serve, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", id_token(clock, lives=-5))
    outcome = gate.run(serve(scenario(PROVIDER)), "--id-token-variable=MINE", "--idp-id=my-idp")
    assert outcome.code == 4
    outcome.says("The ID token has expired", "it expired at 2025-12-31 23:59:55 UTC")


def test_an_unknown_identity_provider(
    gate: Gate, serve: Serve, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE", id_token(clock))
    outcome = gate.run(serve(scenario(PROVIDER)), "--id-token-variable=MINE", "--idp-id=other")
    assert outcome.code == 4
    outcome.says("Could not find identity provider: other", "--idp-id")


@pytest.mark.parametrize(
    ("path", "words"),
    [("/none", "HTTP 404"), ("/v3/projects", "HTTP 401")],
)
def test_github_gives_no_id_token(
    gate: Gate,
    serve: Serve,
    by_github: ByGitHub,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    words: str,
) -> None:
    service = serve(scenario(PROVIDER))
    by_github(service)
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{service.url}{path}?a=b")
    outcome = gate.run(service)
    assert outcome.code == 4
    outcome.says(f"GitHub's issuer of ID tokens answered {words}", "permissions: {id-token: write}")


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1/x?a=b", "https://u:s3cr3t-MARK@x/y", "file:///x"]
)
def test_githubs_url_is_checked(
    gate: Gate, serve: Serve, by_github: ByGitHub, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    service = serve(scenario(PROVIDER))
    by_github(service)
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", url)
    outcome = gate.run(service)
    assert outcome.code == 2
    outcome.says("ACTIONS_ID_TOKEN_REQUEST_URL cannot be used")
