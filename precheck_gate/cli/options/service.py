"""The options that say which service to ask and with what credential, and what they amount to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from precheck_gate.cli.options import many, option, refuse_empty_credentials, section
from precheck_gate.cli.options.types import PATH
from precheck_gate.drs.auth.service_variables import (
    IAM_VARIABLES,
    PROJECT_VARIABLES,
    REGION_VARIABLES,
)
from precheck_gate.drs.auth.variables import ID_TOKEN_FILE_VARIABLES, IDP_VARIABLES
from precheck_gate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from precheck_gate.cli.options.service_settings import ServiceSettings
    from precheck_gate.drs.auth.session import Access
    from precheck_gate.drs.http.debug_log import Exchange
    from precheck_gate.drs.http.messages import Send
    from precheck_gate.drs.http.transport import HttpTransport
    from precheck_gate.runtime.console import Console
    from precheck_gate.runtime.process import Runtime

__all__ = ["open_access", "open_transport", "read_service", "service_files", "service_options"]

WAYS = ("token", "user", "aksk", "oidc", "profile")

_OPTIONS = (
    *section(
        "Service",
        option(
            "--endpoint",
            metavar="URL",
            help="DRS endpoint URL. Overrides --region.",
        ),
        option(
            "--region",
            envvar=REGION_VARIABLES,
            metavar="NAME",
            help="The region, such as eu-west-101, which selects the endpoints of DRS and IAM.",
        ),
        option(
            "--project-id",
            envvar=PROJECT_VARIABLES,
            metavar="ID",
            help="The project that the tasks belong to. By default, the gate asks IAM for the "
            "project named by HW_PROJECT_NAME, OS_PROJECT_NAME or OS_TENANT_NAME, or else by the "
            "region.",
        ),
        option(
            "--iam-endpoint",
            envvar=IAM_VARIABLES,
            metavar="URL",
            help="The IAM endpoint, where IAM has to be asked. Without it: that of the region.",
        ),
        option(
            "--ca-bundle",
            type=PATH,
            metavar="FILE",
            help="Trust these certificates (PEM) for TLS.",
        ),
        option(
            "--debug-http",
            is_flag=True,
            help="Log each HTTP request and response to stderr, with credentials masked.",
        ),
    ),
    *section(
        "Credential",
        option(
            "--auth",
            type=click.Choice(WAYS),
            help="Authentication method. Default: the first one found, in this order: an option's "
            "token file, profile or ID token; a token, access key or IAM user in the environment; "
            "the CI's identity; the shared credentials file.",
        ),
        option(
            "--token-file",
            type=PATH,
            metavar="FILE",
            help="Read the IAM token from a file. Overrides the environment.",
        ),
        option(
            "--profile-name",
            metavar="NAME",
            help="Use this profile of ~/.huaweicloud/credentials "
            "(HUAWEICLOUD_SDK_CREDENTIALS_FILE).",
        ),
        option(
            "--idp-id",
            envvar=IDP_VARIABLES,
            metavar="ID",
            help="The identity provider in IAM that takes the CI's ID token.",
        ),
        option(
            "--id-token-variable",
            metavar="NAME",
            help="The variable that holds the CI's ID token, such as of GitLab's id_tokens.",
        ),
        option(
            "--id-token-file",
            type=PATH,
            metavar="FILE",
            help="Read the CI's ID token from a file, again whenever it is needed.",
        ),
        option(
            "--oidc-audience",
            metavar="TEXT",
            help="The audience to ask GitHub's ID token for. Without it: GitHub's default.",
        ),
    ),
)


service_options = many(*_OPTIONS)


def service_files(options: Mapping[str, Any]) -> list[tuple[str, Path]]:
    """Return the files that may be read to reach the service, each with what it is."""
    from precheck_gate.drs.auth.environment import Environment
    from precheck_gate.drs.auth.profile import profile_path

    environment = Environment.of_process()
    tokens = filter(None, map(environment.get, ID_TOKEN_FILE_VARIABLES))
    files = [
        ("the token file", options["token_file"]),
        ("the ID token file", options["id_token_file"]),
        *(("the ID token file", Path(path)) for path in tokens),
        ("the CA bundle", options["ca_bundle"]),
        ("the credentials file", profile_path(environment)),
    ]
    return [(what, path) for what, path in files if path is not None]


def read_service(options: Mapping[str, Any], language: str = "en-us") -> ServiceSettings:
    """Return what the values of `service_options` and the environment amount to.

    Raises:
        UsageError: something is missing, or cannot be used; nothing was asked.
    """
    from precheck_gate.cli.options.service_settings import find_service
    from precheck_gate.drs.auth.discovery import AuthOptions
    from precheck_gate.drs.auth.environment import Environment
    from precheck_gate.drs.auth.identities import Way

    if options["token_file"] is None and not options["profile_name"]:
        refuse_empty_credentials()
    _refuse_contradiction(options)
    _refuse_other_ways(options)
    return find_service(
        endpoint=options["endpoint"],
        region=options["region"],
        project_id=options["project_id"],
        iam_endpoint=options["iam_endpoint"],
        auth=AuthOptions(
            way=Way(options["auth"]) if options["auth"] else None,
            token_file=options["token_file"],
            profile_name=options["profile_name"],
            idp_id=(options["idp_id"] or "").strip() or None,
            id_token_file=options["id_token_file"],
            id_token_variable=options["id_token_variable"],
            oidc_audience=options["oidc_audience"],
        ),
        environment=Environment.of_process(),
        language=language,
        ca_bundle=options["ca_bundle"],
    )


def _refuse_contradiction(options: Mapping[str, Any]) -> None:
    """Refuse a region of the command line that the endpoint of the environment would replace."""
    from precheck_gate.drs.http.endpoints import check_endpoint, region_endpoint

    ctx = click.get_current_context(silent=True)
    if ctx is None or (
        ctx.get_parameter_source("region"),
        ctx.get_parameter_source("endpoint"),
    ) != (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT):
        return
    region, endpoint = options["region"].strip(), check_endpoint(options["endpoint"])
    if endpoint != region_endpoint(region):
        raise UsageError(
            f"--region {region} means {region_endpoint(region)}, but PRECHECK_GATE_ENDPOINT is "
            f"{endpoint}.",
            hint="Unset the variable. If you mean its endpoint, give it with --endpoint as well.",
        )


_OPTIONS_OF_WAYS = {
    "token_file": "token",
    "profile_name": "profile",
    "idp_id": "oidc",
    "id_token_variable": "oidc",
    "id_token_file": "oidc",
    "oidc_audience": "oidc",
}


def _refuse_other_ways(options: Mapping[str, Any]) -> None:
    """Refuse a credential that the command line names and ``--auth`` leaves out."""
    ctx = click.get_current_context(silent=True)
    if ctx is None or not options["auth"]:
        return
    for name, way in _OPTIONS_OF_WAYS.items():
        if way != options["auth"] and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise UsageError(
                f"--{name.replace('_', '-')} has no meaning with --auth {options['auth']}.",
                hint=f"Leave one of them out, or give --auth {way}.",
            )


def open_transport(
    ca_bundle: str | None, runtime: Runtime, console: Console, *, debug_http: bool
) -> HttpTransport:
    """Return what sends requests, and tells of them where that is wanted."""
    from precheck_gate.drs.auth.requests_auth import NoAuth
    from precheck_gate.drs.http.debug_log import guard_loggers
    from precheck_gate.drs.http.transport import HttpTransport

    guard_loggers()
    return HttpTransport(
        NoAuth(),
        ca_bundle=ca_bundle,
        interrupts=runtime.interrupts,
        on_exchange=_teller(console) if debug_http else None,
    )


def open_access(service: ServiceSettings, send: Send, runtime: Runtime) -> Access:
    """Return the access to a service; nothing is asked yet."""
    from precheck_gate.drs.auth.session import Access

    return Access(
        service.found,
        service.endpoint,
        send,
        runtime.the_clock(),
        project_id=service.project_id,
        project_name=service.project_name or service.region,
        iam_endpoint=service.iam_endpoint,
    )


def _teller(console: Console) -> Callable[[Exchange], None]:
    def tell(exchange: Exchange) -> None:
        for line in exchange.lines():
            console.say(line)

    return tell
