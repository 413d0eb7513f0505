"""Which values are hidden, for how long, and what of a text around them stays."""

from __future__ import annotations

import base64
import string
from html import escape

import pytest

from precheck_gate.safetext import secrets
from precheck_gate.safetext.cleaning import (
    clean,
    clean_line,
    few,
    hide_credentials,
    inert,
    inert_line,
    shorten,
)
from precheck_gate.safetext.secrets import Secret, hide_for_now, hide_secrets
from tests.support.harness import task_id


@pytest.fixture(autouse=True)
def nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_known", secrets.Known())


# Which values


@pytest.mark.parametrize(
    ("value", "text", "shown"),
    [
        ("abcdefgh", "xabcdefghx", "x***x"),
        ("abcdefg", "abcdefg", "abcdefg"),
        ("abcdef1", "an abcdef1 xabcdef1 abcdef1x", "an *** xabcdef1 abcdef1x"),
        ("abcde1", "abcde1", "***"),
        ("abcd1", "abcd1", "abcd1"),
        ("Abcdef", "Abcdef", "***"),
        ("abcde!", "abcde!x xabcde!", "***x xabcde!"),
        ("!bcdef1", "x!bcdef1 !bcdef1x", "x*** !bcdef1x"),
        ("pass word", "pass word, pass+word", "***, ***"),
        ("aaaaaaaa", "aaaaaaaaaaab", "***b"),
        ("", "any", "any"),
    ],
)
def test_a_value_is_hidden_by_its_length_and_kind(value: str, text: str, shown: str) -> None:
    Secret(value)
    assert hide_secrets(text) == shown


def test_values_that_lie_in_each_other_side_by_side_or_apart() -> None:
    for value in ("abcdefgh", "abcdefghij", "ijklmnop"):
        Secret(value)
    assert hide_secrets("-abcdefghij-abcdefgh-abcdefghijklmnop-") == "-***-***-***-"
    assert hide_secrets("abcdefgh" * 2) == "******"


def test_a_value_is_hidden_in_texts_that_were_looked_at_before_it_was_known() -> None:
    short, long = "an s3cr3t-value here", "an s3cr3t-value here" * 100
    Secret("another-value")
    assert hide_secrets(short) == short
    assert hide_secrets(long) == long
    Secret("s3cr3t-value")
    assert hide_secrets(short) == "an *** here"
    assert "s3cr3t" not in hide_secrets(long)


def test_the_latest_values_for_now_are_hidden_and_the_others_are_not() -> None:
    signatures = [f"{number:064x}" for number in range(40)]
    for signature in signatures:
        hide_for_now(signature)
    assert {hide_secrets(one) for one in signatures[-17:]} == {"***"}
    assert [hide_secrets(one) for one in signatures[:-17]] == signatures[:-17]


def test_a_value_for_now_that_comes_again_is_hidden_from_its_last_time_on() -> None:
    signatures = [f"{number:064x}" for number in range(30)]
    for signature in (signatures[0], *signatures[1:12], signatures[0], *signatures[12:22]):
        hide_for_now(signature)
    assert hide_secrets(signatures[0]) == "***"


def test_a_credential_stays_hidden_though_it_was_hidden_for_now_as_well() -> None:
    Secret("s3cr3t-value")
    hide_for_now("s3cr3t-value")
    for number in range(40):
        hide_for_now(f"{number:064x}")
    assert hide_secrets("s3cr3t-value") == "***"


def test_credentials_are_compared_without_showing_themselves() -> None:
    one, same, other = Secret("s3cr3t-value"), Secret("s3cr3t-value"), Secret("s3cr3t-other")
    assert one == same
    assert one != other
    assert one != "s3cr3t-value"
    assert len({one, same}) == 1
    assert hash(one) == hash(other), "a hash of a value would tell something of it"


# What stays of the text around


VALUE = 's3cr3t/ü😀=\n"'


@pytest.mark.parametrize(
    "spelt",
    [
        VALUE,
        r"s3cr3t\/\u00fc\ud83d\ude00=\n\"",
        r"s3cr3t\/\u00FC\uD83D\uDE00\u003D\n\"",
        r"s3cr3t/\xfc\U0001f600=\x0a\x22",
        "s3cr3t%2f%c3%bc%F0%9F%98%80%3D%0A%22",
        "s3cr3t&#47;&uuml;&#128512;&#61;&#10;&quot;",
        "s3cr3t&#x2f;&#XFC;&#x1F600;&equals;&#x00000a;&#34",
        "&#000115;3cr3t/&#0252;😀=\n&quot;",
    ],
)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("x", "y"),
        (r"a\n", r"\tb\\"),
        ("%20", "%2"),
        ("&lt;", "&gt;"),
        (r"\ud83d ", r" \ude00"),
        ("&#1114112; %zz &nothing; &#0; ", " \\q \\U00110000"),
    ],
)
def test_of_a_text_only_the_spelling_of_a_credential_goes(
    spelt: str, before: str, after: str
) -> None:
    Secret(VALUE)
    assert hide_secrets(f"{before}{spelt}{after}") == f"{before}***{after}"


@pytest.mark.parametrize("code", [0x85, 0xFFFE, 0x1])
def test_a_number_of_html_is_the_character_of_that_number(code: int) -> None:
    Secret(f"s3cr3t{chr(code)}value")
    for spelt in (f"s3cr3t&#{code};value", f"s3cr3t&#x{code:x};value"):
        assert hide_secrets(f"x {spelt} y") == "x *** y"


@pytest.mark.parametrize("shift", range(4))
def test_a_run_of_base64_or_numbers_is_hidden_wherever_the_value_begins_in_it(shift: int) -> None:
    Secret("s3cr3t>?val")
    octets = b"\xff" * shift + b"s3cr3t>?val"
    for run in (
        base64.b64encode(octets).decode(),
        base64.b64encode(octets).decode().rstrip("="),
        base64.urlsafe_b64encode(octets).decode(),
        "A" * shift + base64.b64encode(b"s3cr3t>?val").decode(),
        octets.hex(),
        octets.hex().upper(),
        "a" * shift + octets.hex(),
        octets.hex() + "a" * shift,
    ):
        assert hide_secrets(f"x {run} y") == "x *** y", run


def test_a_value_at_the_end_of_a_run_of_base64_is_hidden_whatever_its_last_sign() -> None:
    for last in string.printable.strip():
        Secret(f"s3cr3t-valu{last}")
        run = base64.b64encode(f"s3cr3t-valu{last}".encode()).decode()
        assert hide_secrets(f"x {run} y") == "x *** y"


def test_a_value_is_found_behind_a_few_levels_of_encoding_and_not_sought_behind_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Secret("s3cr3t&value")
    looked: list[str] = []
    plain = secrets.Known._plain

    def note(self: secrets.Known, text: str) -> list[tuple[int, int]]:
        looked.append(text)
        return plain(self, text)

    monkeypatch.setattr(secrets.Known, "_plain", note)
    spelt = "s3cr3t&value"
    for _ in range(4):
        spelt = escape(spelt)
        assert hide_secrets(f"x {spelt} y") == "x *** y"
    nested = "s3cr3t&value"
    for level in range(1, 6):
        nested = base64.b64encode(nested.encode()).decode()
        assert (hide_secrets(f"x {nested} y") == "x *** y") is (level <= 4)
    for _ in range(60):
        spelt = escape(spelt)
        looked.clear()
        assert hide_secrets(spelt) == spelt
        assert len(looked) < 30


# Text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[0m", "\\x1b[0m"),
        ("\xad", "\\xad"),
        ("\u061c", "\\u061c"),
        ("\uffff", "\\uffff"),
        ("\U0001fffe", "\\U0001fffe"),
        ("\U000e0001", "\\U000e0001"),
        ("\U000e0100", "\\U000e0100"),
        ("a\tb\nc", "a\tb\nc"),
        ("::error::x", ": :error::x"),
        ("a::b", "a::b"),
        ("##vso[x", "## vso[x"),
        ("ü::error::x", "ü: :error::x"),
        ("[[ATTACHMENT|/etc]]", "[ [ ATTACHMENT|/etc]]"),
        ("[property|a=b]", "[ property|a=b]"),
    ],
)
def test_what_could_act_is_made_visible(text: str, shown: str) -> None:
    assert inert(text) == clean(text) == shown
    one_line = shown.replace("\n", "\\n").replace("\t", "\\t")
    assert inert_line(text) == clean_line(text) == one_line


def test_clean_hides_secrets_and_inert_does_not() -> None:
    Secret("s3cr3t-value")
    assert clean("s3cr3t-value\n") == "***\n"
    assert clean_line("s3cr3t-value\n") == "***\\n"
    assert inert("s3cr3t-value") == inert_line("s3cr3t-value") == "s3cr3t-value"


def test_a_text_is_shortened_only_where_it_is_too_long() -> None:
    Secret("s3cr3t-value")
    assert shorten("abcde", 5) == "abcde"
    assert shorten("abcdef", 5) == "abcde … (1 more characters)"
    assert shorten("abcd  efgh", 6) == "abcd … (4 more characters)"
    assert shorten("x s3cr3t-value", 8) == "x ***"


def test_the_credentials_of_an_address_are_hidden() -> None:
    assert hide_credentials("http://a:b@c/d@e s3://f@g") == "http://***@c/d@e s3://***@g"
    assert hide_credentials("a:b@c") == "a:b@c"


@pytest.mark.parametrize(
    ("number", "named", "more"),
    [(1, 1, ""), (2, 2, ""), (5, 5, ""), (6, 5, "1"), (1239, 5, "1,234")],
)
def test_of_many_tasks_the_first_are_named(number: int, named: int, more: str) -> None:
    names = [task_id(one) for one in range(number)]
    text = few(names)
    assert sum(one in text for one in names) == named
    assert (f"and {more} more" in text) is bool(more)
    assert (str(number) + " tasks" in text) is (number > 1)
    assert ("more" in text) is bool(more)


def test_a_name_of_any_length_takes_little_room_in_a_message() -> None:
    assert len(few(["x" * 100_000])) < 100
    assert few(["x" * 60, "y" * 61]) == f"2 tasks ({'x' * 60}, {'y' * 60} … (1 more characters))"
    assert "\n" not in few(["a\nb", "c"])
