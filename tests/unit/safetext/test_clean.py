"""Properties of `clean`, for any text at all."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from precheck_gate.safetext.cleaning import clean, clean_line, hide_credentials, shorten

# Any code point, lone surrogates included, with the signs that matter made likely.
SIGNS = st.sampled_from([":", "::", "#", "##", "[", "vso[", "set-env", " ", "\n", "\t", "\r", "\\"])
ANY = st.text(st.characters(exclude_categories=()), max_size=40)
TEXTS = st.lists(SIGNS | st.characters(exclude_categories=()) | ANY, max_size=12).map("".join)

# The production Char of XML 1.0.
XML_TEXT = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")


@given(TEXTS)
def test_it_is_idempotent(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert clean_line(clean_line(text)) == clean_line(text)
    assert clean_line(clean(text)) == clean_line(text)


@given(TEXTS)
def test_it_encodes_as_utf_8(text: str) -> None:
    assert clean(text).encode("utf-8").decode("utf-8") == clean(text)


@given(TEXTS)
def test_it_is_legal_in_xml(text: str) -> None:
    cleaned = clean(text)
    assert XML_TEXT.fullmatch(cleaned)
    element = etree.Element("a")
    element.text = cleaned
    assert (etree.fromstring(etree.tostring(element)).text or "") == cleaned


@given(TEXTS)
@example(":::set-env name=X::y")
@example("::::set-env::y")
@example(":\u200b:set-env::y")
@example("##\u200bvso[a]")
@example("###vso[a]")
@example("a\r::error::b")
def test_it_holds_no_command_of_a_runner(text: str) -> None:
    cleaned = clean(text)
    # As the runners look for them: after Trim() of any line, however lines are told apart;
    # and anywhere in a line.
    for line in re.split(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]", cleaned):
        assert not re.match(r"::[A-Za-z]", line.strip()), line
    assert not re.search(r"##\w*\[", cleaned)


@given(TEXTS)
def test_it_leaves_no_control_character_but_tab_and_newline(text: str) -> None:
    assert all(ord(sign) >= 0x20 or sign in "\t\n" for sign in clean(text))
    assert not re.search("[\x7f-\x9f]", clean(text))
    assert "\n" not in clean_line(text)
    assert "\t" not in clean_line(text)


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_it_changes_nothing_that_is_harmless(text: str) -> None:
    if "::" not in text and "##" not in text:
        assert clean(text) == text
        assert clean_line(text) == text


@given(TEXTS)
def test_it_loses_nothing(text: str) -> None:
    # Every sign of the text is still there, as itself or as its escape, in order.
    cleaned, position = clean(text), 0
    for sign in text:
        code = ord(sign)
        forms = [sign, rf"\x{code:02x}", rf"\u{code:04x}", rf"\U{code:08x}"]
        found = [at for form in forms if (at := cleaned.find(form, position)) >= 0]
        assert found, (sign, text)
        at = min(found)
        assert cleaned[position:at].strip(" ") == ""
        position = at + max(len(f) for f in forms if cleaned.startswith(f, at))


@pytest.mark.parametrize("text", ["a::b", "C::D::e", "std::string", "2001:db8::a", "# head", "C#"])
def test_common_text_that_only_looks_like_a_command_stays(text: str) -> None:
    assert clean(text) == text


@given(st.text(max_size=60), st.integers(1, 50))
def test_what_is_shortened_says_so(text: str, limit: int) -> None:
    short = shorten(text, limit)
    if len(text) <= limit:
        assert short == text
    else:
        assert text.startswith(short.partition(" … (")[0])
        assert short.endswith(f"({len(text) - limit} more characters)")


def test_credentials_in_an_address_are_hidden() -> None:
    assert hide_credentials("see https://user:pw@host/a@b") == "see https://***@host/a@b"
