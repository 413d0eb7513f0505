"""The identity of a CI job: an OIDC ID token, for which IAM issues a token."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from precheck_gate.drs.auth.credential import (
    IssuedCredential,
    Option,
    Place,
    Rank,
    Variables,
    is_word,
    read_secret,
)
from precheck_gate.errors import AccessRefused, ServiceError, UsageError
from precheck_gate.safetext.cleaning import clean_line, shorten
from precheck_gate.safetext.pasted_secrets import looks_like_secret, safe_name, safe_variable_name
from precheck_gate.safetext.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from requests import PreparedRequest

    from precheck_gate.drs.auth.credential import AuthContext, Environment
    from precheck_gate.drs.auth.iam import Issued
    from precheck_gate.runtime.process import Clock

_FILE_VARIABLES = ("HUAWEICLOUD_SDK_ID_TOKEN_FILE", "HUAWEICLOUD_OIDC_TOKEN_FILE")
_VARIABLE = "HUAWEICLOUD_OIDC_ID_TOKEN"
_GITHUB_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
_GITHUB_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105  # the name of a variable
_GITHUB = "GitHub's issuer of ID tokens"


class CiIdentity(IssuedCredential):
    """A CI job, known to IAM through an identity provider.

    Raises:
        UsageError: there is no ID token, as far as can be seen without a request.
    """

    auth = "oidc"
    label = "CI identity"
    lookup = "the identity of the CI job (with --idp-id)"
    missing = (
        "In GitHub, the job needs 'permissions: {id-token: write}'. In GitLab, name the variable "
        "of its id_tokens with --id-token-variable."
    )
    holder = "The identity provider's user group"
    options = (
        Option(
            "--idp-id",
            "ID",
            "ID of the identity provider in IAM that accepts the CI's ID token.",
            variables=("PRECHECK_GATE_IDP_ID", "HUAWEICLOUD_SDK_IDP_ID"),
        ),
        Option(
            "--id-token-variable",
            "NAME",
            "Environment variable that holds the CI's ID token, such as one of GitLab's id_tokens.",
            names_variable=True,
        ),
        Option(
            "--id-token-file",
            "FILE",
            "Read the CI's ID token from a file, each time it is needed.",
            file="ID token file",
        ),
        Option(
            "--oidc-audience",
            "TEXT",
            "Audience of the ID token that GitHub issues. Default: GitHub's default audience.",
        ),
    )
    variables = (
        *(Variables((name,)) for name in _FILE_VARIABLES),
        Variables((_VARIABLE,)),
        Variables((_GITHUB_URL, _GITHUB_TOKEN)),
    )
    public = (*_FILE_VARIABLES, _GITHUB_URL)

    def __init__(self, idp_id: str, origin: IdTokenOrigin) -> None:
        super().__init__()
        if not idp_id:
            raise UsageError(
                "There is an ID token, but no identity provider is named.",
                hint="Set --idp-id (or HUAWEICLOUD_SDK_IDP_ID) to its ID in IAM.",
            )
        if not is_word(idp_id):
            raise UsageError(
                "The identity provider ID (--idp-id) is not valid.",
                hint="Give its ID in IAM: printable ASCII without spaces.",
            )
        origin.check()
        self._idp_id = idp_id
        self._origin = origin

    @classmethod
    def find(cls, options: Mapping[str, Any], environment: Environment) -> Iterator[Place]:
        """Yield the CI's identity if an option, or an identity provider, asks for it."""
        named = options.get("id_token_variable") or options.get("id_token_file")
        idp_id = (options.get("idp_id") or "").strip()
        if not (named or idp_id or options.get("auth") == cls.auth):
            return
        if (origin := _origin(options, environment)) is not None:
            rank = Rank.PART_NAMED if named else Rank.FOUND
            yield Place(cls, origin.source, lambda: cls(idp_id, origin), rank)

    @classmethod
    def files(
        cls, options: Mapping[str, Any], environment: Environment
    ) -> Iterator[tuple[str, Path]]:
        """Yield the files that an option or a variable names."""
        yield from super().files(options, environment)
        for path in filter(None, map(environment.get, _FILE_VARIABLES)):
            yield "the ID token file", Path(path)

    def fetch(self, context: AuthContext, seconds: float) -> Issued:
        """Have IAM issue a token for the ID token."""
        end = context.clock.monotonic() + seconds
        token = self._origin.obtain(context, seconds)
        claims = claims_of(token, context.clock)
        hint = (
            f"IAM did not accept the ID token{f' ({claims})' if claims else ''}. Check --idp-id. "
            f"If the audience is wrong, {self._origin.audience_hint}."
        )
        return context.iam.issue(
            "/v3.0/OS-AUTH/id-token/tokens",
            lambda: {"id_token": {"id": token.reveal()}},
            context.scope,
            lambda _: hint,
            context.left(end),
            {"X-Idp-Id": self._idp_id},
        )


def _origin(options: Mapping[str, Any], environment: Environment) -> IdTokenOrigin | None:
    """Return where the ID token comes from, the most explicit origin first."""
    if variable := options.get("id_token_variable"):
        return _in_variable(variable, environment)
    if file := options.get("id_token_file"):
        return id_token_in_file(file)
    if variable := environment.first(_FILE_VARIABLES):
        return id_token_in_file(Path(environment.get(variable)), f" (set in {variable})")
    if environment.has(_VARIABLE):
        return _in_variable(_VARIABLE, environment)
    if environment.has(_GITHUB_URL, _GITHUB_TOKEN):
        url, token = environment.get(_GITHUB_URL), environment.secret(_GITHUB_TOKEN)
        return GitHubIdToken(url, token, options.get("oidc_audience") or "")
    return None


class GitHubIdToken:
    """GitHub Actions, which issues a token to the job on request.

    Args:
        url: from ``ACTIONS_ID_TOKEN_REQUEST_URL``.
        token: authorizes the request, from ``ACTIONS_ID_TOKEN_REQUEST_TOKEN``.
        audience: "" for GitHub's default.
    """

    source = "GitHub's identity of this job"
    audience_hint = "set --oidc-audience to the client ID of the identity provider in IAM"

    def __init__(self, url: str, token: Secret, audience: str) -> None:
        self._url = url
        self._token = token
        self._audience = audience

    def check(self) -> None:
        """Raise a `UsageError` if no credential may be sent to the URL."""
        if problem := _url_problem(self._url):
            raise UsageError(f"{_GITHUB_URL} cannot be used: {problem}")

    def obtain(self, context: AuthContext, seconds: float) -> Secret:
        """Request a new token from GitHub."""
        from urllib.parse import quote, urlsplit

        from precheck_gate.drs.auth.requests_auth import BoundAuth
        from precheck_gate.drs.http.messages import HttpRequest
        from precheck_gate.drs.http.replies import refusal

        def sign(request: PreparedRequest) -> None:
            request.headers["Authorization"] = f"bearer {self._token.reveal()}"

        url = self._url
        if self._audience:
            url += f"{'&' if urlsplit(url).query else '?'}audience={quote(self._audience, safe='')}"
        reply = context.send(HttpRequest("GET", url), BoundAuth(sign, url), seconds)
        if reply.status in (400, 401, 403, 404):
            refused = refusal(reply, context.clock, _GITHUB)
            raise AccessRefused(
                refused.message,
                hint="Check that the job has 'permissions: {id-token: write}' and still runs.",
                code=refused.code,
            )
        if reply.status != 200:
            raise refusal(reply, context.clock, _GITHUB)
        token = _token_in(reply.body)
        if not token:
            raise ServiceError(f"{_GITHUB} answered without a token.")
        return token


class KeptIdToken:
    """An ID token that others keep up to date in one place; it is read each time.

    Args:
        source: the place, by name.
        given: the place as it was given, which may be the token itself by mistake.
        audience_hint: what to do if the audience is not the one that IAM expects.
    """

    def __init__(
        self, source: str, given: str, read: Callable[[], tuple[Secret, str]], audience_hint: str
    ) -> None:
        self.source = source
        self.audience_hint = audience_hint
        self._given = given
        self._read = read

    def check(self) -> None:
        """Raise a `UsageError` if there is no token."""
        self._read_or(UsageError)

    def obtain(self, context: AuthContext, seconds: float) -> Secret:  # noqa: ARG002
        """Return the token that is there."""
        return self._read_or(AccessRefused)

    def _read_or(self, error: type[UsageError | AccessRefused]) -> Secret:
        """Return the token, or raise an error, which quotes nothing of the content."""
        token, complaint = self._read()
        if not complaint and not is_word(token.reveal()):
            complaint = "contains something that is not an ID token"
        if not complaint and not token:
            complaint = "contains no ID token"
        if complaint:
            raise error(
                f"T{self.source[1:]} {complaint}.",
                hint="This looks like the ID token itself. Name the variable or the file that "
                "contains it."
                if looks_like_secret(self._given)
                else "In GitLab, 'id_tokens: {NAME: {aud: …}}' of the job puts it into the "
                "variable NAME. Name that with --id-token-variable.",
            )
        return token


IdTokenOrigin = GitHubIdToken | KeptIdToken


def _in_variable(name: str, environment: Environment) -> KeptIdToken:
    """Return the ID token in a variable, which the CI system sets (GitLab's ``id_tokens``)."""
    return KeptIdToken(
        f"the variable {safe_variable_name(name)}",
        name,
        lambda: (environment.secret(name), ""),
        "set the 'aud' of the job's id_tokens to the client ID of the identity provider",
    )


def id_token_in_file(path: Path, set_in: str = "") -> KeptIdToken:
    """Return the ID token in a file; ``set_in`` is added to the path in messages."""
    return KeptIdToken(
        f"the ID token file {safe_name(path)}{set_in}",
        str(path),
        lambda: read_secret(path),
        "get a token for the client ID of the identity provider in IAM",
    )


def claims_of(token: Secret, clock: Clock) -> str:
    """Return the issuer, audience and end of an ID token in words; "" if it cannot be read.

    Nothing is verified here: that is up to IAM.
    """
    from datetime import UTC, datetime

    claims = _claims(token)
    words = []
    for key, word in (("iss", "issuer"), ("aud", "audience")):
        value = claims.get(key)
        one = ", ".join(map(str, value)) if isinstance(value, list) else value
        if isinstance(one, str) and one:
            words.append(f"its {word} is {clean_line(shorten(one, 100))!r}")
    end = claims.get("exp")
    if isinstance(end, int) and not isinstance(end, bool) and 0 < end < 2**33:
        moment = datetime.fromtimestamp(end, UTC)
        verb = "expired" if moment <= clock.now() else "expires"
        words.append(f"it {verb} at {moment:%Y-%m-%d %H:%M:%S} UTC")
    return ", ".join(words)


def _claims(token: Secret) -> dict[str, Any]:
    import base64

    from precheck_gate.drs.auth.iam import object_in

    parts = token.reveal().split(".")
    if len(parts) != 3:
        return {}
    try:
        content = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
    except ValueError:
        return {}
    return object_in(content)


def _token_in(body: bytes) -> Secret:
    from precheck_gate.drs.auth.iam import object_in

    value = object_in(body).get("value")
    return Secret(value if isinstance(value, str) else "")


def _url_problem(url: str) -> str:
    """Return what is wrong with GitHub's URL, "" if nothing; no frame of an error holds the URL."""
    from precheck_gate.drs.http.endpoints import check_endpoint

    # The path and query are GitHub's business; scheme and host must be safe.
    base = "/".join(url.split("/", 3)[:3]).partition("?")[0]
    if "@" in base:
        return "it has credentials in it."
    try:
        check_endpoint(base)
    except UsageError as error:
        return error.message
    return ""
