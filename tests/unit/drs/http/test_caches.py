"""The headers by which an answer shows that a cache gave it."""

from __future__ import annotations

import pytest
from requests.structures import CaseInsensitiveDict

from precheck_gate.drs.http.transport import cache_sign


@pytest.mark.parametrize(
    ("name", "value", "sign"),
    [
        ("Age", "1", "Age: 1"),
        ("age", " 86400 ", "Age: 86400"),
        ("Age", "-1", "Age, which is not a number of seconds"),
        ("Age", "", "Age, which is not a number of seconds"),
        ("Age", "\N{ARABIC-INDIC DIGIT ONE}", "Age, which is not a number of seconds"),
        ("Age", "0, 0", "Age, which is not a number of seconds"),
        ("X-Cache", "HIT from squid.example", "X-Cache: HIT"),
        ("x-cache", "Hit from cloudfront", "x-cache: HIT"),
        ("X-Cache", "RefreshHit from cloudfront", "X-Cache: HIT"),
        ("X-Cache", "MISS, TCP_HIT", "X-Cache: HIT"),
        ("X-Cache-Status", "STALE", "X-Cache-Status: STALE"),
        ("Cache-Status", 'origin; fwd=miss, "edge"; hit; ttl=30', "Cache-Status: HIT"),
    ],
)
def test_a_cache_is_known_by_its_headers(name: str, value: str, sign: str) -> None:
    assert cache_sign(CaseInsensitiveDict({name: value})).lower() == sign.lower()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Age", "0"),
        ("Age", "000"),
        ("X-Cache", "MISS from hit.example"),
        ("X-Cache", "MISS from white-stale"),
        ("X-Cache", "CONFIG_NOCACHE"),
        ("X-Cache", "white"),
        ("X-Cache-Status", "BYPASS"),
        ("CF-Cache-Status", "DYNAMIC"),
        ("Cache-Status", "edge; hit=?0; fwd=uri-miss"),
        ("Cache-Control", "max-age=30, stale-if-error=9"),
        ("Via", "1.1 squid"),
    ],
)
def test_the_service_itself_is_not_taken_for_a_cache(name: str, value: str) -> None:
    assert cache_sign(CaseInsensitiveDict({name: value})) == ""
