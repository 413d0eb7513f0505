"""What a policy may extend: no circle, nothing outside of its repository, no URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from precheck_gate.errors import DocumentError, UsageError
from precheck_gate.policy.loading import PolicyOptions, load_policy
from tests.support.commands import gate, write
from tests.support.harness import body, entry, item

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = "version: 1\n"


def extending(path: str) -> str:
    return f"version: 1\nextends: {path}\n"


@pytest.mark.parametrize(
    "files",
    [
        {"a_yaml": extending("a.yaml")},
        {"a_yaml": extending("./b.yaml"), "b_yaml": extending("a.yaml")},
        {
            "a_yaml": extending("sub/b.yaml"),
            "sub__b_yaml": extending("../c.yaml"),
            "c_yaml": extending("./sub/../a.yaml"),
        },
    ],
)
def test_a_circle_is_refused_where_it_closes(files: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="extend each other in a circle") as caught:
        load_policy(write(tmp_path, **files) / "a.yaml")
    [problem] = caught.value.problems
    assert (problem.path, problem.line) == ("extends", 2)
    assert "a.yaml →" in problem.hint


def test_a_circle_through_a_link_is_refused(tmp_path: Path) -> None:
    write(tmp_path, a_yaml=extending("link.yaml"))
    (tmp_path / "link.yaml").symlink_to("a.yaml")
    with pytest.raises(DocumentError, match="in a circle"):
        load_policy(tmp_path / "a.yaml")


def test_a_long_chain_ends_at_its_bound(tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"p{number}.yaml").write_text(extending(f"p{number + 1}.yaml"))
    (tmp_path / "p12.yaml").write_text(PLAIN)
    with pytest.raises(DocumentError, match="more than 10 policies extend each other"):
        load_policy(tmp_path / "p0.yaml")
    assert load_policy(tmp_path / "p4.yaml").sources[-1] == "builtin:default"


def outside(tmp_path: Path, *, git: bool) -> Path:
    """Return a repository whose policy extends one beside the repository."""
    write(tmp_path, org_yaml=PLAIN, repo__gate__team_yaml=extending("../../org.yaml"))
    if git:
        (tmp_path / "repo" / ".git").mkdir()
    return tmp_path / "repo" / "gate" / "team.yaml"


@pytest.mark.parametrize("git", [True, False])
def test_a_file_outside_is_refused_unless_allowed(git: bool, tmp_path: Path) -> None:
    team = outside(tmp_path, git=git)
    with pytest.raises(DocumentError, match="is outside of the repository") as caught:
        load_policy(team)
    assert "--allow-outside" in caught.value.problems[0].hint
    allowed = load_policy(team, PolicyOptions(outside=True))
    assert len(allowed.sources) == 3


def test_an_absolute_path_outside_is_refused(tmp_path: Path) -> None:
    write(tmp_path, org_yaml=PLAIN, repo__team_yaml=extending(str(tmp_path / "org.yaml")))
    with pytest.raises(DocumentError, match="is outside"):
        load_policy(tmp_path / "repo" / "team.yaml")


def test_in_a_repository_another_folder_of_it_is_inside(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path, org__base_yaml=PLAIN, team__policy_yaml=extending("../org/base.yaml"))
    assert load_policy(tmp_path / "team" / "policy.yaml").sources[1].endswith("base.yaml")


def test_without_a_repository_only_the_folder_itself_is_inside(tmp_path: Path) -> None:
    write(tmp_path, org__base_yaml=PLAIN, team__policy_yaml=extending("../org/base.yaml"))
    with pytest.raises(DocumentError, match="is outside"):
        load_policy(tmp_path / "team" / "policy.yaml")


def test_a_link_that_leads_outside_is_refused(tmp_path: Path) -> None:
    write(tmp_path, org_yaml=PLAIN, repo__team_yaml=extending("base.yaml"))
    (tmp_path / "repo" / "base.yaml").symlink_to("../org.yaml")
    with pytest.raises(DocumentError, match="is outside"):
        load_policy(tmp_path / "repo" / "team.yaml")


def test_a_linked_folder_that_leads_outside_is_refused(tmp_path: Path) -> None:
    write(tmp_path, org__base_yaml=PLAIN, repo__team_yaml=extending("org/base.yaml"))
    (tmp_path / "repo" / "org").symlink_to("../org")
    with pytest.raises(DocumentError, match="is outside"):
        load_policy(tmp_path / "repo" / "team.yaml")


def test_what_is_extended_may_not_escape_either(tmp_path: Path) -> None:
    write(
        tmp_path,
        org_yaml=PLAIN,
        repo__team_yaml=extending("base.yaml"),
        repo__base_yaml=extending("../org.yaml"),
    )
    with pytest.raises(DocumentError, match=r"base\.yaml:2.*is outside"):
        load_policy(tmp_path / "repo" / "team.yaml")


@pytest.mark.parametrize("url", ["https://x/y.yaml", "file:///etc/p.yaml", "git+ssh://x/y"])
def test_a_url_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"\(no URL\)"):
        load_policy(write(tmp_path, a_yaml=extending(url)) / "a.yaml")


def test_a_preset_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="builtin:strict, builtin:default, builtin:permissive"):
        load_policy(write(tmp_path, a_yaml=extending("builtin:lax")) / "a.yaml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.yaml cannot be read"):
        load_policy(write(tmp_path, a_yaml=extending("nowhere.yaml")) / "a.yaml")


def test_the_program_refuses_with_2_and_allows_with_the_option(tmp_path: Path) -> None:
    team = outside(tmp_path, git=True)
    answer = tmp_path / "answer.json"
    answer.write_bytes(body(entry(items=[item()])))
    refused = gate("evaluate", answer, "--policy", team)
    assert (refused.code, "is outside" in refused.err) == (2, True)
    assert gate("evaluate", answer, "--policy", team, "--allow-outside").code == 0
