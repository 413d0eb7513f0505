"""The catalogue is valid, complete and honest about its sources; each item has a next step."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from importlib import resources
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from precheck_gate.catalog import (
    NEXT_STEP_LIMIT,
    Basis,
    Entry,
    FixLocation,
    load,
    unknown_next_step,
)

# The names in the two documented answers and in the SDK's list of items that may be skipped.
IN_EXAMPLES = {
    "db_disk_size": "dstDbDiskSize",
    "db_object_conflict_check": """srcAndDstCappedCollConsistency srcCollAlreadyExistedInDstColl
        srcViewAlreadyExistedInDstView""",
    "db_object_dependency_check": "rolesDependentCheck usersDependentCheck",
    "db_params": """checkIncreSrcDbExistedInDstDb dbCharacterSetConsistency dbClockConsistency
        dbCollationServerConsistency dbIsolationLevelConsistency dbParamConsistency
        dbServerUuidConsistency dbSslConsistency dstChunkNumCheck dstMaxAllowedPacketCheck
        hasForeignKeyOnUnselectedTable innodbStrictModeConsistency isUserRequireSslLink
        mongoTypeFitTransferMode sqlModeConsistency sqlModeNoEngine srcBinlogFormatCheck
        srcBinlogRowImageCheck srcCollHasTtlIndex srcCollIndexNumCheck
        srcCollNameContainsUnsupportedSymbols srcDbBinlogExpireLogsDays srcDbBinlogIsOff
        srcDbExistUnsupportEngineTable srcDbIndexKeyLength srcDbInstanceIsEmpty
        srcDbNameContainsUnsupportedSymbols srcDbServerIdCheck srcDstTableNameCaseSensitiveCheck
        srcHasNoPkTableWhenTgtHasInvisiblePk srcIdIndexCheck srcRoutinesWithoutPrivilegeCheck
        srcTableNameContainsNonAscii srcTriggerAndEventCheck srcViewNameContainsNonAscii
        srclogSlaveUpdatesCheck userRequirementIsEnoughForDefiner userSelectObjectsCheck""",
    "db_target_status": "dstStatusCheck",
    "db_user_privilege": """dstDbPrivilegesIsEnough srcDbPrivilegesIsEnough
        srcDbPrivilegesIsEnoughForIncre""",
    "db_version": "dbVersionMeetRequirement dstDbVersionSupport srcDbVersionSupport",
    "network": "dstDbConnection srcDbConnection",
    "src_info_check": "checkBalanceStatus srcMongoInstanceType srcShardKeyConfiguration",
}
SDK_ALONE = """
    MysqlForeignKeyReferentialActionCheck MysqlSourceMaxAllowedPacketActionChecker checkEmptyDstDb
    checkJobDbObjectInfo checkRecycleBinConsistent dbGroupConcatMaxLenConsistency
    dbTimeZoneConsistency gtidFormatCheck mappedNameCheck mysqlBlockEncryptionModeInconsistency
    rdsCreateDefaultPrimaryKeyConsistency sourceCheckDynamicMasking sourceEncryptTableActionChecker
    srcDbIsStandbyTaurus srcGtidStatusCheck srcHasLargeColumnTypeCheck srcIdentifierWithBreakCheck
    targetCheckDynamicMasking targetGtidStatusCheck tenantDbActionCheck
    userPrivilegeIsEnoughForDefiner
"""
IN_SDK_ONLY = SDK_ALONE.split()
GROUP_OF = {name: group for group, names in IN_EXAMPLES.items() for name in names.split()}
NAMES = sorted([*GROUP_OF, *IN_SDK_ONLY])


def document() -> dict[str, Any]:
    path = resources.files("precheck_gate.catalog").joinpath("items.json")
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result


def validator() -> Draft202012Validator:
    path = resources.files("precheck_gate.documents").joinpath("schemas", "catalog-1.json")
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def entry(item: str) -> Entry:
    found = load().entry(item)
    assert found is not None
    return found


def test_the_file_is_valid() -> None:
    errors = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in validator().iter_errors(document())
    ]
    assert errors == []


@pytest.mark.parametrize(
    "damage",
    [
        {"matters": ""},
        {"title": " "},
        {"sources": []},
        {"mapping": "guessed"},
        {"group_from": "console"},
        {"on_source": "a remedy without its full stop"},
        {"first": "source", "on_source": ""},
        {"first": "console"},
        {"engines": ["mysql", "mysql"]},
        {"comment": "no such key"},
        {"sources": [{"title": "a page", "kind": "user-guide", "url": "http://example.com/x"}]},
    ],
    ids="+".join,
)
def test_the_schema_refuses_a_damaged_item(damage: dict[str, Any]) -> None:
    broken = copy.deepcopy(document())
    item = next(record for record in broken["items"] if record["item"] == "srcDbBinlogIsOff")
    item.update(damage)
    assert not validator().is_valid(broken)


@pytest.mark.parametrize("key", ["item", "group", "on_destination", "first", "sources"])
def test_the_schema_misses_a_key(key: str) -> None:
    broken = copy.deepcopy(document())
    del broken["items"][0][key]
    assert not validator().is_valid(broken)


def test_every_known_name_is_covered_once() -> None:
    assert len(NAMES) == len(set(NAMES)) == 77
    assert sorted(load().items) == NAMES


def test_items_stand_sorted_by_name_and_reasons_by_code() -> None:
    data = document()
    assert [record["item"] for record in data["items"]] == NAMES
    codes = [record["code"] for record in data["reasons"]]
    assert codes == sorted(set(codes))


@pytest.mark.parametrize("item", NAMES)
def test_groups_are_those_of_the_examples_or_marked_as_inferred(item: str) -> None:
    found = entry(item)
    assert found.group_from_example is (item in GROUP_OF)
    assert found.group == GROUP_OF.get(item, found.group)


@pytest.mark.parametrize("item", NAMES)
def test_a_mapping_is_read_exactly_where_a_source_names_the_item(item: str) -> None:
    found = entry(item)
    kinds = {source.kind for source in found.sources}
    naming = {"sdk", "api-reference"}
    assert (found.mapping is Basis.READ) is bool(kinds & naming)
    assert ("example" in kinds) is (item in GROUP_OF)
    if found.mapping is Basis.INFERRED:
        assert "user-guide" in kinds


def test_what_is_only_in_the_sdk_was_read_there() -> None:
    assert {entry(item).mapping for item in IN_SDK_ONLY} == {Basis.READ}
    assert sum(found.mapping is Basis.READ for found in load().items.values()) == 52


def test_an_address_and_a_title_always_go_together() -> None:
    pairs: dict[str, set[str]] = {}
    known = load()
    sources = [source for found in known.items.values() for source in found.sources]
    sources += [source for reason in known.reasons.values() for source in reason.sources]
    sources += [source for failure in known.failures for source in failure.sources]
    for source in sources:
        if source.url:
            pairs.setdefault(source.url, set()).add(source.title)
    assert {url: titles for url, titles in pairs.items() if len(titles) > 1} == {}


def test_reasons_and_items_refer_to_each_other() -> None:
    known = load()
    from_items = {(code, e.item) for e in known.items.values() for code in e.reasons}
    assert from_items == {(reason.code, reason.item) for reason in known.reasons.values()}


def test_titles_of_failures_are_unique_and_tell_a_remedy() -> None:
    failures = load().failures
    assert len({failure.title for failure in failures}) == len(failures) > 20
    assert all(f.on_source or f.on_destination or f.in_task for f in failures)


@pytest.mark.parametrize("item", NAMES)
def test_the_next_step_is_one_short_sentence(item: str) -> None:
    step = entry(item).next_step
    assert 20 < len(step) <= NEXT_STEP_LIMIT
    assert step.endswith(".")
    assert step.isprintable()
    assert not re.search(r"\. +[A-Z]", step), "more than one sentence"
    assert ": Or " not in step, "an alternative cannot be the first step"


def test_the_next_step_begins_where_the_entry_says() -> None:
    both = replace(
        entry("srcDbBinlogIsOff"),
        on_source="Do a. Then b.",
        on_destination="Do c.",
        in_task="Do d.",
    )
    steps = {place: replace(both, first=place).next_step for place in FixLocation}
    assert steps[FixLocation.SOURCE] == "On the source: Do a."
    assert steps[FixLocation.DESTINATION] == "On the destination: Do c."
    assert steps[FixLocation.TASK] == "In the DRS task: Do d."
    assert "console" in steps[FixLocation.CONSOLE]


def test_a_parameter_file_does_not_end_the_sentence() -> None:
    dotted = replace(
        entry("srcDbBinlogIsOff"), on_source="Edit my.cnf for 8.0 as db.coll. Restart."
    )
    assert dotted.next_step == "On the source: Edit my.cnf for 8.0 as db.coll."


def test_a_remedy_too_long_is_cut_visibly() -> None:
    long = replace(entry("srcDbBinlogIsOff"), on_source="word " * 100)
    assert len(long.next_step) == NEXT_STEP_LIMIT
    assert long.next_step.endswith("…")


def test_an_unknown_item_gets_an_honest_step() -> None:
    step = unknown_next_step("brandNewCheck", "db_params")
    assert "brandNewCheck" in step
    assert "db_params" in step
    assert "does not know" in step
    assert "console" in step


@pytest.mark.parametrize("item", ["", "x" * 5000, "a\x1b[31mb\nc", "\u202eabc", "##vso[task]x"])
@pytest.mark.parametrize("group", ["", "g" * 5000, "g\r\n::error::"])
def test_an_unknown_item_cannot_break_the_line(item: str, group: str) -> None:
    step = unknown_next_step(item, group)
    assert len(step) <= NEXT_STEP_LIMIT
    assert step.isprintable()
    assert "::error" not in step
    assert "##vso[" not in step
    assert "  " not in step
