"""A service that repeats a credential in any spelling of JSON gets it into no report and file."""

from __future__ import annotations

import html
import itertools
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from precheck_gate.cli import main_group
from precheck_gate.runtime.process import Runtime
from precheck_gate.safetext import secrets
from precheck_gate.safetext.secrets import Secret, hide_for_now, hide_secrets
from tests.support.fakes import FakeClock
from tests.support.outcome import ID, PROJECT
from tests.support.servers import serve_body

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.credentials import Gate

FORMATS = ("junit", "json", "html", "markdown", "sarif", "codequality", "dotenv")
ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LONG = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=20)
_NAMED = dict(zip('"\\/\b\f\n\r\t', '"\\/bfnrt', strict=True))

# Hypothesis also tries words of the code: the sign at the end makes them none of our reports.
TOKENS = st.text([chr(code) for code in range(0x21, 0x7F)], min_size=11, max_size=39).map(
    "{}~".format
)
SECRETS = st.one_of(TOKENS, LONG)


def _number(draw: st.DrawFn, one: str) -> str:
    units = one.encode("utf-16-be", "surrogatepass").hex()
    units = units.upper() if draw(st.booleans()) else units
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


@st.composite
def spelt(draw: st.DrawFn, text: str, levels: int = 1) -> str:
    """Return ``text`` with any of its characters, and those that must be, as escapes of JSON."""
    for _ in range(levels):
        ways = draw(st.lists(st.integers(0, 2), min_size=len(text), max_size=len(text)))
        parts = []
        for one, way in zip(text, ways, strict=True):
            if one in _NAMED and (way == 1 or (way == 0 and one != "/")):
                parts.append(f"\\{_NAMED[one]}")
            elif way == 0 and one >= " ":
                parts.append(one)
            else:
                parts.append(_number(draw, one))
        text = "".join(parts)
    return text


def values(document: Any) -> list[str]:
    """Return all texts in a document, keys too, and in JSON that stands in those."""
    if isinstance(document, str):
        try:
            inner = json.loads(document)
        except ValueError:
            return [document]
        return [document, *values(inner)]
    if isinstance(document, dict):
        return [text for pair in document.items() for one in pair for text in values(one)]
    if isinstance(document, list):
        return [text for one in document for text in values(one)]
    return []


def readings(content: str) -> list[str]:
    """Return what a file of any format may be read as: itself, and without its escapes."""
    found = [content, html.unescape(content)]
    for line in (content, *content.splitlines()):
        try:
            found += values(json.loads(line))
        except ValueError:
            continue
    bare = html.unescape(content).replace("\u200b", "")
    return [*found, bare.replace("\\", "")]


@given(st.data(), SECRETS, ANYTHING, ANYTHING, st.integers(1, 3))
def test_no_spelling_of_a_secret_in_json_stays(
    data: st.DataObject, secret: str, before: str, after: str, levels: int
) -> None:
    secrets._known = secrets.Known()
    Secret(secret)
    reading = hide_secrets(data.draw(spelt(before + secret + after, levels)))
    for _ in range(levels):
        assert secret not in reading
        try:
            reading = json.loads(f'"{reading}"', strict=False)
        except ValueError:
            break  # a part of the secret that began with an escape's end took the escape along
    assert secret not in reading


@given(st.data(), TOKENS)
def test_all_but_the_secret_keeps_its_spelling(data: st.DataObject, secret: str) -> None:
    secrets._known = secrets.Known()
    Secret(secret)
    rest = '{"n": 1.00, "n": 2, "\\u00e9": "\\u003d\\/", "x": "\\ud800", "bad": "\\x", "a": "'
    hidden = hide_secrets(f'{rest}{data.draw(spelt(secret))}", "z": "\\u0041"}}')
    assert hidden == f'{rest}***", "z": "\\u0041"}}'


@given(st.data(), TOKENS, st.sampled_from(["", '"', '" "', "\\", '\\"', "<p>", "\n"]))
def test_what_is_no_json_is_looked_through_as_well(
    data: st.DataObject, secret: str, before: str
) -> None:
    secrets._known = secrets.Known()
    Secret(secret)
    # Such as a page, or an answer that was cut off in the middle of a string.
    hidden = hide_secrets(f"it's {before} {data.draw(spelt(secret))}")
    assert hidden.endswith(" ***")


def test_a_text_without_a_secret_stays_as_it_is() -> None:
    Secret("SECRETtok+/=en")
    text = '{"a": "\\u0053ECRETtok", "b": "\\ud83d\\ude00 \\/", "c": "C:\\users"} \\'
    assert hide_secrets(text) == text


@pytest.mark.parametrize("piece", ["\\u0041", '"\\u0041",', "\\", '\\"', '"', "\\\\u005c", "\\/a"])
def test_hiding_takes_time_in_proportion(piece: str) -> None:
    """By the work that is done, not by the clock: what would be quadratic does not end here."""
    Secret("SECRETtok+/=en")
    text = piece * 200_000
    assert hide_secrets(text) == text


@pytest.mark.parametrize(
    ("password", "text", "shown"),
    [
        ("s3cr3t", "no s3cr3t here", "no *** here"),
        ("s3cr3t", '"s3cr3t"', '"***"'),
        ("s3cr3t", "140b5236-as3cr3tb", "140b5236-as3cr3tb"),
        ("!pass!", "it is:x!pass!x", "it is:x***x"),
        # IAM takes none of one kind of characters, and these are words of the protocol.
        ("PASSED", '"result": "PASSED"', '"result": "PASSED"'),
        ("result", '"result": "PASSED"', '"result": "PASSED"'),
        ("a1b2c", "a1b2c", "a1b2c"),
    ],
)
def test_a_short_password_is_hidden_as_a_word(password: str, text: str, shown: str) -> None:
    Secret(password)
    assert hide_secrets(text) == shown


def test_other_spellings() -> None:
    Secret("a+b/c=<d>&'e\"")
    for text in (
        "a%2Bb%2Fc%3D%3Cd%3E%26%27e%22",
        "a%2bb%2fc%3d%3cd%3e%26%27e%22",
        "a+b/c=&lt;d&gt;&amp;&#x27;e&quot;",
        "a+b/c=&lt;d&gt;&amp;&#39;e&quot;",
    ):
        assert hide_secrets(f"x {text} y") == "x *** y"


def test_what_is_hidden_for_now_is_forgotten_in_the_end() -> None:
    Secret("s3cr3t-for-ever")
    signatures = [f"{number:064x}" for number in range(100)]
    for signature in signatures:
        hide_for_now(signature)
    assert hide_secrets(signatures[-1]) == hide_secrets(signatures[-10]) == "***"
    assert hide_secrets(signatures[0]) == signatures[0]
    assert hide_secrets("s3cr3t-for-ever") == "***"
    assert len(secrets._known.forms) < 30


# --- whole runs ---------------------------------------------------------------------------------


def answer(text: str, nested: str) -> bytes:
    """Return an answer with a text in each place that takes one, and in the JSON of the data."""
    return (
        f'{{"count": 1, "results": [{{"precheck_id": "{ID}", "result": true, "process": "100%", '
        f'"total_passed_rate": "{text}", "rds_instance_id": "{text}", "job_direction": "{text}", '
        f'"precheck_result": [{{"item": "src{text}", "result": "ALARM", "group": "g{text}", '
        f'"failed_reason": "{text}", "raw_error_msg": "{text} and {text}", '
        f'"data": "{{\\"a\\": \\"{nested}\\", \\"{nested}\\": 1}}"}}]}}]}}'
    ).encode()


def refusal(text: str, nested: str) -> bytes:
    return f'{{"error_code": "DRS.{text}", "error_msg": "you sent {text}, {nested}"}}'.encode()


@pytest.mark.parametrize(("status", "make"), [(200, answer), (400, refusal), (503, refusal)])
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), token=TOKENS)
def test_no_report_and_no_saved_answer_holds_it_after_decoding(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: int,
    make: object,
    data: st.DataObject,
    token: str,
) -> None:
    secrets._known = secrets.Known()
    monkeypatch.setenv("PRECHECK_GATE_TOKEN", token)
    folder = tmp_path / "out"
    shutil.rmtree(folder, ignore_errors=True)
    body = make(data.draw(spelt(token)), data.draw(spelt(token, 2)))  # type: ignore[operator]
    reports = [("--report", f"{name}={folder / name}") for name in FORMATS]
    argv = [
        *("run", ID, "--project-id", PROJECT, "--grace", "0s", "--timeout", "5s", "--verbose"),
        *("--debug-http", "--ci", "none", "--save-answers", str(folder / "answers")),
        *itertools.chain(*reports),
    ]
    with serve_body(body, {"X-Request-Id": f"rid-{token}"}, status=status) as url:
        code = main_group.main(
            [*argv, "--endpoint", url], standalone_mode=False, obj=Runtime(clock=FakeClock())
        )
    assert code == (0 if status == 200 else 4)
    out, err = capsys.readouterr()
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) >= len(FORMATS) + 2
    for content in (out, err, *(path.read_text() for path in files)):
        for reading in readings(content):
            assert token not in reading
            assert token.replace("\\", "") not in reading


@pytest.mark.parametrize("fixture", ["key", "temporary_key"])
@pytest.mark.parametrize("status", [400, 401, 503])
def test_a_signature_that_is_repeated_is_hidden(
    gate: Gate, request: pytest.FixtureRequest, fixture: str, status: int
) -> None:
    request.getfixturevalue(fixture)
    seen: list[str] = []

    def repeat(headers: Mapping[str, str]) -> bytes:
        seen.append(headers["Authorization"].rpartition("=")[2])
        repeated = json.dumps(dict(reversed(list(headers.items()))))
        said = json.dumps(f"{seen[-1]}, of {repeated}").replace("=", "\\u003d")
        return f'{{"error_code": "APIGW.0301", "error_msg": {said}}}'.encode()

    with serve_body(repeat, status=status) as url:
        outcome = gate.call(
            *("run", ID, "--endpoint", url, "--project-id", PROJECT, "--grace", "0s", "--verbose"),
            *(f"--save-answers={gate.folder / 'answers'}", f"--junit={gate.folder / 'junit.xml'}"),
        )
    assert outcome.code == 4
    outcome.says("***, of {", "Signature=***")
    for path in [path for path in gate.folder.rglob("*") if path.is_file()]:
        assert not [one for one in seen if one in path.read_text() + outcome.text]
