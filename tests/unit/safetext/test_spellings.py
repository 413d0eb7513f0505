"""No usual spelling of a credential is shown, nor any two of them one in the other."""

from __future__ import annotations

import base64
import html
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from precheck_gate.safetext import secrets
from precheck_gate.safetext.cleaning import clean, clean_line, shorten
from precheck_gate.safetext.secrets import Secret, hide_secrets

if TYPE_CHECKING:
    from collections.abc import Callable


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _urlsafe(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def _lower_percents(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def _numbers(text: str) -> str:
    units = text.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


ENCODERS: dict[str, Callable[[str], str]] = {
    "quote": lambda text: quote(text, safe=""),
    "quote that keeps /": quote,
    "quote_plus": quote_plus,
    "every byte percent-encoded": _lower_percents,
    "HTML": html.escape,
    "HTML without quotes": lambda text: html.escape(text, quote=False),
    "decimal entities": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "hexadecimal entities": lambda text: "".join(f"&#x{ord(one):X};" for one in text),
    "padded entities": lambda text: "".join(f"&#{ord(one):05d};" for one in text),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON by number": _numbers,
    "Python": lambda text: repr(text)[1:-1],
    "base64": _base64,
    "base64 without padding": lambda text: _base64(text).rstrip("="),
    "urlsafe base64": _urlsafe,
    "urlsafe base64 without padding": lambda text: _urlsafe(text).rstrip("="),
    "base64 of user and password": lambda text: _base64(f"gate:{text}"),
    "base64 behind one byte": lambda text: _base64(f"x{text}yz"),
    "base64 behind two bytes": lambda text: _base64(f"xy{text}z"),
    "hex": lambda text: text.encode().hex(),
    "upper-case hex": lambda text: text.encode().hex().upper(),
    "hex behind half a byte": lambda text: f"f{text.encode().hex()}",
}  # fmt: skip

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=24)
ASCII = st.text([chr(code) for code in range(0x20, 0x7F)], min_size=8, max_size=60)
LIKE_A_TOKEN = st.binary(min_size=12, max_size=60).map(lambda raw: base64.b64encode(raw).decode())
SECRETS = st.one_of(LIKE_A_TOKEN, ASCII, TEXT).filter(lambda text: text == text.strip())
AROUND = st.sampled_from(["", " ", '"', "'", ": ", "/", "<p>", "token=", "é", "\n", "&amp;", "%"])


def fresh(secret: str) -> None:
    secrets._known = secrets.Known()
    Secret(secret)


@pytest.mark.parametrize("name", ENCODERS)
@given(secret=SECRETS)
@example(secret="a+b/c=<d>&'e\" f%41&lt;\\n")
@example(secret="pass word/ü+")
def test_a_credential_is_hidden_in_every_spelling(name: str, secret: str) -> None:
    fresh(secret)
    assert hide_secrets(f"x {ENCODERS[name](secret)} y") == "x *** y"


@given(st.sampled_from(sorted(ENCODERS)), st.sampled_from(sorted(ENCODERS)), SECRETS)
@example("quote", "quote", "a+b/c=d&e")
@example("HTML", "HTML", "a+b/c=d&e<f>")
@example("base64", "quote", "a+b/c=d&e<f>")
@example("quote", "base64", "a+b/c=d&e<f>")
@example("base64", "base64", "a+b/c=d&e<f>")
@example("hex", "base64", "a+b/c=d&e<f>")
@example("JSON", "base64 of user and password", 'a"b\\c d')
def test_a_credential_that_was_encoded_twice_is_hidden(inner: str, outer: str, secret: str) -> None:
    fresh(secret)
    assert hide_secrets(f"x {ENCODERS[outer](ENCODERS[inner](secret))} y") == "x *** y"


@given(st.sampled_from(sorted(ENCODERS)), SECRETS, AROUND, AROUND)
@example("quote", "0000000:", "%", "")
@example("quote_plus", "41 abc:/d", "%", "")
def test_what_stands_around_a_spelling_does_not_protect_it(
    name: str, secret: str, before: str, after: str
) -> None:
    fresh(secret)
    spelt = ENCODERS[name](secret)
    for sink in (hide_secrets, clean, clean_line, lambda text: shorten(text, 10_000)):
        assert spelt not in sink(before + spelt + after)
        assert "***" in sink(before + spelt + after)


@pytest.mark.parametrize("name", [name for name in ENCODERS if "behind" not in name])
def test_a_short_password_is_hidden_in_every_spelling(name: str) -> None:
    fresh("s3cr&t")
    assert hide_secrets(f"x {ENCODERS[name]('s3cr&t')} y") == "x *** y"


@given(st.text(max_size=80), SECRETS)
def test_to_hide_twice_changes_nothing(text: str, secret: str) -> None:
    fresh(secret)
    once = hide_secrets(f"{text}{quote(secret)}{_base64(text + secret)}")
    assert hide_secrets(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "srcDbConnection of 140b5236-88ad-43c8-811c-1268453jb101 is FAILED: 100% &amp; more",
        "https://example.com/a%20b?c=d%26e+f#g 054ba152d480d55b2f5dc0069e7ddef0",
        'C:\\users\\new {"a": "\\u0041\\n"} \\x41 %zz &unknown; &#x110000; &#55296; \\ud800',
        "c2VydmljZSBzYXlzIG5vdGhpbmc= 7365727669636520736179732f6e6f7468696e67",
    ],
)
def test_a_text_without_a_credential_stays_as_it_is(text: str) -> None:
    Secret("s3cr3t-of-this/test+=")
    Secret("s3cr3t")
    assert hide_secrets(text) == text


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Know one credential; return the texts in which it is sought, as they are or decoded."""
    fresh("AKIDEXAMPLE-of-20-ch")
    texts: list[str] = []
    plain = secrets.Known._plain

    def note(self: secrets.Known, text: str) -> list[tuple[int, int]]:
        texts.append(text)
        return plain(self, text)

    monkeypatch.setattr(secrets.Known, "_plain", note)
    return texts


@pytest.mark.parametrize(
    "piece", ["%41", "%2541", "&#65;", "&amp;#65;", "\\u0041%41&#65;", "QUFB", "4141", "+ %20"]
)
def test_hiding_decodes_a_text_a_few_times_and_no_more(piece: str, looked: list[str]) -> None:
    text = piece * 20_000
    assert hide_secrets(text) == text
    assert sum(map(len, looked)) <= 20 * len(text)


@pytest.mark.parametrize("text", ["100% of C:\\ & more\n", "\\u002d %2d &#45;"])
def test_no_text_is_looked_at_twice_in_whatever_order_it_was_decoded(
    text: str, looked: list[str]
) -> None:
    assert hide_secrets(text * 3) == text * 3
    assert len(looked) == len(set(looked))


def test_a_text_of_names_is_looked_at_once(looked: list[str]) -> None:
    """The cost where nothing is hidden: one search, and no decoding."""
    for text in ("srcDbConnection", "db_object_conflict_check", "100%", "a & b", "C#"):
        looked.clear()
        assert hide_secrets(text) == text
        assert looked in ([], [text])


@pytest.mark.parametrize(("length", "times"), [(256, 1), (257, 3)])
def test_of_texts_that_come_again_only_short_ones_are_remembered(
    length: int, times: int, looked: list[str]
) -> None:
    text = ("a " * 200)[:length]
    for _ in range(3):
        assert hide_secrets(text) == text
    assert looked == [text] * times
