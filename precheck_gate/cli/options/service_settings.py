"""What a run needs to know, resolved from options and the environment, and checked."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from precheck_gate.drs.auth.discovery import find_identity
from precheck_gate.drs.auth.service_variables import PROJECT_NAME_VARIABLES
from precheck_gate.drs.http.endpoints import check_endpoint, region_endpoint
from precheck_gate.errors import UsageError
from precheck_gate.safetext.pasted_secrets import quoted, told

if TYPE_CHECKING:
    from pathlib import Path

    from precheck_gate.drs.auth.discovery import AuthOptions
    from precheck_gate.drs.auth.environment import Environment
    from precheck_gate.drs.auth.identities import Found

__all__ = [
    "ServiceSettings",
    "check_ca_bundle",
    "check_project_id",
    "find_endpoint",
    "find_iam_endpoint",
    "find_service",
]

_PROJECT = re.compile(r"[0-9A-Za-z_-]{1,64}")


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Which service to ask, for whom, and how.

    Attributes:
        endpoint: base URL, checked.
        project_id: whose tasks these are; "" to ask IAM for it by ``project_name``.
        found: the credential, and where it was found.
        language: of the service's messages.
        ca_bundle: a file of certificates to trust; None for the usual ones.
        region: the region's name; "" where it is not known.
        iam_endpoint: base URL of IAM, checked; "" where IAM is not needed.
        project_name: the project's name where IAM is asked by it, which is the region's unless
            the environment names another; "" where it is not known.
    """

    endpoint: str
    project_id: str
    found: Found
    language: str = "en-us"
    ca_bundle: str | None = None
    region: str = ""
    iam_endpoint: str = ""
    project_name: str = ""


def find_service(
    *,
    endpoint: str | None,
    region: str | None,
    project_id: str | None,
    iam_endpoint: str | None,
    auth: AuthOptions,
    environment: Environment,
    language: str = "en-us",
    ca_bundle: Path | None = None,
) -> ServiceSettings:
    """Return the settings of a service, all checked; nothing is asked.

    Raises:
        UsageError: something is missing, or cannot be used.
    """
    from precheck_gate.drs.http.endpoints import check_proxy

    base = find_endpoint(endpoint, region)
    given = project_id or ""
    name = ""
    if given.strip():
        given = check_project_id(given)
    elif name := _project_name(environment, (region or "").strip()):
        given = ""
    elif not region:
        # Without a region's name there is nothing to find it by, unless a profile knows it.
        found = _find_or_none(auth, environment)
        given = check_project_id(found.project_id if found else "")
    found = find_identity(auth, environment)
    project = given
    if not project and not name and found.project_id:
        project = check_project_id(found.project_id)
    iam = ""
    if found.needs_iam or not project:
        why = f"for the {found.label}" if found.needs_iam else "for the project's ID"
        iam = find_iam_endpoint(iam_endpoint or found.iam_endpoint, endpoint, region, why)
    for url in filter(None, (base, iam)):
        check_proxy(url)
    return ServiceSettings(
        endpoint=base,
        project_id=project,
        language=language,
        ca_bundle=check_ca_bundle(ca_bundle),
        found=found,
        region=(region or "").strip(),
        iam_endpoint=iam,
        project_name=name or ("" if project else (region or "").strip()),
    )


def _project_name(environment: Environment, region: str) -> str:
    """Return the name of the project that the environment names, "" for none.

    Raises:
        UsageError: it can be no project's name, or is one of another region.
    """
    variable = environment.first(PROJECT_NAME_VARIABLES)
    name = environment.get(variable)
    if not variable or name == region:
        return name
    hint = "Unset it, or give the project with --project-id (or PRECHECK_GATE_PROJECT_ID)."
    if not _PROJECT.fullmatch(name):
        raise UsageError(
            f"{variable} is {quoted(name)}, which is not a valid project name.", hint=hint
        )
    # The name of a project is that of its region, or begins with it.
    if region and name.partition("_")[0] != region:
        raise UsageError(
            f"{variable} is {quoted(name)}, which is not a project of the region {region}.",
            hint=hint,
        )
    return name


def _find_or_none(auth: AuthOptions, environment: Environment) -> Found | None:
    try:
        return find_identity(auth, environment)
    except UsageError:
        return None


def find_iam_endpoint(iam_endpoint: str, endpoint: str | None, region: str | None, why: str) -> str:
    """Return the checked endpoint of IAM: the URL where one is given, else that of the region.

    Where the service's endpoint is one of its own, so is IAM's: a credential is not sent to a
    host that nobody named. ``why`` is what IAM has to be asked for.

    Raises:
        UsageError: it is not known, or cannot be used.
    """
    from precheck_gate.drs.auth.iam import check_iam_endpoint, region_iam_endpoint

    if iam_endpoint.strip():
        return check_iam_endpoint(iam_endpoint)
    if region and (not endpoint or check_endpoint(endpoint) == region_endpoint(region.strip())):
        return region_iam_endpoint(region.strip())
    raise UsageError(
        f"IAM has to be asked {why}, and its endpoint is not known.",
        hint="Give --iam-endpoint with a URL, or --region without --endpoint; "
        "a token together with --project-id needs no IAM.",
    )


def find_endpoint(endpoint: str | None, region: str | None) -> str:
    """Return the checked endpoint: the URL where one is given, else that of the region.

    Raises:
        UsageError: neither is given, or it cannot be used.
    """
    if endpoint:
        return check_endpoint(endpoint)
    if region:
        return region_endpoint(region.strip())
    raise UsageError(
        "Neither an endpoint nor a region is given.",
        hint="Give --region (or PRECHECK_GATE_REGION), or --endpoint with a URL.",
    )


def check_project_id(project_id: str | None) -> str:
    """Return the ID of a project.

    Raises:
        UsageError: none is given, or it has the wrong form.
    """
    value = (project_id or "").strip()
    if not value:
        raise UsageError(
            "No project is given.", hint="Give --project-id (or PRECHECK_GATE_PROJECT_ID)."
        )
    if not _PROJECT.fullmatch(value):
        raise UsageError(
            f"{quoted(value)} is not the ID of a project.",
            hint="It is a word of letters and digits such as 054ba152d480d55b2f5dc0069e7ddef0.",
        )
    return value


def check_ca_bundle(path: Path | None) -> str | None:
    """Return the path of a bundle of certificates that can be loaded, or None for none.

    Raises:
        UsageError: it cannot be read, or holds no certificate.
    """
    if path is None:
        return None
    import ssl

    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            ssl.create_default_context(cafile=os.fspath(path))
        elif not stat.S_ISDIR(mode):
            # It is read again for each connection: a pipe gives it once, and may never end.
            raise OSError(None, "it is no regular file")
    except ssl.SSLError:
        reason = "no certificate in it"
    except OSError as error:
        reason = error.strerror or "it cannot be read"
    else:
        return str(path)
    raise UsageError(
        f"The CA bundle {told(path)} cannot be used: {reason}.",
        hint="Give a file of certificates in PEM form.",
    )
