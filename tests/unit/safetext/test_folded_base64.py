"""A credential in base64 whose lines were broken, as the tool base64 and MIME do, is not shown."""

from __future__ import annotations

import base64
import json
import textwrap

import pytest

from precheck_gate.safetext.cleaning import clean
from precheck_gate.safetext.secrets import Secret

TOKEN = "MIIFolded" + "".join(f"{number * 7919 % 997:03d}xY" for number in range(60))


@pytest.mark.parametrize("width", [64, 76])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("before", ["", "user:", "an-account/user:"])
def test_broken_lines_of_base64_are_hidden(width: int, newline: str, before: str) -> None:
    Secret(TOKEN)
    whole = base64.b64encode(f"{before}{TOKEN}".encode()).decode()
    text = newline.join(textwrap.wrap(whole, width))
    for shown in (clean(f"sent: {text} end"), clean(json.dumps({"sent": text}))):
        assert "***" in shown
        assert not any(line in shown for line in text.split(newline) if len(line) > 20)


def test_a_broken_token_itself_is_hidden() -> None:
    Secret(TOKEN)
    text = "\n".join(textwrap.wrap(TOKEN, 76))
    assert clean(f"sent: {text} end") == "sent: *** end"


def test_lines_of_other_texts_stay_as_they_are() -> None:
    Secret(TOKEN)
    text = "\n".join(["a" * 70, "b" * 70, "- one", "- two"])
    assert clean(text) == text
