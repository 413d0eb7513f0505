"""What an answer of v5 proves: the request bears a query ID, the answer bears none."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from precheck_gate.drs.api.v5 import DrsV5Client
from precheck_gate.drs.http.messages import HttpRequest, Reply
from tests.support.fakes import FakeClock
from tests.support.harness import TASK, item
from tests.support.outcome import ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.gate import Gate, Serve

OLD, NEW = "0a1b2c3d-0000-4000-8000-000000000001", "7f1b2c3d-0000-4000-8000-000000000002"
ITEMS: list[Any] = [item()]
DONE = {"result": True, "process": "100%", "precheck_results": ITEMS}
RUNNING = {"result": False, "process": "50%", "precheck_results": ITEMS}
EMPTY = {**DONE, "precheck_results": []}
NOTHING = {"result": False, "process": "0%", "precheck_results": []}
# What the service says for a query ID that it never gave out.
REFUSED = Reply(400, {}, b'{"error_code": "DRS.M00202", "error_msg": "The query ID is unknown."}')


def shown(result: Any, **more: Any) -> Reply:
    job = {"id": TASK, "status": "CONFIGURATION", "precheck_result": result}
    return Reply(200, {}, json.dumps({"job": job, **more}).encode())


@dataclass
class Service:
    """Answers for query IDs as it is told to, and each start with the next of some."""

    by_query: Callable[[str], Reply]
    gives: list[str] = field(default_factory=lambda: [NEW])
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: HttpRequest, seconds: float) -> Reply:
        assert seconds > 0
        assert request.headers
        if request.method == "POST":
            assert request.body
            started = {"id": TASK, "query_id": self.gives.pop(0), "name": "orders"}
            return Reply(202, {}, json.dumps({"jobs": [started]}).encode())
        query = parse_qs(urlsplit(request.url).query)["query_id"][0]
        self.asked.append(query)
        return self.by_query(query)


def client(service: Service, **known: str) -> DrsV5Client:
    return DrsV5Client(
        "http://127.0.0.1:1",
        lambda _: "p",
        service,
        FakeClock(),
        query_ids={TASK: known["known"]} if known else {},
        language="en-us",
        advice=lambda _: "",
    )


def own_after_a_start(service: Service, **known: str) -> bool:
    made = client(service, **known)
    [given] = service.gives
    assert made.start({TASK: "forStartJob"}, 30.0) == {TASK: given}
    # Once could be by chance, such as where the old result gave way to the new one in between.
    assert made.precheck_results([TASK], 30.0).own == frozenset()
    return made.precheck_results([TASK], 30.0).own == {TASK}


@pytest.mark.parametrize("result", [DONE, RUNNING, EMPTY])
@pytest.mark.parametrize("otherwise", [REFUSED, shown(None), shown(NOTHING)])
def test_a_result_under_a_new_id_is_own_where_an_id_never_given_out_has_none(
    result: Any, otherwise: Reply
) -> None:
    service = Service(lambda query: shown(result) if query == NEW else otherwise)
    assert own_after_a_start(service)
    assert own_after_a_start(Service(service.by_query), known=OLD)


def test_an_old_result_that_gives_way_between_two_requests_proves_nothing() -> None:
    # It goes by no ID: the new pre-check was just not shown yet when it was asked first.
    replies = iter(map(shown, [DONE, NOTHING, NOTHING, RUNNING, RUNNING, DONE, DONE]))
    made = client(Service(lambda _: next(replies)))
    made.start({TASK: "forStartJob"}, 30.0)
    assert [made.precheck_results([TASK], 30.0).own for _ in "abcd"] == [frozenset()] * 4


@pytest.mark.parametrize("given", [NEW, OLD, "1001", "x-1", "F", "-", "é1"])
def test_the_id_never_given_out_has_the_form_of_the_one_that_was(given: str) -> None:
    service = Service(lambda query: shown(DONE) if query == given else REFUSED, gives=[given])
    assert own_after_a_start(service)
    never = service.asked[1]
    assert service.asked == [given, never, given, never]
    assert never != given
    assert len(never) == len(given)


@pytest.mark.parametrize("result", [DONE, RUNNING, EMPTY])
def test_a_service_that_shows_the_same_under_any_id_proves_nothing(result: Any) -> None:
    service = Service(lambda _: shown(result))
    made = client(service)
    made.start({TASK: "forStartJob"}, 30.0)
    answers = [made.precheck_results([TASK], 30.0) for _ in "ab"]
    assert [one.own for one in answers] == [frozenset(), frozenset()]
    assert all("looks at query IDs" in remark for one in answers for remark in one.remarks)
    assert [len(one.remarks) for one in answers] == [1, 1]
    # It has shown what it does, and is not asked again.
    assert len(service.asked) == 3


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_of_the_id_never_given_out_that_has_another_reason_proves_nothing(
    status: int,
) -> None:
    made = client(Service(lambda query: shown(DONE) if query == NEW else Reply(status, {}, b"")))
    made.start({TASK: "forStartJob"}, 30.0)
    answer = made.precheck_results([TASK], 30.0)
    assert (answer.own, len(answer.remarks)) == (frozenset(), 1)


def test_a_bug_of_ours_is_not_taken_for_a_word_of_the_service() -> None:
    def by_query(query: str) -> Reply:
        if query != NEW:
            raise RuntimeError("a bug")
        return shown(DONE)

    made = client(Service(by_query))
    made.start({TASK: "forStartJob"}, 30.0)
    with pytest.raises(RuntimeError, match="a bug"):
        made.precheck_results([TASK], 30.0)


def test_a_refused_start_takes_the_proof_of_the_one_before_along() -> None:
    service = Service(lambda query: shown(DONE) if query == NEW else REFUSED, gives=[NEW, ""])
    made = client(service)
    own = []
    for _ in range(2):
        made.start({TASK: "forStartJob"}, 30.0)
        own += [made.precheck_results([TASK], 30.0).own for _ in "ab"]
    assert own == [frozenset(), {TASK}, frozenset(), frozenset()]


def test_a_refused_start_takes_what_is_not_proven_yet_along() -> None:
    service = Service(lambda _: shown(NOTHING), gives=[NEW, ""])
    made = client(service)
    for _ in range(2):
        made.start({TASK: "forStartJob"}, 30.0)
        assert made.precheck_results([TASK], 30.0).own == frozenset()
    service.by_query = lambda query: shown(DONE) if query == NEW else REFUSED
    assert [made.precheck_results([TASK], 30.0).own for _ in "abc"] == [frozenset()] * 3


@pytest.mark.parametrize(
    "otherwise",
    [
        Reply(503, {}, b""),
        Reply(429, {}, b'{"error_code": "APIGW.0308"}'),
        Reply(400, {}, b'{"error_code": "DRS.M01503", "error_msg": "too frequent"}'),
        Reply(202, {}, b"{}"),
        Reply(200, {}, b"<html>"),
        shown(None, error_code="DRS.M01501"),
        shown({**DONE, "precheck_results": [1]}),
    ],
    ids=["ill", "throttled", "too frequent", "no answer", "no JSON", "error", "malformed"],
)
def test_a_fault_at_the_id_never_given_out_proves_nothing(otherwise: Reply) -> None:
    made = client(Service(lambda query: shown(DONE) if query == NEW else otherwise))
    made.start({TASK: "forStartJob"}, 30.0)
    for _ in "ab":
        answer = made.precheck_results([TASK], 30.0)
        assert answer.own == frozenset()
    # What came under the new ID is not lost for it.
    assert TASK in answer.entries


def test_what_a_fault_left_open_is_asked_for_again() -> None:
    replies = iter([Reply(503, {}, b""), REFUSED, Reply(503, {}, b""), REFUSED])
    made = client(Service(lambda query: shown(DONE) if query == NEW else next(replies)))
    made.start({TASK: "forStartJob"}, 30.0)
    own = [made.precheck_results([TASK], 30.0).own for _ in "abcde"]
    assert own == [frozenset(), frozenset(), frozenset(), {TASK}, {TASK}]


def test_what_is_proven_is_not_asked_for_again() -> None:
    service = Service(lambda query: shown(DONE) if query == NEW else REFUSED)
    assert own_after_a_start(service)
    made = client(Service(service.by_query))
    made.start({TASK: "forStartJob"}, 30.0)
    own = [made.precheck_results([TASK], 30.0).own for _ in "abcd"]
    assert own == [frozenset(), {TASK}, {TASK}, {TASK}]


def test_an_answer_without_a_result_is_no_reason_to_ask_again() -> None:
    service = Service(lambda _: shown(NOTHING))
    assert not own_after_a_start(service)
    assert service.asked == [NEW, NEW]


@pytest.mark.parametrize("given", [OLD, OLD.upper()])
def test_a_start_that_gives_back_a_known_query_id_proves_nothing(given: str) -> None:
    service = Service(lambda query: shown(DONE) if query == given else REFUSED, gives=[given])
    made = client(service, known=OLD)
    assert made.start({TASK: "forStartJob"}, 30.0) == {TASK: given}
    made.precheck_results([TASK], 30.0)
    answer = made.precheck_results([TASK], 30.0)
    assert answer.own == frozenset()
    assert any(f"{TASK}" in remark and "known before" in remark for remark in answer.remarks)


def test_a_start_that_gives_back_the_id_of_any_start_before_proves_nothing() -> None:
    last = NEW.replace("7f", "3e")
    service = Service(lambda query: shown(DONE) if query in (OLD, NEW, last) else REFUSED)
    service.gives = [OLD, NEW, OLD, last]
    made = client(service)
    answers = []
    for _ in range(4):
        made.start({TASK: "forStartJob"}, 30.0)
        made.precheck_results([TASK], 30.0)
        answers.append(made.precheck_results([TASK], 30.0))
    assert [one.own for one in answers] == [{TASK}, {TASK}, frozenset(), {TASK}]
    assert [len(one.remarks) for one in answers] == [0, 0, 1, 0]


def test_a_query_id_that_was_given_by_hand_proves_nothing() -> None:
    made = client(Service(lambda query: shown(DONE) if query == OLD else REFUSED), known=OLD)
    assert [made.precheck_results([TASK], 30.0).own for _ in "abc"] == [frozenset()] * 3


# --- a whole run ----------------------------------------------------------------------------------

GOOD, BAD = "[{item: a}]", "[{item: a, result: FAILED}]"
V5 = ("--api", "v5", "--start-precheck", "--timeout", "10m")


def scenario(more: str) -> str:
    return f"\nversion: 1\ntasks: [{{id: {ID}, precheck_id: again, {more}}}]\n"


def test_an_old_result_under_a_query_id_given_back_never_passes(gate: Gate, serve: Serve) -> None:
    service = serve(scenario(f"items: {GOOD}, lag: 2h, runs: [{{items: {BAD}, duration: 0}}]"))
    outcome = gate.run(service.url, *V5, "--query-id", f"{ID}=again")
    assert outcome.code == 3
    outcome.says("nothing proves that this result is of the pre-check that this run started")
    outcome.says("known before")


def test_a_new_result_under_a_query_id_given_back_is_known_by_its_progress(
    gate: Gate, serve: Serve
) -> None:
    service = serve(scenario(f"items: {BAD}, runs: [{{items: {GOOD}, duration: 20s}}]"))
    outcome = gate.run(service.url, *V5, "--query-id", f"{ID}=again")
    assert outcome.code == 0
    outcome.says("progress was seen below 100 % after the start")


def test_a_new_result_at_once_is_known_by_its_new_query_id(gate: Gate, serve: Serve) -> None:
    made = f"items: {GOOD}, runs: [{{items: {GOOD}, duration: 0, precheck_id: another}}]"
    outcome = gate.run(serve(scenario(made)).url, *V5, "--query-id", f"{ID}=again")
    assert outcome.code == 0
    outcome.says("it has the ID of the started pre-check")
