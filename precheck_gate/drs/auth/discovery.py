"""The kinds of credentials, and the search for the one to use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from precheck_gate.drs.auth.access_key import AccessKey
from precheck_gate.drs.auth.credential import Environment, Found
from precheck_gate.drs.auth.iam_token import IamToken
from precheck_gate.drs.auth.id_token import CiIdentity
from precheck_gate.drs.auth.profile import SharedFile
from precheck_gate.drs.auth.user import IamUser
from precheck_gate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from precheck_gate.drs.auth.credential import Credential

KINDS: tuple[type[Credential], ...] = (
    IamToken,
    AccessKey,
    IamUser,
    CiIdentity,
    SharedFile,
)
"""All kinds, in the order in which they are looked for. What an option names comes first."""

VARIABLES = tuple(
    name
    for kind in KINDS
    for names in kind.variables
    for name in (*names.required, *names.optional)
)
"""All environment variables that hold a credential or a part of one."""

NAMING_OPTIONS = [one for kind in KINDS for one in kind.options if one.names_variable]
"""The options whose value is the name of a variable that holds a secret."""


def find_credential(options: Mapping[str, Any], environment: Environment) -> Found:
    """Return the credential to use. Reads files, but sends nothing.

    Args:
        options: the values of the options of all `KINDS`, and of ``auth``.
        environment: where else to look.

    Raises:
        UsageError: no credential was found, or it cannot be used.
    """
    auth = options.get("auth")
    kinds = [kind for kind in KINDS if auth in (None, kind.auth)]
    places = [place for kind in kinds for place in kind.find(options, environment)]
    if not places:
        raise _nothing(kinds, environment)
    first, *others = sorted(places, key=lambda place: place.rank)
    warnings = [first.warning] if first.warning else []
    if others:
        unused = ", ".join(f"the {other.kind.label} from {other.source}" for other in others)
        warnings.insert(
            0,
            f"found several credentials: using the {first.kind.label} from {first.source}, not "
            f"{unused} (choose with --auth)",
        )
    credential = first.take()
    return Found(credential, first.source, first.project_id, first.iam_endpoint, tuple(warnings))


def _nothing(kinds: list[type[Credential]], environment: Environment) -> UsageError:
    """Return the error for finding nothing, which names sets of variables that are incomplete."""
    incomplete = []
    for names in (names for kind in kinds for names in kind.variables):
        there = [name for name in names.required if environment.has(name)]
        if there and len(there) < len(names.required):
            missing = [name for name in names.required if name not in there]
            incomplete.append(f"{' and '.join(there)} is set, {' and '.join(missing)} is not")
    more = f" ({'; '.join(incomplete)})" if incomplete else ""
    first, *others = kinds
    if not others:
        return UsageError(f"No {first.label} found{more}.", hint=first.missing)
    lookups = ", ".join(kind.lookup for kind in others)
    return UsageError(
        f"No credential found{more}.",
        hint=f"{first.missing} The gate also looks for {lookups} (docs/credentials.md).",
    )


def mask_environment() -> None:
    """Mask the credentials in the environment of this process, whether they are used or not."""
    environment = Environment.of_process()
    public = {name for kind in KINDS for name in kind.public}
    named = {environment.get(option.own_variable) for option in NAMING_OPTIONS}
    for name in (set(VARIABLES) - public) | named:
        environment.secret(name)
