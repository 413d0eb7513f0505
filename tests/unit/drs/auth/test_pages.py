"""The page and the schema say what the program does."""

from __future__ import annotations

import re

import click

from precheck_gate.cli.options.service import (
    IAM_VARIABLES,
    PROJECT_NAME_VARIABLES,
    SERVICE_OPTIONS,
)
from precheck_gate.documents.yaml_document import parse_document
from precheck_gate.drs.auth.discovery import KINDS, VARIABLES
from precheck_gate.simulator.scenario import load_scenario
from tests.support.paths import ROOT

DOCS = ROOT / "docs"
PAGE = (DOCS / "credentials.md").read_text(encoding="utf-8")
NAMES = (
    *VARIABLES,
    *(name for kind in KINDS for option in kind.options for name in option.variables),
    *IAM_VARIABLES,
    *PROJECT_NAME_VARIABLES,
)


def test_the_page_names_every_variable() -> None:
    ours = ("PRECHECK_GATE_IDP_ID", "PRECHECK_GATE_IAM_ENDPOINT")
    assert [name for name in NAMES if name not in PAGE and name not in ours] == []


def test_the_page_names_no_variable_that_is_none() -> None:
    known = {
        *NAMES,
        *("PRECHECK_GATE_", "PRECHECK_GATE_ENDPOINT"),
        *("PRECHECK_GATE_AUTH", "PRECHECK_GATE_OIDC_AUDIENCE", "HUAWEICLOUD_SDK_CREDENTIALS_FILE"),
        *("HUAWEICLOUD_OIDC_PROVIDER_URN", "HUAWEICLOUD_OIDC_AGENCY_URN"),
    }
    named = set(re.findall(r"\b(?:PRECHECK_GATE|HW|OS|HUAWEICLOUD)_[A-Z_]+", PAGE))
    assert named - known - {"OS_AUTH"} == set()


def test_every_kind_is_a_choice_and_stands_on_the_page() -> None:
    names = [kind.auth for kind in KINDS]
    (auth,) = (param for param in options() if param.name == "auth")
    assert isinstance(auth.type, click.Choice)
    assert list(auth.type.choices) == names
    assert [kind.lookup for kind in KINDS if kind.lookup not in str(auth.help)] == []
    assert f"`--auth {'|'.join(names)}`" in PAGE


def options() -> list[click.Option]:
    command = click.Command("x")
    for add in SERVICE_OPTIONS:
        command = add(command)
    return [param for param in command.params if isinstance(param, click.Option)]


def test_the_page_names_every_option() -> None:
    names = [option.opts[0] for option in options()]
    assert [name for name in names if name not in PAGE and name != "--ca-bundle"] == []


def test_the_simulators_page_shows_a_scenario() -> None:
    page = (DOCS / "simulator.md").read_text(encoding="utf-8")
    text = re.findall(r"```yml\n(.*?)```", page, re.DOTALL)[0]
    made = load_scenario(parse_document(text, "page.yaml"))
    assert made.clock_skew == -1200
    assert made.revocations == (10.0,)
    assert made.access_keys is not None
    assert made.access_keys[1].lifetime == 20
    assert made.users is not None
    assert [user.permitted for user in made.users] == [True, True, True, False]
    assert "rehearsal" not in repr(made)
