"""What a policy may extend: no circle, nothing outside of its repository, no URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from precheck_gate.errors import DocumentError, UsageError
from precheck_gate.policy.loading import PolicyOptions, load_policy
from tests.support.commands import gate, write
from tests.support.harness import TODAY, body, entry, item

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


def test_a_file_with_the_name_of_a_preset_is_checked_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, a_yaml=extending("./builtin:strict"))
    (tmp_path / "builtin:strict").write_text("version: 1\nrule: []\n")
    with pytest.raises(DocumentError, match="unknown key 'rule'"):
        load_policy(Path("a.yaml"))


def test_every_problem_of_every_file_is_listed_at_once(tmp_path: Path) -> None:
    waiver = "{id: W, match: {item: x}, reason: r, owner: o, expires: 2026-02-30}"
    write(
        tmp_path,
        a_yaml=f"version: 1\nrule: []\nextends: ./b.yaml\nwaivers:\n- {waiver}\n- {waiver}\n",
        b_yaml="version: 1\nstatus: {}\nextends: ./c.yaml\n",
    )
    with pytest.raises(DocumentError) as caught:
        load_policy(tmp_path / "a.yaml")
    found = [(one.file.rpartition("/")[2], one.line, one.message) for one in caught.value.problems]
    assert found[:-1] == [
        ("a.yaml", 2, "unknown key 'rule'"),
        ("a.yaml", 5, "2026-02-30 is not a date"),
        ("a.yaml", 6, 'duplicate waiver ID "W"'),
        ("a.yaml", 6, "2026-02-30 is not a date"),
        ("b.yaml", 2, "unknown key 'status'"),
    ]
    assert found[-1][2].endswith("c.yaml cannot be read: No such file or directory.")


def test_dates_in_other_digits_and_bounds_with_a_point_are_no_way_out(tmp_path: Path) -> None:
    waiver = "waivers: [{{id: W, match: {{item: x}}, reason: r, owner: o, expires: {}}}]\n"
    write(tmp_path, a_yaml=PLAIN + waiver.format("'٢٠٢٦-٠٧-٠١'"))
    with pytest.raises(DocumentError, match="is not a date"):
        load_policy(tmp_path / "a.yaml")
    write(tmp_path, a_yaml=PLAIN + waiver.format("2026-12-31") + "max_waiver_days: 5.0\n")
    with pytest.raises(DocumentError, match=r'waiver "W" runs \d+ days from today, over 5'):
        load_policy(tmp_path / "a.yaml", PolicyOptions(today=TODAY))
