"""An access key (AK/SK), permanent or temporary, and its signature SDK-HMAC-SHA256."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from precheck_gate.drs.auth.credential import Credential, Variables, in_variables, is_word
from precheck_gate.errors import UsageError
from precheck_gate.safetext.secrets import hide_for_now

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from requests import PreparedRequest

    from precheck_gate.drs.auth.credential import AuthContext, Environment, Place
    from precheck_gate.safetext.secrets import Secret

ALGORITHM = "SDK-HMAC-SHA256"
DATE_FORMAT = "%Y%m%dT%H%M%SZ"
_CONTENT = "X-Sdk-Content-Sha256"
_SIGNED_BODIES = ("application/json", "application/bson")


class AccessKey(Credential):
    """An access key that signs each request. The secret key is never sent.

    Args:
        security_token: comes with temporary keys only.
        source: where the key was found, for the error.

    Raises:
        UsageError: a part contains characters that are not safe in a header.
    """

    auth = "aksk"
    label = "access key"
    lookup = "an access key in the environment"
    missing = "Set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK."
    holder = "The access key's user"
    advice = (
        "The access key or its secret is wrong, or the key is disabled: check it in IAM. "
        "A temporary access key also needs its security token."
    )
    variables = (
        Variables(
            ("PRECHECK_GATE_ACCESS_KEY", "PRECHECK_GATE_SECRET_KEY"),
            ("PRECHECK_GATE_SECURITY_TOKEN",),
        ),
        Variables(
            ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"), ("HUAWEICLOUD_SDK_SECURITY_TOKEN",)
        ),
        Variables(("HW_ACCESS_KEY", "HW_SECRET_KEY"), ("HW_SECURITY_TOKEN",)),
        Variables(("OS_ACCESS_KEY", "OS_SECRET_KEY"), ("OS_SECURITY_TOKEN",)),
    )

    def __init__(
        self, access_key: Secret, secret_key: Secret, security_token: Secret | None, source: str
    ) -> None:
        parts = (access_key, secret_key, security_token)
        if not all(is_word(part.reveal()) for part in parts if part):
            raise UsageError(
                f"The access key in {source} contains invalid characters.",
                hint="Each part is one line of printable ASCII without spaces.",
            )
        self._access_key = access_key
        self._secret_key = secret_key
        self._security_token = security_token
        if security_token:
            self.label = "temporary access key"
            self.advice = (
                "The temporary access key is wrong or has expired: get a new one with its "
                "security token."
            )

    @classmethod
    def find(cls, options: Mapping[str, Any], environment: Environment) -> Iterator[Place]:
        """Yield the sets of variables that are complete."""
        del options
        yield from in_variables(cls, environment, cls.of_variables)

    @classmethod
    def of_variables(cls, environment: Environment, names: Variables) -> AccessKey:
        """Return the access key in a set of variables."""
        access_key, secret_key = names.required
        (token,) = names.optional
        return cls(
            environment.secret(access_key),
            environment.secret(secret_key),
            environment.secret(token) if environment.has(token) else None,
            " and ".join(names.required),
        )

    def sign(self, request: PreparedRequest, context: AuthContext) -> None:
        """Sign a request. Headers that a proxy may change are not signed."""
        from urllib.parse import parse_qsl, urlsplit

        parts = urlsplit(request.url or "")
        headers = {"Host": str(parts.netloc)}
        if content_type := request.headers.get("Content-Type"):
            headers["Content-Type"] = str(content_type)
        if context.project_id:
            headers["X-Project-Id"] = context.project_id
        if self._security_token:
            headers["X-Security-Token"] = self._security_token.reveal()
        body = request.body or b""
        request.headers.update(
            sign(
                request.method or "GET",
                str(parts.path) or "/",
                parse_qsl(str(parts.query), keep_blank_values=True),
                headers,
                body.encode() if isinstance(body, str) else bytes(body),
                access_key=self._access_key,
                secret_key=self._secret_key,
                moment=context.clock.now(),
            )
        )


def sign(
    method: str,
    path: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    body: bytes,
    *,
    access_key: Secret,
    secret_key: Secret,
    moment: datetime,
) -> dict[str, str]:
    """Return the headers to send: those given, the date, and the signature over all of them.

    The headers include ``Host``; one with ``_`` in its name is sent unsigned. The query is decoded.
    The moment is now, in UTC: the gateway refuses a signature that is more than 15 minutes off.
    """
    signed = dict(headers)
    content_type = signed.get("Content-Type", "")
    if content_type and not content_type.startswith(_SIGNED_BODIES):
        signed[_CONTENT] = "UNSIGNED-PAYLOAD"
    signed["X-Sdk-Date"] = moment.strftime(DATE_FORMAT)
    signed = {name: value.strip() for name, value in signed.items()}
    names = sorted(name.lower() for name in signed if "_" not in name)
    proof = signature(method, path, query, signed, names, body, secret_key)
    # With it, anybody can send this request again for some minutes.
    hide_for_now(proof)
    sent = {name: value.encode().decode("latin-1") for name, value in signed.items()}
    sent["Authorization"] = (
        f"{ALGORITHM} Access={access_key.reveal()}, "
        f"SignedHeaders={';'.join(names)}, Signature={proof}"
    )
    return sent


def signature(
    method: str,
    path: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    names: Iterable[str],
    body: bytes,
    secret_key: Secret,
) -> str:
    """Return the signature of a request; ``names``, lower and sorted, are the signed headers."""
    import hashlib
    import hmac
    from urllib.parse import quote, unquote

    def encode(text: str) -> str:
        return quote(text, safe="~")

    names = list(names)
    values = {name.lower(): value.strip() for name, value in headers.items()}
    uri = "/".join(encode(part) for part in unquote(path).split("/"))
    payload = values.get(_CONTENT.lower()) if body else None
    canonical = "\n".join(
        (
            method.upper(),
            uri if uri.endswith("/") else f"{uri}/",
            "&".join(f"{encode(key)}={encode(value)}" for key, value in sorted(query)),
            *(f"{name}:{values.get(name, '')}" for name in names),
            "",
            ";".join(names),
            payload or hashlib.sha256(body).hexdigest(),
        )
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{ALGORITHM}\n{values.get('x-sdk-date', '')}\n{digest}"
    key = secret_key.reveal().encode()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
