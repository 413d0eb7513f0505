"""What is said of an answer that is no JSON: the key at fault by its name, and within a bound."""

from __future__ import annotations

import json

import pytest

from precheck_gate.documents.strict_json import any_text, text_in
from precheck_gate.drs.http.replies import parse_object
from precheck_gate.errors import NotAnAnswer


def said(content: bytes) -> str:
    with pytest.raises(NotAnAnswer, match="not valid JSON: ") as caught:
        parse_object(content)
    return caught.value.message.partition("JSON: ")[2]


def test_a_field_that_stands_twice_is_named() -> None:
    assert "'result'" in said(b'{"process": "100%", "result": true, "result": false}')


def test_at_most_two_hundred_characters_are_shown_and_none_that_acts() -> None:
    key = json.dumps("\x1b" * 100)
    shown = said(f'{{"a": {{{key}: 1, {key}: 2}}}}'.encode())
    assert "\x1b" not in shown
    assert len(shown.partition(" … ")[0]) == 200


def test_the_hint_is_that_of_the_question_asked() -> None:
    with pytest.raises(NotAnAnswer) as caught:
        parse_object(b"", "Look there.")
    assert caught.value.hint == "Look there."


@pytest.mark.parametrize("content", [b"[]", b"7", b"null", b'"text"', b"true"])
def test_another_value_than_an_object_is_no_answer(content: bytes) -> None:
    with pytest.raises(NotAnAnswer, match="not a JSON object"):
        parse_object(content)


def test_only_a_text_is_one_and_any_value_can_be_shown() -> None:
    holder = {"text": "a", "empty": "", "null": None, "number": 7, "list": ["a"], "false": False}
    assert {key: text_in(holder, key) for key in (*holder, "absent")} == {
        **dict.fromkeys(holder, ""),
        "text": "a",
        "absent": "",
    }
    assert [any_text(value) for value in holder.values()] == ["a", "", "", "7", '["a"]', "false"]
