"""Which service and which project is asked: named first thing, and never by a setting unheard."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from precheck_gate.cli.options.service import ServiceSettings, find_service
from precheck_gate.drs.auth.credential import Environment
from precheck_gate.errors import UsageError
from tests.support.outcome import ID, PROJECT

if TYPE_CHECKING:
    from tests.support.gate import Gate, Serve

PRIVATE = "https://drs.internal.example"
TENANT = ["OS_PROJECT_NAME", "OS_TENANT_NAME", "HW_PROJECT_NAME"]


def settings(
    *, region: str | None = None, endpoint: str | None = None, **more: str
) -> ServiceSettings:
    """Return the settings that a region, an endpoint, a project's ID and variables amount to."""
    variables = {"OS_TOKEN": "token", **{name: more[name] for name in more if name.isupper()}}
    return find_service(
        {
            "endpoint": endpoint,
            "region": region,
            "project_id": more.get("project_id"),
            "iam_endpoint": more.get("iam_endpoint", ""),
            "ca_bundle": None,
        },
        Environment(variables),
    )


# -- --region against the environment's endpoint --------------------------------------------------


def test_a_region_of_the_command_line_does_not_lose_to_the_environments_endpoint(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRECHECK_GATE_ENDPOINT", PRIVATE)
    outcome = gate.main(
        "run", ID, "--region", "eu-west-101", "--project-id", PROJECT, *gate.outputs
    )
    assert outcome.code == 2
    outcome.reports("--region eu-west-101", f"PRECHECK_GATE_ENDPOINT is {PRIVATE}")
    outcome.says("https://drs.eu-west-101.myhuaweicloud.eu", "Unset the variable")


def test_the_regions_own_endpoint_is_no_contradiction(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRECHECK_GATE_ENDPOINT", "https://drs.eu-west-101.myhuaweicloud.eu/")
    outcome = gate.main(
        "run", ID, "--region", "eu-west-101", "--project-id", " x y ", *gate.outputs
    )
    assert outcome.code == 2
    outcome.says("is not a valid project ID")


@pytest.mark.parametrize("where", ["both on the command line", "both in the environment"])
def test_an_endpoint_beside_a_region_is_used_where_both_are_said_alike(
    gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    url = serve("mysql").url
    if where == "both in the environment":
        monkeypatch.setenv("PRECHECK_GATE_ENDPOINT", url)
        monkeypatch.setenv("PRECHECK_GATE_REGION", "eu-west-101")
        outcome = gate.judge("run", ID, "--project-id", PROJECT, *gate.outputs)
    else:
        outcome = gate.run(url, "--region", "eu-west-101")
    assert outcome.code == 0


def test_an_endpoint_of_the_command_line_beats_the_environments_region(
    gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HW_REGION_NAME", "eu-west-101")
    assert gate.run(serve("mysql").url).code == 0


# -- a project by its name ------------------------------------------------------------------------


@pytest.mark.parametrize("variable", TENANT)
def test_the_environments_project_name_is_the_project(variable: str) -> None:
    found = settings(region="eu-de", **{variable: "eu-de_prod"})
    assert (found.project_id, found.project_name) == ("", "eu-de_prod")
    assert found.iam_endpoint == "https://iam.eu-de.myhuaweicloud.com"


def test_a_project_id_goes_before_a_name() -> None:
    found = settings(region="eu-de", project_id=PROJECT, OS_PROJECT_NAME="eu-de_prod")
    assert (found.project_id, found.project_name) == (PROJECT, "")


def test_without_a_name_the_project_is_the_regions() -> None:
    assert settings(region="eu-de").project_name == "eu-de"


def test_a_project_of_another_region_is_refused() -> None:
    with pytest.raises(UsageError, match="OS_PROJECT_NAME"):
        settings(region="eu-west-101", OS_PROJECT_NAME="eu-de_prod")


def test_a_name_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(UsageError, match="HW_PROJECT_NAME"):
        settings(region="eu-de", HW_PROJECT_NAME="eu-de\n_prod")


NAMED = f"""
version: 1
region: eu-west-101
tasks: [{{id: {ID}, name: orders, answer: mysql}}]
"""


@pytest.mark.parametrize("variable", TENANT)
def test_a_selection_asks_in_the_named_project(
    gate: Gate, serve: Serve, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """The simulator's IAM has the region's project alone, so that another is not to be found."""
    monkeypatch.setenv(variable, "eu-west-101_prod")
    service = serve(NAMED)
    argv = ["--endpoint", service.url, "--iam-endpoint", service.url, "--region", "eu-west-101"]
    outcome = gate.judge("run", "--select", "name=orders", *argv, *gate.outputs)
    assert outcome.code == 4, outcome.text
    outcome.says("no project named eu-west-101_prod")
    assert not [one for one in service.requests if "jobs" in one.path]


# -- what is asked, first thing -------------------------------------------------------------------


@pytest.mark.parametrize("select", [False, True])
def test_the_first_line_names_endpoint_and_project(gate: Gate, serve: Serve, select: bool) -> None:
    url = serve(NAMED).url
    more = ["--select", "name=orders"] if select else [ID]
    outcome = gate.run(url, "--region", "eu-west-101", *more, tasks=())
    assert outcome.code == 0
    first = outcome.err.splitlines()[0]
    assert first == f"precheck-gate: endpoint {url}, region eu-west-101, project {PROJECT}"


@pytest.mark.parametrize("select", [False, True])
def test_a_project_that_has_to_be_looked_up_is_named_by_its_name(
    gate: Gate, serve: Serve, select: bool
) -> None:
    url = serve(NAMED).url
    argv = ["--endpoint", url, "--iam-endpoint", url, "--region", "eu-west-101"]
    outcome = gate.judge(
        "run", *(["--select", "name=orders"] if select else [ID]), *argv, *gate.outputs
    )
    assert outcome.code == 0
    first, *rest = outcome.err.splitlines()
    assert first.endswith("region eu-west-101, project eu-west-101 (its ID from IAM)")
    assert re.fullmatch(r"[0-9a-f]{32}", outcome.report["service"]["project_id"])
    if select:
        assert f"project {outcome.report['service']['project_id']}" in "\n".join(rest)


def test_quiet_says_nothing(gate: Gate, serve: Serve) -> None:
    assert "endpoint" not in gate.run(serve(NAMED).url, "--quiet").err
