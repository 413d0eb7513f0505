"""A kind of credential is a class and a place in the list; everything else follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.drs.auth import discovery
from precheck_gate.drs.auth.credential import Credential, Environment, Variables, in_variables
from precheck_gate.drs.auth.discovery import KINDS, VARIABLES, find_credential
from precheck_gate.errors import UsageError
from tests.support.credentials import TOKEN, scenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from requests import PreparedRequest

    from precheck_gate.drs.auth.credential import AuthContext, Place
    from precheck_gate.safetext.secrets import Secret
    from tests.support.credentials import Gate
    from tests.support.gate import Serve


class Agency(Credential):
    auth = "agency"
    label = "agency token"
    lookup = "an agency in the environment"
    missing = "Set AGENCY and AGENCY_TOKEN."
    holder = "The agency"
    advice = "Ask the agency."
    variables = (Variables(("AGENCY", "AGENCY_TOKEN")),)
    public = ("AGENCY",)

    def __init__(self, token: Secret) -> None:
        self._token = token

    @classmethod
    def find(cls, options: Mapping[str, Any], environment: Environment) -> Iterator[Place]:
        return in_variables(cls, environment, cls.of_variables)

    @classmethod
    def of_variables(cls, environment: Environment, names: Variables) -> Agency:
        return cls(environment.secret(names.required[1]))

    def sign(self, request: PreparedRequest, context: AuthContext) -> None:
        request.headers["X-Auth-Token"] = self._token.reveal()


@pytest.fixture
def agency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "KINDS", (*KINDS, Agency))


def test_a_kind_in_the_list_is_found_and_used(
    gate: Gate, serve: Serve, agency: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENCY", "acme")
    monkeypatch.setenv("AGENCY_TOKEN", TOKEN)
    right, wrong = serve(scenario(f"token: {TOKEN}")), serve(scenario("token: another"))
    gate.doctor(right).has_line("ok    credential  agency token from AGENCY and AGENCY_TOKEN")
    assert gate.run(right).code == 0
    refused = gate.run(wrong)
    assert refused.code == 4
    refused.says("HTTP 401", "Ask the agency.")


def test_a_kind_in_the_list_is_told_of_where_it_is_missing(agency: None) -> None:
    with pytest.raises(UsageError) as caught:
        find_credential({}, Environment({"AGENCY": "acme"}))
    assert "AGENCY is set, AGENCY_TOKEN is not" in caught.value.message
    assert "an agency in the environment" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        find_credential({"auth": "agency"}, Environment({}))
    assert (caught.value.message, caught.value.hint) == ("No agency token found.", Agency.missing)


def test_no_two_kinds_share_a_name_an_option_or_a_variable() -> None:
    names = [kind.auth for kind in KINDS]
    options = [option.name for kind in KINDS for option in kind.options]
    for some in (names, options, list(VARIABLES)):
        assert len(set(some)) == len(some)


def test_what_is_public_is_a_variable_of_its_kind() -> None:
    for kind in KINDS:
        own = {name for names in kind.variables for name in names.required + names.optional}
        assert set(kind.public) <= own
