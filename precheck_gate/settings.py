"""What a run needs to know, resolved from options and the environment, and checked."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from precheck_gate.drs.endpoints import check_endpoint, region_endpoint
from precheck_gate.errors import UsageError
from precheck_gate.secrets import Secret
from precheck_gate.text import clean_line, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "PROJECT_VARIABLES",
    "REGION_VARIABLES",
    "TOKEN_VARIABLES",
    "ServiceSettings",
    "check_ca_bundle",
    "check_project_id",
    "find_endpoint",
    "find_token",
]

# Our own name first, then those that the ecosystem already uses.
TOKEN_VARIABLES = ("PRECHECK_GATE_TOKEN", "HW_AUTH_TOKEN", "OS_TOKEN")
PROJECT_VARIABLES = (
    "PRECHECK_GATE_PROJECT_ID",
    "HUAWEICLOUD_SDK_PROJECT_ID",
    "HW_PROJECT_ID",
    "OS_PROJECT_ID",
)
REGION_VARIABLES = ("PRECHECK_GATE_REGION", "HW_REGION_NAME", "OS_REGION_NAME")

_PROJECT = re.compile(r"[0-9A-Za-z_-]{1,64}")
_MAX_TOKEN = 64 * 1024


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Which service to ask, for whom, and how.

    Attributes:
        endpoint: base URL, checked.
        project_id: whose tasks these are.
        token: the credential.
        token_source: where it was found, for people.
        language: of the service's messages.
        ca_bundle: a file of certificates to trust; None for the usual ones.
    """

    endpoint: str
    project_id: str
    token: Secret
    token_source: str
    language: str = "en-us"
    ca_bundle: str | None = None


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
            f"{clean_line(shorten(value, 60))!r} is not the ID of a project.",
            hint="It is a word of letters and digits such as 054ba152d480d55b2f5dc0069e7ddef0.",
        )
    return value


def find_token(token_file: Path | None, environ: Mapping[str, str]) -> tuple[Secret, str]:
    """Return the token and where it was found: the file first, then `TOKEN_VARIABLES` in order.

    Raises:
        UsageError: there is none, the file cannot be read, or it has characters that no token has.
    """
    if token_file is not None:
        return _check_token(_read_token(token_file), str(token_file)), str(token_file)
    for name in TOKEN_VARIABLES:
        if environ.get(name, "").strip():
            return _check_token(environ[name], name), name
    raise UsageError(
        "There is no token.",
        hint=f"Set one of {', '.join(TOKEN_VARIABLES)}, or give --token-file.",
    )


def _read_token(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_TOKEN).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"The token file {path} is not text.") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(
            f"The token file {path} cannot be read: {reason}.",
            hint="Check the path and its permissions.",
        ) from None


def _check_token(text: str, source: str) -> Secret:
    token = text.strip()
    if not token:
        raise UsageError(
            f"The token in {source} is empty.", hint="Get a new token, and put it there."
        )
    # The characters themselves are not shown: they are part of a secret.
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(
            f"The token in {source} has characters that no token has.",
            hint="It is one line of printable ASCII without blanks; was more put there than it?",
        )
    return Secret(token)


def check_ca_bundle(path: Path | None) -> str | None:
    """Return the path of a bundle of certificates that can be loaded, or None for none.

    Raises:
        UsageError: it cannot be read, or holds no certificate.
    """
    if path is None:
        return None
    import ssl

    try:
        if not path.is_dir():
            ssl.create_default_context(cafile=os.fspath(path))
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or "no certificate in it"
        raise UsageError(
            f"The CA bundle {path} cannot be used: {reason}.",
            hint="Give a file of certificates in PEM form.",
        ) from None
    return str(path)
