"""The service that a run uses, and the credential for it: options, settings and access."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from precheck_gate.cli.options import many, option, refuse_empty_credentials, section
from precheck_gate.cli.options.types import PATH
from precheck_gate.drs.auth.credential import Environment
from precheck_gate.drs.auth.discovery import KINDS, find_credential
from precheck_gate.errors import UsageError
from precheck_gate.safetext.pasted_secrets import quoted, safe_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from precheck_gate.drs.auth.credential import Found, Option
    from precheck_gate.drs.auth.session import Access
    from precheck_gate.drs.http.messages import Send
    from precheck_gate.drs.http.transport import HttpTransport
    from precheck_gate.runtime.console import Console
    from precheck_gate.runtime.process import Runtime

# Our own names first, then those that other tools use.
_REGION = ("PRECHECK_GATE_REGION", "HW_REGION_NAME", "OS_REGION_NAME")
_PROJECT_ID = (
    "PRECHECK_GATE_PROJECT_ID",
    "HUAWEICLOUD_SDK_PROJECT_ID",
    "HW_PROJECT_ID",
    "OS_PROJECT_ID",
)
PROJECT_NAME_VARIABLES = ("HW_PROJECT_NAME", "OS_PROJECT_NAME", "OS_TENANT_NAME")
IAM_VARIABLES = (
    "PRECHECK_GATE_IAM_ENDPOINT",
    "HUAWEICLOUD_SDK_IAM_ENDPOINT",
    "HW_AUTH_URL",
    "OS_AUTH_URL",
)
_PROJECT = re.compile(r"[0-9A-Za-z_-]{1,64}")


def _click_option(declared: Option) -> Callable[[Any], Any]:
    settings: dict[str, Any] = {"type": PATH} if declared.file else {}
    if declared.variables:
        settings["envvar"] = declared.variables
    return option(declared.name, metavar=declared.metavar, help=declared.help, **settings)


SERVICE_OPTIONS = (
    *section(
        "Service",
        option(
            "--endpoint",
            metavar="URL",
            help="DRS endpoint URL. Overrides --region.",
        ),
        option(
            "--region",
            envvar=_REGION,
            metavar="NAME",
            help="Region, such as eu-west-101. Selects the endpoints of DRS and IAM.",
        ),
        option(
            "--project-id",
            envvar=_PROJECT_ID,
            metavar="ID",
            help="Project of the tasks. Default: the gate asks IAM for the project named by "
            f"{', '.join(PROJECT_NAME_VARIABLES[:-1])} or {PROJECT_NAME_VARIABLES[-1]}, else by "
            "the region.",
        ),
        option(
            "--iam-endpoint",
            envvar=IAM_VARIABLES,
            metavar="URL",
            help="IAM endpoint URL. Default: the one of --region.",
        ),
        option(
            "--ca-bundle",
            type=PATH,
            metavar="FILE",
            help="CA certificates (PEM) to trust for TLS.",
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
            type=click.Choice([kind.auth for kind in KINDS]),
            help="Authentication method. Default: the first one found, in this order: what an "
            f"option names; {'; '.join(kind.lookup for kind in KINDS)}.",
        ),
        *(_click_option(declared) for kind in KINDS for declared in kind.options),
    ),
)


service_options = many(*SERVICE_OPTIONS)


def service_files(options: Mapping[str, Any]) -> list[tuple[str, Path]]:
    """Return the files that may be read to reach the service, each with its name."""
    environment = Environment.of_process()
    files = [one for kind in KINDS for one in kind.files(options, environment)]
    if options["ca_bundle"] is not None:
        files.append(("the CA bundle", options["ca_bundle"]))
    return files


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """The service to use, all checked.

    Attributes:
        endpoint: base URL.
        project_id: "" to ask IAM for it by ``project_name``.
        language: of the service's messages.
        ca_bundle: None for the usual certificates.
        region: "" if not known.
        iam_endpoint: base URL; "" if IAM is not needed.
        project_name: named by the environment, or else the region; "" if not known.
    """

    endpoint: str
    project_id: str
    found: Found
    language: str = "en-us"
    ca_bundle: str | None = None
    region: str = ""
    iam_endpoint: str = ""
    project_name: str = ""


def read_service(options: Mapping[str, Any], language: str = "en-us") -> ServiceSettings:
    """Return the settings that the options and the environment of this process amount to.

    Raises:
        UsageError: something is missing, contradictory or not valid. Nothing was sent.
    """
    declared = [one for kind in KINDS for one in kind.options if one.names_credential]
    if not any(options[one.key] for one in declared):
        refuse_empty_credentials()
    _refuse_contradiction(options)
    _refuse_other_kinds(options)
    return find_service(options, Environment.of_process(), language)


def find_service(
    options: Mapping[str, Any], environment: Environment, language: str = "en-us"
) -> ServiceSettings:
    """Return the settings that the options and an environment amount to; see `read_service`."""
    from precheck_gate.drs.http.endpoints import check_proxy

    region = (options["region"] or "").strip()
    endpoint = _endpoint(options["endpoint"], region)
    project_id = (options["project_id"] or "").strip()
    if project_id:
        project_id = _checked_project_id(project_id)
    project_name = "" if project_id else _project_name(environment, region)
    found: Found | None = None
    if not (project_id or project_name or region):
        # Only a profile can name the project now. Without one, the project is what is missing.
        with suppress(UsageError):
            found = find_credential(options, environment)
        project_id = _checked_project_id(found.project_id if found else "")
    found = found or find_credential(options, environment)
    if found.project_id and not (project_id or project_name):
        project_id = _checked_project_id(found.project_id)
    iam_endpoint = ""
    if found.credential.needs_iam or not project_id:
        iam_endpoint = _iam_endpoint(options, region, found)
    for url in filter(None, (endpoint, iam_endpoint)):
        check_proxy(url)
    return ServiceSettings(
        endpoint=endpoint,
        project_id=project_id,
        found=found,
        language=language,
        ca_bundle=_checked_ca_bundle(options["ca_bundle"]),
        region=region,
        iam_endpoint=iam_endpoint,
        project_name=project_name or ("" if project_id else region),
    )


def _refuse_contradiction(options: Mapping[str, Any]) -> None:
    """Refuse a --region on the command line that PRECHECK_GATE_ENDPOINT would override."""
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
            hint="Unset the variable. If you want its endpoint, give it with --endpoint too.",
        )


def _refuse_other_kinds(options: Mapping[str, Any]) -> None:
    """Refuse an option on the command line that belongs to another kind than --auth selects."""
    ctx = click.get_current_context(silent=True)
    if ctx is None or not options["auth"]:
        return
    for kind in KINDS:
        for one in kind.options:
            given = ctx.get_parameter_source(one.key) is ParameterSource.COMMANDLINE
            if given and kind.auth != options["auth"]:
                raise UsageError(
                    f"{one.name} cannot be used with --auth {options['auth']}.",
                    hint=f"Remove one of them, or use --auth {kind.auth}.",
                )


def _project_name(environment: Environment, region: str) -> str:
    """Return the name of the project in the environment, or "".

    Raises:
        UsageError: it is not a valid name, or it belongs to another region.
    """
    variable = environment.first(PROJECT_NAME_VARIABLES)
    name = environment.get(variable)
    if not variable or name == region:
        return name
    if not _PROJECT.fullmatch(name):
        problem = "a valid project name"
    # The name of a project is that of its region, or begins with it.
    elif region and name.partition("_")[0] != region:
        problem = f"a project of the region {region}"
    else:
        return name
    raise UsageError(
        f"{variable} is {quoted(name)}, which is not {problem}.",
        hint="Unset it, or give the project with --project-id (or PRECHECK_GATE_PROJECT_ID).",
    )


def _iam_endpoint(options: Mapping[str, Any], region: str, found: Found) -> str:
    """Return the checked endpoint of IAM.

    With an endpoint of its own for the service, IAM's is not guessed from the region: a
    credential must not go to a host that nobody named.
    """
    from precheck_gate.drs.http.endpoints import check_endpoint, region_endpoint

    given = options["iam_endpoint"] or found.iam_endpoint
    if given.strip():
        return _checked_iam_endpoint(given)
    endpoint = options["endpoint"]
    if region and (not endpoint or check_endpoint(endpoint) == region_endpoint(region)):
        return region_endpoint(region).replace("//drs.", "//iam.", 1)
    label = found.credential.label
    why = f"for the {label}" if found.credential.needs_iam else "for the project's ID"
    raise UsageError(
        f"IAM is needed {why}, and its endpoint is not known.",
        hint="Give --iam-endpoint with a URL, or --region without --endpoint. "
        "A token together with --project-id needs no IAM.",
    )


def _checked_iam_endpoint(url: str) -> str:
    """Return IAM's URL without its version, safe to send credentials to."""
    from precheck_gate.drs.http.endpoints import check_endpoint

    try:
        return check_endpoint(url).removesuffix("/v3")
    except UsageError as error:
        message = error.message.replace("The endpoint", "The IAM endpoint", 1)
    raise UsageError(
        message, hint="Give one such as https://iam.eu-west-101.myhuaweicloud.eu, with https."
    )


def _endpoint(endpoint: str | None, region: str) -> str:
    from precheck_gate.drs.http.endpoints import check_endpoint, region_endpoint

    if endpoint:
        return check_endpoint(endpoint)
    if region:
        return region_endpoint(region)
    raise UsageError(
        "Neither an endpoint nor a region is given.",
        hint="Give --region (or PRECHECK_GATE_REGION), or --endpoint with a URL.",
    )


def _checked_project_id(project_id: str) -> str:
    value = project_id.strip()
    if not value:
        raise UsageError(
            "No project is given.", hint="Give --project-id (or PRECHECK_GATE_PROJECT_ID)."
        )
    if not _PROJECT.fullmatch(value):
        raise UsageError(
            f"{quoted(value)} is not a valid project ID.",
            hint="It is a word of letters and digits such as 054ba152d480d55b2f5dc0069e7ddef0.",
        )
    return value


def _checked_ca_bundle(path: Path | None) -> str | None:
    if path is None:
        return None
    import ssl

    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            ssl.create_default_context(cafile=os.fspath(path))
        elif not stat.S_ISDIR(mode):
            # It is read for each connection: a pipe has its content once, and may never end.
            raise OSError(None, "it is not a regular file")
    except ssl.SSLError:
        reason = "no certificate in it"
    except OSError as error:
        reason = error.strerror or "it cannot be read"
    else:
        return str(path)
    raise UsageError(
        f"The CA bundle {safe_name(path)} cannot be used: {reason}.",
        hint="Give a file of certificates in PEM format.",
    )


def open_transport(
    ca_bundle: str | None, runtime: Runtime, console: Console, *, debug_http: bool
) -> HttpTransport:
    """Return what sends requests, and logs them if ``debug_http``."""
    from precheck_gate.drs.http.debug_log import Exchange, guard_loggers
    from precheck_gate.drs.http.transport import HttpTransport

    def log(exchange: Exchange) -> None:
        for line in exchange.lines():
            console.say(line)

    guard_loggers()
    return HttpTransport(
        ca_bundle=ca_bundle,
        interrupts=runtime.interrupts,
        on_exchange=log if debug_http else None,
    )


def open_access(service: ServiceSettings, send: Send, runtime: Runtime) -> Access:
    """Return the access to a service. Sends nothing yet."""
    from precheck_gate.drs.auth.session import Access

    return Access(
        service.found.credential,
        service.endpoint,
        send,
        runtime.the_clock(),
        project_id=service.project_id,
        project_name=service.project_name or service.region,
        iam_endpoint=service.iam_endpoint,
    )
