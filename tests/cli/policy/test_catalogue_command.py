"""`explain`: one entry of the catalogue, the list, a search; and honesty about the unknown."""

from __future__ import annotations

import json

import pytest

from precheck_gate import catalog
from tests.support.commands import call

KNOWN = catalog.load()


def test_an_item_with_all_that_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "explain", "checkBalanceStatus")
    entry = KNOWN.items["checkBalanceStatus"]
    assert (done.code, done.err) == (0, "")
    told = " ".join(done.out.split())
    for text in (entry.title, entry.checks, entry.matters, entry.on_source, *entry.engines):
        assert " ".join(text.split()) in told
    for source in entry.sources:
        assert source.title in told
        assert source.url in told
    assert "group src_info_check (from DRS's documented answers)" in told
    assert "Inferred: the public page does not name this item" in told
    assert "On the destination" not in done.out


def test_a_mapping_that_was_read_is_called_so(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "explain", "checkEmptyDstDb")
    assert "A public source names this item" in done.out
    assert "(inferred)" in done.out


def test_a_reason_leads_to_its_item(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "explain", "SRC_HAS_TTL_INDEXES")
    assert done.code == 0
    assert done.out.startswith("SRC_HAS_TTL_INDEXES\n")
    assert "\nsrcCollHasTtlIndex\n" in done.out


def test_every_entry_fits_into_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--list"], ["--search", "source"], [*KNOWN.items, *KNOWN.reasons]):
        done = call(capsys, "explain", *arguments)
        assert done.code == 0
        long = [line for line in done.out.splitlines() if len(line) > 80]
        assert [line for line in long if "https://" not in line] == []


def test_the_list_has_every_item_below_its_group(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "explain", "--list")
    group = ""
    found = {}
    for line in done.out.splitlines():
        if line and not line.startswith(" "):
            group = line.partition(" (")[0]
        elif line.startswith("  ") and line.split()[0] in KNOWN.items:
            found[line.split()[0]] = group
    assert found == {name: entry.group for name, entry in KNOWN.items.items()}


def test_a_search_needs_all_of_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "explain", "--search", "binlog", "format")
    assert done.code == 0
    assert "srcBinlogFormatCheck" in done.out
    assert "dstDbDiskSize" not in done.out
    assert "srcCollHasTtlIndex" in call(capsys, "explain", "--search", "SRC_HAS_TTL").out


def test_json_has_the_same_shape_always(capsys: pytest.CaptureFixture[str]) -> None:
    one = json.loads(call(capsys, "explain", "checkBalanceStatus", "--format", "json").out)
    assert set(one) == {"items", "reasons", "failures"}
    [item] = one["items"]
    entry = KNOWN.items["checkBalanceStatus"]
    assert item["item"] == "checkBalanceStatus"
    assert item["mapping"] == "inferred"
    assert item["next_step"] == entry.next_step
    assert [source["url"] for source in item["sources"]] == [one.url for one in entry.sources]
    everything = json.loads(call(capsys, "explain", "--list", "--format", "json").out)
    assert len(everything["items"]) == len(KNOWN.items)
    assert len(everything["reasons"]) == len(KNOWN.reasons)
    assert len(everything["failures"]) == len(KNOWN.failures)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["srcDbConection"], "Did you mean srcDbConnection"),
        (["SRC_HAS_TTL_INDEX"], "SRC_HAS_TTL_INDEXES"),
        (["checkEmptyDstDb", "nothing-like-it"], "no item or reason 'nothing-like-it'"),
        (["nothing-like-it"], "DRS has no complete list"),
        (["::x\x1b[1m"], "': :x\\x1b[1m'"),
        (["--search", "no such words"], "No entry of the catalogue"),
        (["--search", " "], "The option --search is empty"),
        (["--list", "checkEmptyDstDb"], "--list lists everything"),
        ([], "There is nothing to explain"),
    ],
)
def test_the_unknown_is_answered_honestly(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    done = call(capsys, "explain", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_colours_only_where_they_are_wanted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "\x1b" not in call(capsys, "explain", "--list").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    done = call(capsys, "explain", "checkEmptyDstDb")
    assert done.out.startswith("\x1b[1mcheckEmptyDstDb\x1b[0m\n")
