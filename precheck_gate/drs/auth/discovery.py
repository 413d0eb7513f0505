"""Looks for a credential, the most explicit place first, and says where it was found.

The order, unless ``--auth`` names a way: what an option names (a token's file, a profile, an ID
token), then the environment (a token, an access key, a user, the CI's identity), then the shared
file of credentials.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from precheck_gate.drs.auth import profile as profiles
from precheck_gate.drs.auth.checks import (
    checked_id_token,
    checked_key,
    read_token,
    token_of_variable,
)
from precheck_gate.drs.auth.id_tokens import (
    FileIdToken,
    IdTokenOrigin,
    VariableIdToken,
    github_id_token,
)
from precheck_gate.drs.auth.identities import (
    Found,
    Identity,
    KeyIdentity,
    TokenIdentity,
    UserIdentity,
    Way,
)
from precheck_gate.drs.auth.variables import (
    GITHUB_TOKEN,
    GITHUB_URL,
    ID_TOKEN_FILE_VARIABLES,
    ID_TOKEN_VARIABLE,
    IDP_VARIABLES,
    KEY_VARIABLES,
    TOKEN_VARIABLES,
    USER_VARIABLES,
)
from precheck_gate.errors import UsageError
from precheck_gate.safetext.pasted_secrets import told, told_variable

if TYPE_CHECKING:
    from collections.abc import Callable

    from precheck_gate.drs.auth.environment import Environment

__all__ = ["AuthOptions", "find_identity"]


@dataclass(frozen=True, slots=True)
class AuthOptions:
    """What the options say of the credential; each is a name, a path or None, never a secret."""

    way: Way | None = None
    token_file: Path | None = None
    profile_name: str | None = None
    idp_id: str | None = None
    id_token_file: Path | None = None
    id_token_variable: str | None = None
    oidc_audience: str | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """A place with a credential; what is there is read when it is chosen."""

    way: Way
    source: str
    take: Callable[[], Identity]


def find_identity(options: AuthOptions, environment: Environment) -> Found:
    """Return who asks.

    Raises:
        UsageError: nothing was found, or what was found cannot be used.
    """
    places = [
        place
        for place in _Search(options, environment).places()
        if options.way in (None, place.way)
    ]
    if not places:
        raise _nothing(options, environment)
    first, *others = places
    warnings = []
    if others:
        unused = ", ".join(f"{other.way.label} from {other.source}" for other in others)
        warnings.append(
            f"several credentials were found: the {first.way.label} from {first.source} is used, "
            f"not the {unused} (--auth chooses)"
        )
    if first.way is not Way.PROFILE:
        return Found(first.take(), first.way, first.source, warnings=tuple(warnings))
    return _from_profile(first, options, environment, warnings)


def _from_profile(
    place: _Place, options: AuthOptions, environment: Environment, warnings: list[str]
) -> Found:
    path = _profile_path(environment)
    name = options.profile_name or profiles.DEFAULT_PROFILE
    if warning := profiles.file_warning(path):
        warnings.append(warning)
    identity = place.take()
    profile = profiles.read_profile(path, name)
    return Found(
        identity,
        Way.PROFILE,
        place.source,
        project_id=profile.project_id,
        iam_endpoint=profile.iam_endpoint,
        warnings=tuple(warnings),
    )


class _Search:
    """Where credentials are, in the order in which they are preferred."""

    def __init__(self, options: AuthOptions, environment: Environment) -> None:
        self._options = options
        self._environment = environment

    def places(self) -> list[_Place]:
        """Return the places that hold a whole credential, the preferred one first."""
        options = self._options
        places: list[_Place] = []
        if (file := options.token_file) is not None:
            places.append(_Place(Way.TOKEN, told(file), lambda: TokenIdentity(read_token(file))))
        if options.profile_name:
            places.append(self._profile())
        id_token = self._id_token()
        explicit = bool(options.id_token_file or options.id_token_variable)
        if id_token is not None and explicit:
            places.append(id_token)
        places += [*self._tokens(), *self._keys(), *self._users()]
        if id_token is not None and not explicit:
            places.append(id_token)
        if not options.profile_name and self._profile_is_there():
            places.append(self._profile())
        return places

    def _tokens(self) -> list[_Place]:
        return [
            _Place(Way.TOKEN, name, lambda name=name: self._token(name))  # type: ignore[misc]
            for name in TOKEN_VARIABLES
            if self._environment.has(name)
        ]

    def _token(self, name: str) -> Identity:
        return TokenIdentity(token_of_variable(self._environment, name))

    def _keys(self) -> list[_Place]:
        return [
            _Place(Way.KEY, f"{names[0]} and {names[1]}", lambda names=names: self._key(*names))  # type: ignore[misc]
            for names in KEY_VARIABLES
            if self._environment.has(*names[:2])
        ]

    def _key(self, access_key: str, secret_key: str, security_token: str) -> Identity:
        secret = self._environment.secret
        return checked_key(
            KeyIdentity(
                secret(access_key),
                secret(secret_key),
                secret(security_token) if self._environment.has(security_token) else None,
            ),
            f"{access_key} and {secret_key}",
        )

    def _users(self) -> list[_Place]:
        return [
            _Place(Way.USER, f"{name} and {password}",
                   lambda names=(name, password, domains): self._user(*names))  # type: ignore[misc]
            for name, password, domains in USER_VARIABLES
            if self._environment.has(name, password)
        ]  # fmt: skip

    def _user(self, name: str, password: str, domains: tuple[str, ...]) -> Identity:
        domain = self._environment.get(*domains)
        if not domain:
            raise UsageError(
                f"The IAM user of {name} has no domain.",
                hint=f"Set {' or '.join(domains)} to the name of the account.",
            )
        return UserIdentity(self._environment.get(name), self._environment.secret(password), domain)

    def _id_token(self) -> _Place | None:
        """Return the CI's identity, if there is one, and asked for by an identity provider."""
        options, environment = self._options, self._environment
        asked_for = (
            options.way is Way.ID_TOKEN or options.id_token_file or options.id_token_variable
        )
        if not asked_for and not (options.idp_id or environment.has(IDP_VARIABLES[1])):
            return None
        if options.id_token_variable:
            source = f"the variable {told_variable(options.id_token_variable)}"
        elif file := options.id_token_file:
            source = told(file)
        elif variable := environment.first((*ID_TOKEN_FILE_VARIABLES, ID_TOKEN_VARIABLE)):
            source = variable
        elif environment.has(GITHUB_URL, GITHUB_TOKEN):
            source = "GitHub's identity of this job"
        else:
            return None
        return _Place(Way.ID_TOKEN, source, self._take_id_token)

    def _take_id_token(self) -> Identity:
        idp_id = self._options.idp_id or self._environment.get(*IDP_VARIABLES)
        if not idp_id:
            raise UsageError(
                "There is an ID token, but no identity provider to exchange it at.",
                hint="Give --idp-id (or HUAWEICLOUD_SDK_IDP_ID): its ID in IAM.",
            )
        return checked_id_token(idp_id, self._origin())

    def _origin(self) -> IdTokenOrigin:
        options, environment = self._options, self._environment
        if options.id_token_variable:
            return VariableIdToken(options.id_token_variable, environment)
        if options.id_token_file:
            return FileIdToken(options.id_token_file)
        if named := environment.get(*ID_TOKEN_FILE_VARIABLES):
            return FileIdToken(Path(named))
        if environment.has(ID_TOKEN_VARIABLE):
            return VariableIdToken(ID_TOKEN_VARIABLE, environment)
        return github_id_token(environment, options.oidc_audience or "")

    def _profile_is_there(self) -> bool:
        if self._options.way is Way.PROFILE:
            return True
        path = profiles.profile_path(self._environment)
        return profiles.DEFAULT_PROFILE in profiles.profiles_in(path)

    def _profile(self) -> _Place:
        name = self._options.profile_name or profiles.DEFAULT_PROFILE
        path = profiles.profile_path(self._environment)
        return _Place(
            Way.PROFILE, f"profile {told(name)} of {told(path)}", lambda: self._take_profile(name)
        )

    def _take_profile(self, name: str) -> Identity:
        path = _profile_path(self._environment)
        profile = profiles.read_profile(path, name)
        if profile.idp_id and profile.id_token_file:
            return checked_id_token(profile.idp_id, FileIdToken(Path(profile.id_token_file)))
        where = f"profile {told(name)} of {told(path)}"
        if not profile.access_key or not profile.secret_key:
            raise UsageError(
                f"The {where} has no credential in it.",
                hint="It needs ak and sk, or idp_id and id_token_file.",
            )
        key = KeyIdentity(profile.access_key, profile.secret_key, profile.security_token or None)
        return checked_key(key, where)


def _profile_path(environment: Environment) -> Path:
    path = profiles.profile_path(environment)
    if path is None:
        raise UsageError(
            "There is no home folder to look for the credentials file in.",
            hint=f"Name the file in {profiles.FILE_VARIABLE}.",
        )
    return path


def _nothing(options: AuthOptions, environment: Environment) -> UsageError:
    """Return the error for finding nothing, with what is there in part."""
    halves = [
        f"{there} is set, {missing} is not"
        for names in (*KEY_VARIABLES, *(names[:2] for names in USER_VARIABLES))
        for there, missing in ((names[0], names[1]), (names[1], names[0]))
        if environment.has(there) and not environment.has(missing)
    ]
    half = f" ({'; '.join(halves)})" if halves else ""
    needs = {
        Way.USER: "Set HW_USER_NAME, HW_USER_PASSWORD and HW_DOMAIN_NAME.",
        Way.KEY: "Set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK.",
        Way.ID_TOKEN: "In GitHub, the job needs 'permissions: {id-token: write}'; in GitLab, name "
        "the variable of its id_tokens with --id-token-variable.",
    }
    if options.way in needs:
        return UsageError(f"There is no {options.way.label}{half}.", hint=needs[options.way])
    if half:
        return UsageError(f"There is no token, and no other credential{half}.", hint=_TOKEN_HINT)
    return UsageError("There is no token.", hint=_TOKEN_HINT)


_TOKEN_HINT = (
    f"Set one of {', '.join(TOKEN_VARIABLES)}, or give --token-file; or use an access key, an IAM "
    "user, a profile or the CI's identity (--auth, docs/credentials.md)."
)
