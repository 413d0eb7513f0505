"""The policy: which line decides, and what is said of a file that cannot be used."""

from __future__ import annotations

import contextlib
import json
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precheck_gate.documents import validation
from precheck_gate.documents.yaml_document import parse_document
from precheck_gate.errors import DocumentError, UsageError
from precheck_gate.model.snapshots import Status
from precheck_gate.model.verdicts import Effect, FindingKind, Verdict
from precheck_gate.policy.loading import PRESETS, load_policy
from precheck_gate.policy.model import Subject, decide
from tests.support.harness import (
    DEFAULT,
    TASK,
    body,
    entry,
    item,
    judge,
    policy,
)

SUBJECT = Subject(
    TASK, "up", "srcCollHasTtlIndex", "db_params", Status.ALARM, "SRC_HAS_TTL_INDEXES"
)


def rules(*lines: str) -> str:
    return "version: 1\nrules:\n" + "".join(f"- {line}\n" for line in lines)


@pytest.mark.parametrize("name", PRESETS)
def test_the_presets_are_valid_by_their_own_schema(name: str) -> None:
    text = (resources.files("precheck_gate.policy") / "presets" / f"{name}.yaml").read_text("utf-8")
    validation.check(parse_document(text, f"{name}.yaml"), "policy-1", "policy")


@pytest.mark.parametrize(
    ("status", "effect"),
    [
        (Status.PASSED, Effect.ALLOW),
        (Status.ALARM, Effect.WARN),
        (Status.FAILED, Effect.BLOCK),
        (Status.UNKNOWN, Effect.BLOCK),
    ],
)
def test_the_built_in_default(status: Status, effect: Effect) -> None:
    decision = decide(DEFAULT, SUBJECT._replace(status=status))
    assert decision.effect is effect
    assert str(decision.origin).startswith("builtin:default:")


@pytest.mark.parametrize(
    "match",
    [
        "item: srcCollHasTtlIndex",
        "item: src*",
        "item: 'srcCollHasTtlInde?'",
        "item: '[s]rc*Index'",
        "item: [other, srcCollHasTtlIndex]",
        "item: [other, src*]",
        "status: ALARM",
        "status: [FAILED, ALARM]",
        "group: db_params",
        "group: db_*",
        "failed_reason: SRC_HAS_TTL_INDEXES",
        "failed_reason: '*TTL*'",
        f"task: {TASK}",
        "task: 140b5236-*",
        "direction: up",
        "item: src*, status: ALARM, group: db_params, direction: up",
    ],
)
def test_a_rule_matches(match: str) -> None:
    by = policy(rules(f"{{match: {{{match}}}, effect: allow}}"))
    assert decide(by, SUBJECT).effect is Effect.ALLOW


@pytest.mark.parametrize(
    "match",
    [
        "item: srcCollHasTtl",
        "item: SRCCOLLHASTTLINDEX",
        "item: '*y'",
        "status: FAILED",
        "status: unknown",
        "group: network",
        "failed_reason: OTHER",
        "task: 999*",
        "direction: down",
        "item: src*, status: FAILED",
        "item: '[srcCollHasTtlIndex]'",
    ],
)
def test_a_rule_does_not_match(match: str) -> None:
    by = policy(rules(f"{{match: {{{match}}}, effect: allow}}"))
    assert decide(by, SUBJECT).effect is Effect.WARN


def test_the_first_rule_that_matches_decides_and_is_named() -> None:
    by = policy(
        rules(
            "{match: {item: other}, effect: block}",
            "{match: {item: src*}, effect: allow, reason: agreed}",
            "{match: {status: ALARM}, effect: block}",
        )
    )
    decision = decide(by, SUBJECT)
    assert (decision.effect, decision.reason) == (Effect.ALLOW, "agreed")
    assert str(decision.origin) == "policy.yaml:4 rules[1]"


def test_statuses_that_are_not_named_keep_the_default() -> None:
    by = policy("version: 1\nstatuses: {ALARM: block}\n")
    assert by.statuses[Status.ALARM].effect is Effect.BLOCK
    assert by.statuses[Status.FAILED].effect is Effect.BLOCK
    assert by.statuses[Status.PASSED].effect is Effect.ALLOW


@pytest.mark.parametrize("status", ["ALARM", "FAILED", "NEW"])
def test_a_required_item_that_is_not_passed_blocks_whatever_the_rules_say(status: str) -> None:
    text = rules("{match: {item: '*'}, effect: allow}") + "required_items: [srcDbConnection]\n"
    judged = judge(body(entry(items=[item(result=status)])), by=policy(text))
    assert judged.verdict is Verdict.BLOCKED
    assert any("required_items[0]" in finding.decided_by for finding in judged.findings)


def test_a_required_item_that_is_absent_blocks() -> None:
    by = policy("version: 1\nrequired_items: [srcDbConnection, dstDbConnection]\n")
    judged = judge(body(entry()), by=by)
    assert judged.verdict is Verdict.BLOCKED
    [finding] = [one for one in judged.findings if one.kind is FindingKind.REQUIRED]
    assert (finding.title, finding.decided_by) == (
        "dstDbConnection",
        "policy.yaml:2 required_items[1]",
    )


def test_no_required_item_is_missed_before_the_pre_check_is_at_its_end() -> None:
    by = policy("version: 1\nrequired_items: [srcDbConnection, dstDbConnection]\n")
    judged = judge(body(entry(process="60%", items=[item("srcDbConnection")])), by=by)
    assert judged.verdict is Verdict.INCOMPLETE
    assert not judged.says("is required but was not checked")


def test_an_item_that_two_lines_require_is_missed_once() -> None:
    required = "required_items: [dstDbConnection]"
    by = policy(f"version: 1\n{required}\ntasks: {{{TASK}: {{{required}}}}}\n")
    judged = judge(body(entry()), by=by)
    missed = [one for one in judged.findings if one.kind is FindingKind.REQUIRED]
    assert [one.title for one in missed] == ["dstDbConnection"]


def test_a_required_item_that_stands_twice_has_to_pass_twice() -> None:
    by = policy("version: 1\nrequired_items: [srcDbConnection]\n")
    judged = judge(body(entry(items=[item(), item(result="ALARM")])), by=by)
    assert judged.verdict is Verdict.BLOCKED


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version: 1\nrule: []\n", "p.yaml:2:1: rule: unknown key 'rule' (did you"),
        ("statuses: {}\n", "missing key 'version'"),
        ("version: 2\n", "p.yaml:1:10: version: 2 must be 1"),
        ("version: 1\nstatuses: {ALARM: warm}\n", "(did you mean 'warn'?)"),
        ("version: 1\nstatuses: {alarm: warn}\n", "(did you mean 'ALARM'?)"),
        ("version: 1\nrules: {}\n", "p.yaml:2:8: rules: must be a list, not a mapping"),
        (rules("{effect: allow}"), "p.yaml:3:3: rules[0]: missing key 'match'"),
        (rules("{match: {}, effect: allow}"), "{} must not be empty"),
        (rules("{match: {status: BAD}, effect: allow}"), '"BAD" must be one of'),
        (rules("{match: {item: []}, effect: allow}"), "[] must not be empty"),
        (rules("{match: {item: 1}, effect: allow}"), "rules[0].match.item: must be"),
        ("version: 1\nlimits: {max_warnings: -1}\n", "-1 must be at least 0"),
        (
            "version: 1\nlimits: {max_warnings: true}\n",
            "must be a whole number, not true or false",
        ),
        ("version: 1\nallow_empty: yes\n", "must be true or false, not text"),
        ("version: 1\nrequired_items: [a, a]\n", "contains a duplicate"),
        ("version: 1\nversion: 1\n", "p.yaml:2:1: version: duplicate key 'version'"),
        ("a: [1\n", "p.yaml"),
        ("version: 1\n\tx: 1\n", "indent YAML with spaces, not tabs"),
        ("", "no content"),
        ("- 1\n", "must be a mapping, not a list"),
        ("version: 1\n---\nversion: 1\n", "single document"),
        ("x: !!python/object:os.system y\n", "is not supported"),
        ("1: 2\nversion: 1\n", "unknown key '1'"),
        ("? [1]\n: 2\n", "a key must be text"),
        ("[" * 5000, "p.yaml:1:42: nested too deeply"),
        ("- " * 1000, "p.yaml: nested too deeply"),
    ],
)
def test_a_policy_that_cannot_be_used_says_where_and_why(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(text)
    with pytest.raises(DocumentError) as caught:
        load_policy(Path("p.yaml"))
    assert caught.value.exit_code == 2
    assert said in caught.value.message


def test_an_alias_bomb_ends_at_its_bound() -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(DocumentError, match="expands to more than"):
        policy("\n".join(lines))


def test_a_list_that_holds_itself_ends_at_its_bound() -> None:
    with pytest.raises(DocumentError, match="expands to more than"):
        policy("version: &a [*a]\n")


def test_the_bound_of_brackets_is_that_of_values() -> None:
    assert parse_document("[" * 41 + "]" * 41, "p.yaml").value
    assert parse_document("[" * 40 + "{}" + "]" * 40, "p.yaml").value
    for deeper in ("[" * 42 + "]" * 42, "[" * 41 + "{}" + "]" * 41, "- " * 42):
        with pytest.raises(DocumentError, match=r"nested too deeply|more than 40 levels"):
            parse_document(deeper, "p.yaml")


def test_every_problem_is_told_at_once_with_its_place_and_without_the_line() -> None:
    with pytest.raises(DocumentError) as caught:
        policy("version: 2\nstatuses: {ALARM: warm}\nrule: []\n")
    assert [problem.line for problem in caught.value.problems] == [1, 2, 3]
    assert "policy.yaml:2:19: statuses.ALARM: " in caught.value.message
    assert "{ALARM: warm}" not in caught.value.message


def test_json_is_read_too_tabs_and_all_with_the_same_places(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_text(
        '{\n\t"version": 1,\n\t"rules": [\n\t\t{"match": {"item": "x"}, "effect": "bad"}\n]}'
    )
    with pytest.raises(DocumentError) as caught:
        load_policy(path)
    assert f"{path}:4:38: rules[0].effect" in caught.value.message


def test_a_missing_policy_names_the_file_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere.yaml cannot be read: No such file") as caught:
        load_policy(tmp_path / "nowhere.yaml")
    assert "Check the path" in caught.value.hint


def test_a_date_and_the_words_of_yaml_1_1_stay_text() -> None:
    value = parse_document("a: 2027-01-31\nb: no\nc: on\nd: 010\n", "x").value
    assert value == {"a": "2027-01-31", "b": "no", "c": "on", "d": 10}


@given(st.text(max_size=200))
def test_no_text_makes_the_loader_fail_in_another_way(text: str) -> None:
    with contextlib.suppress(DocumentError):
        assert set(policy(text).statuses) == set(Status)


_effects = st.sampled_from(["allow", "warn", "block"])
_statuses = st.sampled_from(["PASSED", "ALARM", "FAILED", "NEW"])


@given(
    st.lists(st.tuples(st.sampled_from("abc"), _statuses), min_size=1, max_size=5),
    st.lists(st.tuples(st.sampled_from(["a", "b", "*"]), _effects), max_size=4),
    st.integers(0, 4),
    st.sampled_from(["a", "b", "c", "*"]),
)
def test_adding_a_rule_that_blocks_never_makes_a_verdict_better(
    items: list[tuple[str, str]], old: list[tuple[str, str]], at: int, blocked: str
) -> None:
    def made(pairs: list[tuple[str, str]]) -> str:
        return (
            "version: 1\nrules: ["
            + ", ".join(
                f"{{match: {{item: '{name}'}}, effect: {effect}}}" for name, effect in pairs
            )
            + "]\n"
        )

    content = body(entry(items=[item(name, status) for name, status in items]))
    before = judge(content, by=policy(made(old)))
    after = judge(content, by=policy(made([*old[:at], (blocked, "block"), *old[at:]])))
    assert after.verdict.severity >= before.verdict.severity


@given(st.permutations([("a", "PASSED"), ("b", "ALARM"), ("c", "FAILED"), ("d", "NEW")]))
def test_the_order_of_items_never_changes_a_verdict(items: list[tuple[str, str]]) -> None:
    judged = judge(body(entry(items=[item(name, status) for name, status in items])))
    assert judged.verdict is Verdict.BLOCKED
    assert len(judged.blocking()) == 3


def test_an_escaped_pair_of_surrogates_in_json_is_one_character() -> None:
    assert parse_document('{"a": "\\ud83d\\ude00"}', "x").value == {"a": "😀"}


@pytest.mark.parametrize("name", ["W\n", "", "W 1", "W\x1b"])
def test_a_waivers_id_is_one_plain_word(name: str) -> None:
    waiver = {"id": name, "match": {"item": "x"}, "reason": "r", "owner": "o"}
    document = {"version": 1, "waivers": [{**waiver, "expires": "2027-01-31"}]}
    with pytest.raises(DocumentError, match="has an invalid format"):
        policy(json.dumps(document))


def test_what_is_wrong_with_a_waiver_has_its_place() -> None:
    line = (
        "- {id: W, match: {item: x}, reason: r, owner: o, since: 2027-02-01, expires: 2027-01-31}"
    )
    with pytest.raises(DocumentError) as caught:
        policy(f"version: 1\nwaivers:\n{line}\n")
    assert "policy.yaml:3:3: waivers[0]: expires is earlier than since" in str(caught.value)
    assert line not in str(caught.value)
