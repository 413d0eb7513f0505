"""The catalogue is found by name, text and code, read once, and light to import."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest

from precheck_gate import catalog
from precheck_gate.catalog import Entry, load


def entry(item: str) -> Entry:
    found = load().entry(item)
    assert found is not None
    return found


def test_an_entry_is_found_by_its_exact_name_only() -> None:
    assert entry("srcDbBinlogIsOff").title
    assert load().entry("srcdbbinlogisoff") is None
    assert load().entry("") is None


def test_a_reason_is_explained() -> None:
    reason = load().for_reason("SRC_HAS_TTL_INDEXES")
    assert reason is not None
    assert reason.item == "srcCollHasTtlIndex"
    assert "TTL" in reason.meaning
    assert load().for_reason("NO_SUCH_CODE") is None
    assert load().for_reason("") is None


def test_search_ignores_case_and_order_of_words() -> None:
    found = [e.item for e in load().search("BINLOG retention")]
    assert found == [e.item for e in load().search("retention  binlog")]
    assert "srcDbBinlogExpireLogsDays" in found
    assert "srcBinlogFormatCheck" not in found, "every word must occur"


def test_search_ranks_name_before_title_before_text() -> None:
    found = [e.item for e in load().search("gtid")]
    in_name = [name for name in sorted(load().items) if "gtid" in name.lower()]
    assert found[: len(in_name)] == in_name

    found = [e.item for e in load().search("max_allowed_packet")]
    assert {e for e in found if "max_allowed_packet" in entry(e).title} == set(found[:2])

    ranked = load().search("collection")
    by_title = ["collection" in e.title.casefold() for e in ranked]
    assert by_title == sorted(by_title, reverse=True)
    assert True in by_title
    assert False in by_title


def test_search_takes_a_whole_name() -> None:
    exact = "srcDbPrivilegesIsEnough"
    assert [e.item for e in load().search(exact.upper())] == [exact, f"{exact}ForIncre"]


def test_search_looks_at_groups_engines_and_codes() -> None:
    assert {e.item for e in load().search("network")} >= {"dstDbConnection", "srcDbConnection"}
    assert "mongoTypeFitTransferMode" in {e.item for e in load().search("dds")}
    assert [e.item for e in load().search("src_has_ttl_indexes")] == ["srcCollHasTtlIndex"]


@pytest.mark.parametrize("text", ["", "   ", "\n", "noSuchWordAnywhere", "binlog noSuchWord"])
def test_search_finds_nothing(text: str) -> None:
    assert load().search(text) == []
    assert load().search_failures(text) == []


def test_failures_without_a_name_are_found() -> None:
    (found,) = load().search_failures("WAL_LEVEL logical")
    assert found.engines == ("postgresql",)
    assert "wal_level" in found.on_source


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("srcDbBinlogOff", "srcDbBinlogIsOff"),
        ("SRCDBBINLOGISOFF", "srcDbBinlogIsOff"),
        ("dstDbDiskSise", "dstDbDiskSize"),
        ("srcDBConnection", "srcDbConnection"),
    ],
)
def test_suggest_names_what_was_meant(wrong: str, meant: str) -> None:
    suggestions = load().suggest(wrong)
    assert suggestions[0] == meant
    assert len(suggestions) <= 3
    assert set(suggestions) <= set(load().items)


@pytest.mark.parametrize("wrong", ["", "zzzz", "99"])
def test_suggest_does_not_guess(wrong: str) -> None:
    assert load().suggest(wrong) == []


def test_the_catalogue_is_read_once_and_cannot_be_changed() -> None:
    assert load() is load()
    with pytest.raises(FrozenInstanceError):
        entry("srcDbBinlogIsOff").title = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        del load().items["srcDbBinlogIsOff"]  # type: ignore[attr-defined]


def test_public_names_exist() -> None:
    assert all(hasattr(catalog, name) for name in catalog.__all__)


def test_the_import_is_light() -> None:
    code = (
        "import sys; import precheck_gate.catalog as c; c.load(); "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "precheck_gate" in loaded
    assert loaded.isdisjoint({"jsonschema", "yaml", "requests", "click", "junit_xml", "urllib3"})
