"""Our signature is the official SDK's, byte for byte; the simulator takes both and no other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precheck_gate.drs.auth.access_key import sign
from precheck_gate.runtime.process import SystemClock
from precheck_gate.safetext.secrets import Secret
from tests.support.credentials import ACCESS_KEY, KEYS, SECRET_KEY, TEMPORARY_KEYS, scenario
from tests.support.outcome import ID, PROJECT

if TYPE_CHECKING:
    from tests.support.credentials import Gate
    from tests.support.gate import Serve

with pytest.MonkeyPatch.context() as patch:
    patch.setenv("PYTHONWARNINGS", "ignore")
    drs = pytest.importorskip("huaweicloudsdkdrs.v3", exc_type=ImportError)
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
    from huaweicloudsdkcore.http.http_config import HttpConfig
    from huaweicloudsdkcore.sdk_request import SdkRequest
    from huaweicloudsdkcore.signer.signer import Signer

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

WORD = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), max_size=20)
NAME = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,15}", fullmatch=True)
OWN = {"host", "authorization", "content-type", "x-sdk-date", "x-sdk-content-sha256"}
HEADERS = st.dictionaries(NAME.filter(lambda name: name.lower() not in OWN), WORD, max_size=5)
CONTENT_TYPES = st.sampled_from(
    [None, "application/json", "application/json;charset=UTF-8", "application/bson", "text/plain"]
)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001


def distinct(headers: dict[str, str]) -> bool:
    """A header twice in different case is two entries to one and one to the other."""
    return len({name.lower() for name in headers}) == len(headers)


@settings(max_examples=300, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "put", "DELETE"]),
    path=st.lists(WORD, max_size=4).map(lambda parts: "/" + "/".join(parts)),
    query=st.lists(st.tuples(WORD, WORD), max_size=4),
    headers=HEADERS.filter(distinct),
    content_type=CONTENT_TYPES,
    body=st.binary(max_size=60),
    keys=st.tuples(st.text("abcXYZ019", min_size=1), WORD.filter(bool)),
    moment=MOMENTS,
)
def test_it_is_that_of_the_official_sdk(
    method: str,
    path: str,
    query: list[tuple[str, str]],
    headers: dict[str, str],
    content_type: str | None,
    body: bytes,
    keys: tuple[str, str],
    moment: datetime,
) -> None:
    headers = {"Host": "drs.eu-west-101.myhuaweicloud.eu", **headers}
    if content_type:
        headers["Content-Type"] = content_type
    ours = sign(
        method,
        path,
        query,
        headers,
        body,
        access_key=Secret(keys[0]),
        secret_key=Secret(keys[1]),
        moment=moment.replace(tzinfo=UTC),
    )
    request = SdkRequest(
        method=method,
        schema="https",
        host=headers["Host"],
        resource_path=path,
        query_params=list(query),
        header_params={**headers, "X-Sdk-Date": moment.strftime("%Y%m%dT%H%M%SZ")},
        body=body,
    )
    theirs = Signer(BasicCredentials(*keys)).sign(request).header_params
    assert ours == theirs


def sdk_client(url: str, secret_key: str = SECRET_KEY, security_token: str = "") -> Any:
    config = HttpConfig.get_default_config()
    config.timeout = (2, 5)
    credentials = BasicCredentials(ACCESS_KEY, secret_key, PROJECT)
    if security_token:
        credentials = credentials.with_security_token(security_token)
    builder = drs.DrsClient.new_builder().with_http_config(config)
    return builder.with_credentials(credentials).with_endpoints([url]).build()


def sdk_ask(client: Any) -> Any:
    body = drs.BatchQueryPrecheckResultReq(jobs=[ID])
    return client.batch_check_results(drs.BatchCheckResultsRequest(body=body))


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_the_simulator_verifies_what_the_official_sdk_signs(serve: Serve, no_proxy: None) -> None:
    service = serve(scenario(KEYS), SystemClock())
    assert sdk_ask(sdk_client(service.url)).count == 1
    with pytest.raises(ClientRequestException) as caught:
        sdk_ask(sdk_client(service.url, "another"))
    assert caught.value.status_code == 401
    assert caught.value.error_code == "APIGW.0301"


def test_the_official_sdk_with_temporary_keys(serve: Serve, no_proxy: None) -> None:
    from tests.support.credentials import SECURITY_TOKEN

    service = serve(scenario(TEMPORARY_KEYS), SystemClock())
    assert sdk_ask(sdk_client(service.url, security_token=SECURITY_TOKEN)).count == 1
    with pytest.raises(ClientRequestException) as caught:
        sdk_ask(sdk_client(service.url, security_token="another"))
    assert caught.value.status_code == 401


def test_the_simulator_verifies_what_we_sign(gate: Gate, serve: Serve, key: None) -> None:
    service = serve(scenario(KEYS))
    assert gate.run(service).code == 0
    (asked,) = service.requests
    assert asked.credential == "signature"
    assert asked.headers["x-project-id"] == PROJECT


@pytest.mark.parametrize("change", ["body", "query", "path", "date", "names"])
def test_a_changed_request_is_refused(serve: Serve, clock: Any, change: str) -> None:
    import requests

    service = serve(scenario(KEYS))
    path, body = f"/v3/{PROJECT}/jobs/batch-precheck-result", b'{"jobs": ["%s"]}' % ID.encode()
    headers = sign(
        "POST",
        path,
        [("a", "b")],
        {"Host": service.url.removeprefix("http://"), "Content-Type": "application/json"},
        body,
        access_key=Secret(ACCESS_KEY),
        secret_key=Secret(SECRET_KEY),
        moment=clock.now(),
    )
    query = "?a=b"
    match change:
        case "body":
            body += b" "
        case "query":
            query = "?a=c"
        case "path":
            path = path.replace(PROJECT, "other")
        case "date":
            headers["X-Sdk-Date"] = "20260101T000001Z"
        case _:
            headers["Authorization"] = headers["Authorization"].replace("host;", "")
    with requests.Session() as session:
        session.trust_env = False
        reply = session.post(service.url + path + query, data=body, headers=headers, timeout=5)
    assert reply.status_code == 401


def test_an_untouched_request_is_taken(serve: Serve, clock: Any) -> None:
    import requests

    service = serve(scenario(KEYS))
    path = f"/v3/{PROJECT}/jobs/batch-precheck-result"
    body = b'{"jobs": ["%s"]}' % ID.encode()
    headers = sign(
        "POST",
        path,
        [("a", "b c"), ("a", "")],
        {"Host": service.url.removeprefix("http://"), "Content-Type": "application/json"},
        body,
        access_key=Secret(ACCESS_KEY),
        secret_key=Secret(SECRET_KEY),
        moment=clock.now(),
    )
    with requests.Session() as session:
        session.trust_env = False
        url = f"{service.url}{path}?a=b%20c&a="
        reply = session.post(url, data=body, headers=headers, timeout=5)
    assert reply.status_code == 200
