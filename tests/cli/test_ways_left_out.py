"""A credential that the command line names is used, or refused: never left out by ``--auth``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.gate import Gate, Serve

OTHERS = [
    ("token", "--profile-name", "prod"),
    ("token", "--idp-id", "ci"),
    ("token", "--id-token-variable", "CI_JWT"),
    ("token", "--id-token-file", "jwt"),
    ("token", "--oidc-audience", "iam"),
    ("aksk", "--token-file", "token"),
    ("user", "--profile-name", "prod"),
]


@pytest.mark.parametrize(("way", "option", "value"), OTHERS)
def test_a_credential_of_another_way_than_auth_names_is_refused(
    gate: Gate, serve: Serve, way: str, option: str, value: str
) -> None:
    outcome = gate.run_now(serve("mysql").url, "--auth", way, option, value, "--timeout", "1s")
    assert outcome.code == 2
    outcome.reports(f"{option} cannot be used with --auth {way}")


def test_auth_of_the_command_line_replaces_a_profile_of_the_environment(
    gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRECHECK_GATE_PROFILE_NAME", "prod")
    outcome = gate.run(serve("mysql").url, "--auth", "token")
    assert outcome.code in (0, 1)
