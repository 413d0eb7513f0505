"""The official SDK's v5 client works against the simulator unmodified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.outcome import ID, OTHER, PROJECT

if TYPE_CHECKING:
    from tests.support.fakes import FakeClock
    from tests.support.gate import Serve

with pytest.MonkeyPatch.context() as patch:
    patch.setenv("PYTHONWARNINGS", "ignore")
    drs = pytest.importorskip(
        "huaweicloudsdkdrs.v5",
        reason="the official SDK (huaweicloudsdkdrs) cannot be imported",
        exc_type=ImportError,
    )
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
    from huaweicloudsdkcore.http.http_config import HttpConfig

FLEET = f"""
version: 1
tasks:
  - id: {ID}
    name: orders
    duration: 4s
    items:
      - {{item: a, group: network}}
      - item: b
        result: FAILED
        is_skipped: true
        is_support_skip: true
        failed_sub_jobs: [{{id: sub-1, name: one, check_result: FAILED}}]
  - {{id: {OTHER}, name: sessions, items: [{{item: a}}], status: PAUSING, type: sync}}
"""


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def client(url: str) -> Any:
    config = HttpConfig.get_default_config()
    config.timeout = (2, 5)
    credentials = BasicCredentials("access-key", "secret-key", PROJECT)
    builder = drs.DrsClient.new_builder().with_http_config(config)
    return builder.with_credentials(credentials).with_endpoints([url]).build()


def result(url: str, query: str, task: str = ID) -> Any:
    request = drs.ShowJobDetailRequest(job_id=task, type="precheck", query_id=query)
    return client(url).show_job_detail(request).job


def action(task: str, mode: str = "forStartJob") -> Any:
    params = drs.ActionParams(precheck_mode=mode)
    return drs.ActionReq(job_id=task, action_name="precheck", action_params=params)


def test_a_start_and_its_result(serve: Serve, clock: FakeClock) -> None:
    url = serve(FLEET).url
    request = drs.ExecuteJobActionRequest(job_id=ID, body=drs.JobActionReq(job=action(ID)))
    query = client(url).execute_job_action(request).query_id
    assert result(url, query).precheck_result.process == "0%"
    clock.advance(4)
    job = result(url, query)
    assert (job.id, job.status) == (ID, "CONFIGURATION")
    found = job.precheck_result
    assert (found.process, found.result) == ("100%", False)
    plain, skipped = found.precheck_results
    assert (plain.item, plain.group, plain.is_skipped) == ("a", "network", False)
    assert (skipped.result, skipped.is_skipped, skipped.is_support_skip) == ("FAILED", True, True)
    assert skipped.failed_sub_jobs[0].check_result == "FAILED"


def test_many_starts_at_once(serve: Serve) -> None:
    url = serve(FLEET).url
    body = drs.BatchJobActionReq(jobs=[action(ID), action(OTHER)])
    response = client(url).batch_execute_job_actions(drs.BatchExecuteJobActionsRequest(body=body))
    # The other one is paused: it cannot be started.
    (started,) = response.jobs
    assert (started.id, started.name) == (ID, "orders")
    assert started.query_id


@pytest.mark.parametrize(("task", "query"), [(ID, "unknown"), (OTHER.replace("a", "b"), ID)])
def test_what_is_not_known_is_an_error(serve: Serve, task: str, query: str) -> None:
    with pytest.raises(ClientRequestException):
        result(serve(FLEET).url, query, task)


def test_a_version_that_is_not_offered(serve: Serve) -> None:
    with pytest.raises(ClientRequestException) as caught:
        result(serve(FLEET + "apis: [v3]\n").url, ID)
    assert (caught.value.status_code, caught.value.error_code) == (404, "APIGW.0101")


def test_the_details_and_the_list(serve: Serve) -> None:
    drs_client = client(serve(FLEET).url)
    job = drs_client.show_job_detail(drs.ShowJobDetailRequest(job_id=ID, type="detail")).job
    assert (job.base_info.name, job.base_info.engine_type) == ("orders", "mysql")
    page = drs_client.list_jobs(drs.ListJobsRequest(job_type="sync", offset=0, limit=10))
    assert page.total_count == 1
    (job,) = page.jobs
    assert (job.id, job.name, job.status) == (OTHER, "sessions", "PAUSING")
