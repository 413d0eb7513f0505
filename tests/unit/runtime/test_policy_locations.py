"""The line of the policy that decided, as a path that a merge request knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from precheck_gate.policy.model import Origin
from precheck_gate.runtime.policy_locations import NO_POLICY, Location, Locator, file_and_line

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("decided_by", "place"),
    [
        ("policy.yaml:7 rules[0]", ("policy.yaml", 7)),
        ("builtin:default:6 statuses.FAILED", ("builtin:default", 6)),
        ("my policy: v2.yaml:12 waivers[1], --strict-waivers", ("my policy: v2.yaml", 12)),
        ("C:\\policies\\p.yaml:9 rules[1]", ("C:\\policies\\p.yaml", 9)),
        ("p.yaml:1 ", ("p.yaml", 1)),
        ("p.yaml:1", ("p.yaml", 1)),
        ("a:b:3 x", ("a:b", 3)),
        ("gate:3 rules[0]", ("gate", 3)),
        ("gate: result must be true", None),
        ("gate: allow_empty:3 is not set", None),
        ("", None),
        (":3 x", None),
        ("p.yaml:0 x", None),
        ("p.yaml:٣ x", None),
        ("p.yaml:99999999999 x", None),
        ("p.yaml rules[0]", None),
    ],
)
def test_file_and_line_are_read_out_of_what_decided(
    decided_by: str, place: tuple[str, int] | None
) -> None:
    assert file_and_line(decided_by) == place


def test_an_origin_of_the_policy_is_read_back() -> None:
    assert file_and_line(str(Origin("a/b c.yaml", 12, "rules[0].effect"))) == ("a/b c.yaml", 12)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a folder in it."""
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / "ci" / "deep").mkdir(parents=True)
    return tmp_path / "repo"


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("policy.yaml", "ci/policy.yaml"),
        ("./policy.yaml", "ci/policy.yaml"),
        ("../policy.yaml", "policy.yaml"),
        ("deep/../../ci/./p.yaml", "ci/p.yaml"),
        ("{root}/ci/p q.yaml", "ci/p q.yaml"),
    ],
)
def test_paths_are_relative_to_the_repository(root: Path, file: str, path: str) -> None:
    locator = Locator("builtin:default", root / "ci")
    assert locator.locate(f"{file.format(root=root)}:7 rules[0]") == Location(path, 7)


@pytest.mark.parametrize(
    "file", ["../../other.yaml", "/etc/policy.yaml", "builtin:strict", "..", ""]
)
def test_what_lies_outside_points_at_the_first_line_of_the_policy(root: Path, file: str) -> None:
    locator = Locator("policy.yaml", root / "ci")
    assert locator.locate(f"{file}:7 rules[0]") == Location("ci/policy.yaml", 1)


@pytest.mark.parametrize(
    ("policy", "path"),
    [
        ("policy.yaml", "ci/policy.yaml"),
        ("policy.yaml (profile prod)", "ci/policy.yaml"),
        ("builtin:default", NO_POLICY),
        ("/somewhere/else.yaml", NO_POLICY),
        ("", NO_POLICY),
    ],
)
def test_the_gates_own_rules_point_at_the_policy(root: Path, policy: str, path: str) -> None:
    assert Locator(policy, root / "ci").locate("gate: result must be true") == Location(path, 1)


def test_without_a_repository_paths_start_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Locator("p.yaml").locate("sub/p.yaml:3 x") == Location("sub/p.yaml", 3)


def test_a_link_to_the_repository_is_seen_through(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    assert Locator("", root).locate(f"{link}/ci/p.yaml:3 x") == Location("ci/p.yaml", 3)


def test_a_link_that_leads_to_itself_is_no_crash(root: Path) -> None:
    (root / "loop.yaml").symlink_to(root / "loop.yaml")
    assert Locator("", root).locate("loop.yaml:3 x") == Location("loop.yaml", 3)
