"""What is said of a document that is no JSON names the right thing, and shows no secret."""

from __future__ import annotations

import pytest

from precheck_gate.documents.strict_json import compact, complaint, loads


def said(content: str, **options: bool) -> str:
    with pytest.raises(ValueError, match=r"\S") as caught:
        loads(content.encode())
    return complaint(caught.value, **options)


@pytest.mark.parametrize(
    "content",
    [
        '{"first": 1, "second": 2, "second": 3}',
        '{"second": 1, "second": 2, "first": 3}',
        '{"first": 1, "second": 2, "third": 3, "second": 4, "second": 5}',
        '[{"first": {"second": 1, "third": 0, "second": 2}}]',
    ],
)
def test_it_is_the_key_that_stands_twice_that_is_named(content: str) -> None:
    text = said(content, keys=True)
    assert "second" in text
    assert "first" not in text
    assert "third" not in text
    for hidden in (said(content), said(content, keys=False)):
        assert "second" not in hidden
        assert "duplicate" in hidden


def test_a_key_is_hidden_whatever_stands_in_it() -> None:
    key = r"pass in one object\nword"
    text = said(f'{{"{key}": 1, "{key}": 2}}')
    assert "pass" not in text
    assert "word" not in text


@pytest.mark.parametrize("keys", [True, False])
def test_a_number_beyond_reason_is_never_shown(keys: bool) -> None:
    text = said("[123123e999999999999999999]", keys=keys)
    assert "number" in text
    assert "123" not in text


@pytest.mark.parametrize("content", [b"\xff", b'"abc\xff"'])
def test_bytes_that_are_no_text_are_named_by_their_place(content: bytes) -> None:
    with pytest.raises(UnicodeDecodeError) as caught:
        loads(content)
    assert str(content.index(b"\xff")) in complaint(caught.value)
    assert "xff" not in complaint(caught.value)


def test_letters_beyond_ascii_are_shown_as_such() -> None:
    assert compact(loads('{"名": "é"}'.encode())) == '{"名":"é"}'
