"""The official SDK works against the simulator unmodified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from precheck_gate.simulator.scenario import documented_answer

if TYPE_CHECKING:
    from tests.support.fakes import FakeClock
    from tests.support.gate import Simulate

with pytest.MonkeyPatch.context() as patch:
    patch.setenv("PYTHONWARNINGS", "ignore")
    drs = pytest.importorskip(
        "huaweicloudsdkdrs.v3",
        reason="the official SDK (huaweicloudsdkdrs) cannot be imported",
        exc_type=ImportError,
    )
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.exceptions.exceptions import (
        ClientRequestException,
        ConnectionException,
        ServerResponseException,
    )
    from huaweicloudsdkcore.http.http_config import HttpConfig
    from huaweicloudsdkcore.region.region import Region

# The SDK marks the whole of v3 as deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PROJECT = "054ba152d480d55b2f5dc0069e7ddef0"
MYSQL = "140b5236-88ad-43c8-811c-1268453jb101"
DDS = "a281f62f-4631-45d6-a2d3-679a9f4jb105"
UNKNOWN = "00000000-0000-0000-0000-0000000jb101"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def client(url: str, project: str = PROJECT) -> Any:
    config = HttpConfig.get_default_config()
    config.timeout = (2, 5)
    credentials = BasicCredentials("access-key", "secret-key", project)
    builder = drs.DrsClient.new_builder().with_http_config(config)
    return builder.with_credentials(credentials).with_endpoints([url]).build()


def ask(url: str, *jobs: str, **options: Any) -> Any:
    body = drs.BatchQueryPrecheckResultReq(jobs=list(jobs))
    request = drs.BatchCheckResultsRequest(body=body, **options)
    return client(url).batch_check_results(request)


def start(url: str, *jobs: str) -> Any:
    body = drs.BatchPrecheckReq(jobs=[drs.PreCheckInfo(job, "forStartJob") for job in jobs])
    return client(url).batch_check_jobs(drs.BatchCheckJobsRequest(body=body))


ENTRY_FIELDS = ("precheck_id", "result", "process", "total_passed_rate", "rds_instance_id",
                "job_direction", "error_code", "error_msg")  # fmt: skip
ITEM_FIELDS = ("item", "result", "failed_reason", "data", "raw_error_msg", "group")


@pytest.mark.parametrize(("name", "task"), [("mysql", MYSQL), ("dds", DDS)])
def test_a_documented_answer_field_by_field(simulate: Simulate, name: str, task: str) -> None:
    response = ask(simulate(name).url, task, x_language="en-us")
    documented = documented_answer(name)
    assert response.status_code == 200
    assert response.count == 1
    (entry,) = response.results
    for field in ENTRY_FIELDS:
        assert getattr(entry, field) == documented.get(field), field
    assert len(entry.precheck_result) == len(documented["precheck_result"])
    for item, wanted in zip(entry.precheck_result, documented["precheck_result"], strict=True):
        for field in ITEM_FIELDS:
            assert getattr(item, field) == wanted.get(field), (wanted["item"], field)
        assert item.failed_sub_jobs is None


def test_failed_sub_jobs_are_understood(simulate: Simulate) -> None:
    scenario = f"""
version: 1
tasks:
  - id: {MYSQL}
    items:
      - item: srcDbConnection
        result: FAILED
        failed_sub_jobs: [{{id: sub-1, name: one, check_result: FAILED}}]
"""
    (entry,) = ask(simulate(scenario).url, MYSQL).results
    (sub,) = entry.precheck_result[0].failed_sub_jobs
    assert (sub.id, sub.name, sub.check_result) == ("sub-1", "one", "FAILED")
    assert entry.result is False


def test_a_start_and_its_progress(simulate: Simulate, clock: FakeClock) -> None:
    url = simulate("demo").url
    clock.advance(4)
    assert ask(url, MYSQL).results[0].process == "100%"
    response = start(url, MYSQL, UNKNOWN)
    good, bad = response.results
    assert response.count == 2
    assert (good.id, good.status, good.error_code) == (MYSQL, "success", None)
    assert good.precheck_id not in (None, MYSQL)
    assert (bad.id, bad.status, bad.error_code) == (UNKNOWN, "failed", "DRS.M00289")
    clock.advance(1)
    assert ask(url, MYSQL).results[0].process == "25%"


def scenario_with(line: str) -> str:
    return f"\nversion: 1\ntasks: [{{id: {MYSQL}, answer: mysql}}]\n{line}\n"


@pytest.mark.parametrize(
    ("line", "jobs", "status", "code"),
    [
        ("unknown_task: plain", [UNKNOWN], 400, "DRS.M00289"),
        ("", [], 400, "DRS.M00202"),
        ("", [MYSQL, MYSQL], 400, "DRS.M00202"),
        ("project_id: another", [MYSQL], 400, "DRS.M00202"),
        ("faults: [{status: 401}]", [MYSQL], 401, "APIGW.0301"),
        ("faults: [{status: 404}]", [MYSQL], 404, "APIGW.0101"),
        ("faults: [{status: 429}]", [MYSQL], 429, "APIGW.0308"),
        ("faults: [{status: 400, shape: nested, code: X.1}]", [MYSQL], 400, "X.1"),
        # The SDK looks for no code within the batch shape; it hands its whole text on.
        ("", [UNKNOWN], 400, "400"),
    ],
)
def test_an_error_is_a_client_request_exception(
    simulate: Simulate, line: str, jobs: list[str], status: int, code: str
) -> None:
    running = simulate(scenario_with(line))
    with pytest.raises(ClientRequestException) as caught:
        ask(running.url, *jobs)
    error = caught.value
    assert (error.status_code, error.error_code) == (status, code)
    assert error.request_id == running.simulator.requests[-1].request_id
    if code == "400":
        assert "DRS.M00289" in error.error_msg
        assert UNKNOWN in error.error_msg


def test_an_error_of_the_server_is_a_server_response_exception(simulate: Simulate) -> None:
    with pytest.raises(ServerResponseException) as caught:
        ask(simulate(scenario_with("faults: [{status: 503, code: X.2}]")).url, MYSQL)
    assert (caught.value.status_code, caught.value.error_code) == (503, "X.2")


def test_a_reset_is_a_connection_exception(simulate: Simulate) -> None:
    with pytest.raises(ConnectionException):
        ask(simulate(scenario_with("faults: [{kind: reset}]")).url, MYSQL)


def test_the_sdk_finds_the_project_of_a_region(simulate: Simulate) -> None:
    running = simulate(scenario_with("region: eu-west-101\nproject_id: found-by-name"))
    credentials = BasicCredentials("other-key", "secret-key").with_iam_endpoint(running.url)
    builder = drs.DrsClient.new_builder().with_credentials(credentials)
    found = builder.with_region(Region("eu-west-101", running.url)).build()
    body = drs.BatchQueryPrecheckResultReq(jobs=[MYSQL])
    response = found.batch_check_results(drs.BatchCheckResultsRequest(body=body))
    assert response.results[0].precheck_id == MYSQL
    projects, results = running.simulator.requests
    assert (projects.path, projects.credential) == ("/v3/projects", "signature")
    assert results.path == "/v3/found-by-name/jobs/batch-precheck-result"


def described(url: str, kind: str, *jobs: str) -> Any:
    body = drs.BatchQueryJobReqPage(jobs=list(jobs), page_req=drs.PageReq(1, 10))
    if kind == "status":
        return client(url).batch_list_job_status(drs.BatchListJobStatusRequest(body=body))
    return client(url).batch_list_job_details(drs.BatchListJobDetailsRequest(body=body))


FLEET = f"""
version: 1
tasks:
  - {{id: {MYSQL}, name: orders, answer: mysql, tags: {{wave: "3"}}}}
  - {{id: {DDS}, name: sessions, answer: dds, status: START_JOB_FAILED, type: sync,
     engine: mongodb}}
"""


def test_status_and_details(simulate: Simulate) -> None:
    url = simulate(FLEET).url
    states = described(url, "status", MYSQL, DDS, UNKNOWN)
    assert states.count == 3
    assert [(one.id, one.status, one.error_code) for one in states.results] == [
        (MYSQL, "CONFIGURATION", None),
        (DDS, "START_JOB_FAILED", None),
        (UNKNOWN, None, "DRS.M00289"),
    ]
    details = described(url, "details", MYSQL, DDS).results
    assert [(one.id, one.name, one.db_use_type) for one in details] == [
        (MYSQL, "orders", "migration"),
        (DDS, "sessions", "sync"),
    ]
    assert [one.inst_info.engine_type for one in details] == ["mysql", "mongodb"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [MYSQL, DDS]),
        ({"db_use_type": "sync"}, [DDS]),
        ({"engine_type": "mysql"}, [MYSQL]),
        ({"status": "START_JOB_FAILED"}, [DDS]),
        ({"tags": {"wave": "3"}}, [MYSQL]),
        ({"name": "sess"}, [DDS]),
        ({"cur_page": 2, "per_page": 1}, [DDS]),
    ],
)
def test_the_list_of_tasks(simulate: Simulate, wanted: Any, found: list[str]) -> None:
    request = drs.ShowJobListRequest(body=drs.QueryJobsReq(**wanted))
    response = client(simulate(FLEET).url).show_job_list(request)
    assert [job.id for job in response.jobs] == found
    assert response.total_record == (2 if "cur_page" in wanted else len(found))


def test_a_start_in_the_wrong_mode_fails(simulate: Simulate) -> None:
    (failed,) = start(simulate(FLEET).url, DDS).results
    assert (failed.status, failed.error_code) == ("failed", "DRS.10000001")


def test_later_prechecks_may_end_otherwise(simulate: Simulate, clock: FakeClock) -> None:
    run = "{items: [{item: a}], duration: 10s, precheck_id: second}"
    url = simulate(
        f"\nversion: 1\ntasks: [{{id: {MYSQL}, items: [{{item: a, result: FAILED}}], lag: 3s, "
        f"runs: [{run}]}}]\n"
    ).url
    assert ask(url, MYSQL).results[0].result is False
    assert start(url, MYSQL).results[0].precheck_id == "second"
    assert ask(url, MYSQL).results[0].precheck_id == MYSQL
    clock.advance(4)
    entry = ask(url, MYSQL).results[0]
    assert (entry.precheck_id, entry.process) == ("second", "40%")
    clock.advance(6)
    assert ask(url, MYSQL).results[0].result is True
