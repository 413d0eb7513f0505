"""The signature SDK-HMAC-SHA256 of a request, as Huawei Cloud's API gateway verifies it."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from precheck_gate.safetext.secrets import hide_for_now

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from precheck_gate.safetext.secrets import Secret

ALGORITHM = "SDK-HMAC-SHA256"
DATE_FORMAT = "%Y%m%dT%H%M%SZ"
_CONTENT = "X-Sdk-Content-Sha256"
_SIGNED_BODIES = ("application/json", "application/bson")


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
    names = list(names)
    values = {name.lower(): value.strip() for name, value in headers.items()}
    uri = "/".join(_encode(part) for part in unquote(path).split("/"))
    payload = values.get(_CONTENT.lower()) if body else None
    canonical = "\n".join(
        (
            method.upper(),
            uri if uri.endswith("/") else f"{uri}/",
            "&".join(f"{_encode(key)}={_encode(value)}" for key, value in sorted(query)),
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


def _encode(text: str) -> str:
    return quote(text, safe="~")
