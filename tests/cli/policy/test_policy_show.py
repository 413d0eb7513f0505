"""`policy show`: what it prints is the same policy, and says where each value comes from."""

from __future__ import annotations

import json
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precheck_gate.documents.yaml_document import parse_document
from precheck_gate.errors import UsageError
from precheck_gate.policy.loading import PolicyOptions, load_policy, parse_policy
from precheck_gate.policy.model import Layer, for_task
from precheck_gate.policy.writing import as_document, to_json, to_yaml
from precheck_gate.safetext.cleaning import clean
from tests.support.commands import call, write_policy
from tests.support.harness import OTHER, TASK, TODAY

if TYPE_CHECKING:
    from precheck_gate.policy.model import NeverWaive, Placed, Policy

TOP = """\
version: 1
extends: ./base.yaml
statuses: {ALARM: block}
rules:
- match: {item: [srcCollHasTtlIndex, 'src*'], status: [FAILED, ALARM]}
  effect: warn
  reason: 'as agreed: see #7'
waivers:
- id: W-1
  match: {item: srcDbBinlogIsOff}
  reason: full only
  owner: dba
  since: 2026-06-01
  expires: 2026-07-01
profiles:
  production:
    required_items: [dstDbConnection]
"""
BASE = """\
version: 1
extends: builtin:strict
required_items: [srcDbConnection]
limits: {min_passed_rate: 97.5}
never_waive: {groups: network}
baseline: {known_warnings: allow}
tasks:
  140b*: {allow_empty: true, skipped: allow}
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    write_policy(tmp_path, BASE, "base.yaml")
    write_policy(tmp_path, TOP, "top.yaml")
    return tmp_path


@pytest.mark.usefixtures("files")
def test_the_effective_policy_with_the_origin_of_each_value(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = call(
        capsys, "policy", "show", "top.yaml", "--profile", "production", "--now", "2026-06-15"
    )
    assert (done.code, done.err) == (0, "")
    assert (
        done.out
        == """\
# The effective policy of top.yaml (profile production).
# Made of: top.yaml, base.yaml, builtin:strict
# The comment after each value is its origin: file and line.
version: 1
statuses:
  PASSED: allow  # builtin:strict:5
  ALARM: block  # top.yaml:3
  FAILED: block  # builtin:strict:7
  unknown: block  # builtin:strict:8
skipped: block  # builtin:strict:9
rules:
  - match:  # top.yaml:5
      item: [srcCollHasTtlIndex, "src*"]
      status: [ALARM, FAILED]
    effect: warn
    reason: "as agreed: see #7"
required_items:
  - srcDbConnection  # base.yaml:3
  - dstDbConnection  # top.yaml:17
limits:
  min_passed_rate: 97.5  # base.yaml:4
waivers:
  - id: W-1  # top.yaml:9
    match:
      item: srcDbBinlogIsOff
    reason: full only
    owner: dba
    since: 2026-06-01
    expires: 2026-07-01
never_waive:
  groups:
    - network  # base.yaml:5
max_waiver_days: 30  # builtin:strict:10
baseline:
  known_warnings: allow  # base.yaml:6
tasks:
  "140b*":
    skipped: allow  # base.yaml:8
    allow_empty: true  # base.yaml:8
"""
    )


@pytest.mark.usefixtures("files")
def test_as_json_it_is_the_same_policy(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "policy", "show", "top.yaml", "--format", "json", "--now", "2026-06-15")
    assert done.code == 0
    assert json.loads(done.out)["limits"] == {"min_passed_rate": 97.5}
    options = PolicyOptions(today=TODAY)
    assert bare(parse_policy(parse_document(done.out, "shown.json"), options)) == bare(
        load_policy(Path("top.yaml"), options)
    )


def test_without_a_file_it_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "policy", "show")
    assert done.code == 0
    assert "  ALARM: warn  # builtin:default:6\n" in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.yaml"], "nowhere.yaml cannot be read"),
        (["top.yaml", "--profile", "prod"], "has no profile 'prod'"),
        (["--profile", "prod"], "builtin:default has no profile"),
    ],
)
@pytest.mark.usefixtures("files")
def test_what_cannot_be_shown(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    done = call(capsys, "policy", "show", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_texts_that_could_steer_a_runner_are_printed_as_escapes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    reason = "::set-env x\u202e\x1b[31m ##[error] \U0001f600 \U000e0041"
    text = 'version: 1\nrules: [{match: {item: x}, effect: warn, reason: "%s"}]\n'
    escaped = reason.replace("\x1b", "\\e").replace("\U0001f600", "\\U0001F600")
    path = write_policy(tmp_path, text % escaped.replace("\U000e0041", "\\U000E0041"))
    done = call(capsys, "policy", "show", path)
    assert done.code == 0
    assert "::set" not in done.out
    assert "\x1b" not in done.out
    assert "##[" not in done.out
    loaded = parse_policy(parse_document(done.out, "shown.yaml"))
    assert loaded.rules[0].decision.reason == reason


def test_one_key_of_tasks_in_two_files_means_the_same_in_one() -> None:
    # The middle layer stands between: what the last says lies on top of it, what the first does
    # does not.
    first = (
        "version: 1\ntasks:\n  140b*: {skipped: allow, allow_empty: true}\n  '*': {skipped: warn}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        write_policy(Path(folder), first, "base.yaml")
        text = "version: 1\nextends: ./base.yaml\ntasks:\n  140b*: {allow_empty: false}\n"
        policy = load_policy(write_policy(Path(folder), text))
    shown = to_yaml(as_document(policy))
    assert '  "[1]40b*":' in shown
    assert bare(reloaded(policy)) == bare(policy)


def test_a_key_of_tasks_that_cannot_be_spelled_otherwise_is_said_to_be_so() -> None:
    first = "version: 1\ntasks:\n  '[!^]': {skipped: allow}\n  '*': {skipped: warn}\n"
    with tempfile.TemporaryDirectory() as folder:
        write_policy(Path(folder), first, "base.yaml")
        text = "version: 1\nextends: ./base.yaml\ntasks:\n  '[!^]': {allow_empty: false}\n"
        policy = load_policy(write_policy(Path(folder), text))
    with pytest.raises(UsageError, match="cannot be shown in one policy"):
        as_document(policy)


# The property: loading what is printed gives the same policy, but for origins.


def reloaded(policy: Policy, *, json_form: bool = False) -> Policy:
    document = as_document(policy)
    text = "\n".join(to_json(document) if json_form else to_yaml(document)) + "\n"
    assert clean(text) == text
    return parse_policy(parse_document(text, "shown.yaml"), PolicyOptions(today=TODAY))


def bare(policy: Policy) -> dict[str, Any]:
    """Return what a policy means, without origins: for all tasks, and for some."""
    found = {
        "waivers": [
            (one.id, one.match, one.reason, one.owner, one.since, one.expires, one.ticket)
            for one in policy.waivers
        ],
        "never": forbidden(policy.never_waive),
        "days": value(policy.max_waiver_days),
        "known": value(policy.known_warnings),
        "run": value(policy.limits.max_warnings),
    }
    for task in ("none", TASK, OTHER, "1234"):
        found[task] = bare_layer(for_task(policy, task))
    return found


def bare_layer(layer: Policy | Layer) -> dict[str, Any]:
    return {
        "statuses": {status: one.effect for status, one in layer.statuses.items()},
        "skipped": layer.skipped and layer.skipped.effect,
        "rules": [(one.match, one.decision.effect, one.decision.reason) for one in layer.rules],
        "required": list(
            dict.fromkeys((one.item, one.task, one.direction) for one in layer.required)
        ),
        "limits": [
            value(layer.limits.max_warnings_per_task),
            value(layer.limits.min_passed_rate),
        ],
        "empty": value(layer.allow_empty),
    }


def value(placed: Placed[Any] | None) -> Any:
    return None if placed is None else placed.value


def forbidden(never_waive: tuple[NeverWaive, ...]) -> dict[str, list[str]]:
    return {
        "items": [text for one in never_waive if one.items for text in one.items.texts],
        "groups": [text for one in never_waive if one.groups for text in one.groups.texts],
    }


_nasty = ["no", "null", "1", "1e3", "~", "- a", "#", "a: b", "::x", "##[y]", "'", '"', "\\", " a "]
_texts = st.sampled_from(_nasty) | st.text(
    st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), min_size=1, max_size=6
)
_words = _texts.filter(str.strip)  # a blank reason is none
_pattern = st.sampled_from(["a", "src*", "[ab]?"]) | _texts
_patterns = _pattern | st.lists(_pattern, min_size=1, max_size=3)
_effects = st.sampled_from(["allow", "warn", "block"])
_status = st.sampled_from(["PASSED", "ALARM", "FAILED", "unknown"])
_keys = ("item", "group", "failed_reason", "task", "direction")
_match = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(_keys, _patterns),
        "status": _status | st.lists(_status, min_size=1, max_size=3),
    },
).filter(bool)
_rules = st.lists(
    st.fixed_dictionaries({"match": _match, "effect": _effects}, optional={"reason": _texts}),
    max_size=3,
)
_required = st.lists(
    st.sampled_from(["a", "b"])
    | st.fixed_dictionaries(
        {"item": st.sampled_from(["a", "b"])},
        optional={"task": st.just("140b*"), "direction": _patterns},
    ),
    max_size=3,
    unique_by=lambda one: json.dumps(one, sort_keys=True),
)
_rate = st.integers(0, 100) | st.floats(0, 100)
_parts: dict[str, st.SearchStrategy[Any]] = {
    "statuses": st.dictionaries(_status, _effects, max_size=3),
    "skipped": _effects,
    "rules": _rules,
    "required_items": _required,
    "limits": st.fixed_dictionaries(
        {},
        optional={
            "max_warnings": st.integers(0, 9),
            "max_warnings_per_task": st.integers(0, 9),
            "min_passed_rate": _rate,
        },
    ),
    "allow_empty": st.booleans(),
}
_task_parts = {
    **_parts,
    "limits": st.fixed_dictionaries(
        {}, optional={"max_warnings_per_task": st.integers(0, 9), "min_passed_rate": _rate}
    ),
}
_task_keys = st.sampled_from([TASK, "140b*", "*", "1*", "?" * 36, "[0-9]*", "a28*", "none"])
_day = st.integers(0, 20).map(lambda days: (TODAY + timedelta(days)).isoformat())
_waivers = st.lists(
    st.fixed_dictionaries(
        {"match": _match, "reason": _words, "owner": _words, "expires": _day},
        optional={"since": st.just("2026-06-10"), "ticket": _texts},
    ),
    max_size=2,
)
_wide = {
    **_parts,
    "waivers": _waivers,
    "never_waive": st.fixed_dictionaries(
        {}, optional={"items": _patterns, "groups": _patterns}
    ).filter(bool),
    "max_waiver_days": st.integers(30, 99),
    "baseline": st.fixed_dictionaries({"known_warnings": st.sampled_from(["allow", "count"])}),
    "tasks": st.dictionaries(
        _task_keys, st.fixed_dictionaries({}, optional=_task_parts).filter(bool), max_size=3
    ),
}
_layers = st.fixed_dictionaries({}, optional=_wide).filter(bool)
_presets = st.sampled_from(["builtin:strict", "builtin:default", "builtin:permissive"])


@settings(max_examples=30, deadline=None)
@given(base=_layers, top=_layers, profile=_layers, preset=_presets)
def test_loading_what_is_shown_gives_the_same_policy(
    base: dict[str, Any], top: dict[str, Any], profile: dict[str, Any], preset: str
) -> None:
    for name, layer in (("base", base), ("top", top), ("profile", profile)):
        for number, waiver in enumerate(layer.get("waivers", ())):
            waiver["id"] = f"{name}-{number}"
    lower = {"version": 1, "extends": preset, **base}
    upper = {"version": 1, "extends": "./base.json", **top, "profiles": {"p": profile}}
    with tempfile.TemporaryDirectory() as folder:
        write_policy(Path(folder), json.dumps(lower), "base.json")
        path = write_policy(Path(folder), json.dumps(upper), "top.json")
        policy = load_policy(path, PolicyOptions("p", TODAY))
    shown = reloaded(policy)
    assert bare(shown) == bare(policy)
    assert bare(reloaded(policy, json_form=True)) == bare(policy)
    # Where no key stands in several files, the layers of tasks are the same one by one.
    kept = [(one.texts, bare_layer(layer)) for one, layer in policy.tasks if layer != Layer()]
    if len({texts for texts, _ in kept}) == len(kept):
        printed = [(one.texts, bare_layer(layer)) for one, layer in shown.tasks]
        assert printed == [pair for pair in kept if pair[1] != bare_layer(Layer())]
