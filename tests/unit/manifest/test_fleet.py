"""A manifest for many repos: defaults, entries for many, groups, and choosing some of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from openllm_repos.errors import ManifestError, UsageError
from openllm_repos.manifest import DriftPolicy, Manifest, Role
from openllm_repos.manifest.edit import add_repo, remove_repo, set_value
from openllm_repos.manifest.lines import line_of
from openllm_repos.manifest.model import At
from openllm_repos.manifest.parse import keys_of
from openllm_repos.manifest.selection import of_groups, select
from openllm_repos.names.overlap import Comparer
from openllm_repos.names.pattern import Pattern

HEAD = 'schema = 1\n[project]\nname = "p"\n[repos.main]\ngithub = "o/n"\nrole = "source"\n'
MAP = 'map = [{ from = "core/", to = "training/" }]\n'
FLEET = f"""{HEAD}
[defaults.space]
drift = "refuse"
{MAP}
[repos.eu]
groups = ["prod"]
spaces = [
  "acme/Berlin",
  "acme/paris",  # the second
  "other/rome.2",
]

[repos.boston]
space = "acme/boston"
groups = ["prod", "canary"]
drift = "merge"

[repos.weights]
model = "acme/weights"
groups = ["canary"]
"""


def test_the_example_has_three_hundred_spaces_in_twenty_lines() -> None:
    path = Path(__file__).parents[3] / "examples/fleet.toml"
    read = Manifest.load(path)
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 20
    assert len(read.targets) == 300
    assert {len(select(read, (), [group])) for group in ("eu", "us")} == {150}
    assert len({repo.maps for repo in read.targets}) == 1


def test_the_manifest_of_the_page_is_sound() -> None:
    page = (Path(__file__).parents[3] / "docs/fleets.md").read_text(encoding="utf-8")
    read = Manifest.parse(HEAD + page.partition("```toml\n")[2].partition("```")[0])
    assert {str(repo.name): repo.groups for repo in read.targets} == {
        **dict.fromkeys(("oslo", "riga", "rome"), ("eu", "prod")),
        "lab": ("canary",),
    }


def test_each_id_is_a_repo_named_by_its_last_part_that_knows_its_place() -> None:
    repos = {str(repo.name): repo for repo in Manifest.parse(FLEET).repos}
    assert list(repos) == ["main", "berlin", "paris", "rome.2", "boston", "weights"]
    assert repos["berlin"].url == "https://huggingface.co/spaces/acme/Berlin"
    assert (repos["paris"].place, repos["paris"].entry) == (("repos", "eu", "spaces", 1), "eu")
    assert (repos["boston"].place, repos["boston"].entry) == (("repos", "boston"), "boston")
    assert line_of(FLEET, repos["paris"].place) == 14
    assert repos["paris"].at_key("map", 0, "from") == "defaults.space.map[0].from"
    assert repos["paris"].at_key("branch") == "repos.eu.branch"
    assert repos["boston"].at_key("drift") == "repos.boston.drift"


def test_advice_for_one_of_many_changes_no_other() -> None:
    read = Manifest.parse(FLEET)
    set_it = read.repo("boston").how_to_set("branch", "next")
    assert set_it == "openllm-repos manifest set repos.boston.branch next"
    assert read.repo("paris").how_to_set("branch", "next") == (
        'Take paris out of repos.eu, and give it an entry of its own with branch = "next".'
    )


def test_the_name_of_an_entry_for_many_is_a_group_of_theirs() -> None:
    read = Manifest.parse(FLEET)
    assert [repo.groups for repo in read.repos] == [
        (),
        *[("eu", "prod")] * 3,
        ("prod", "canary"),
        ("canary",),
    ]


def test_defaults_hold_where_an_entry_says_nothing_and_make_sense() -> None:
    defaults = f'[defaults.space]\nat = "synced"\n{MAP}[defaults.github]\nbranch = "trunk"\nrelease = false\n'
    more = '[repos.a]\nspace = "o/a"\n[repos.b]\nspace = "o/b"\nrole = "member"\n[repos.c]\ngithub = "o/c"\n'
    main, a, b, c = Manifest.parse(HEAD + defaults + more).repos
    assert (main.branch, main.release, c.branch, c.release) == ("main", True, "trunk", False)
    assert (a.role, a.at, len(a.maps)) == (Role.TARGET, At.SYNCED, 1)
    assert (b.role, b.at, b.maps) == (Role.MEMBER, At.TIP, ())


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(ManifestError) as refused:
        Manifest.parse(text)
    return refused.value.faults


def test_a_fault_that_many_share_is_told_once_at_its_place() -> None:
    text = FLEET.replace("training/", "/training") + "\n[defaults.model]\nrelease = 1\n"
    assert [fault.partition(": ")[0] for fault in faults(text)] == [
        "defaults.space.map[0].to",
        "defaults.model.release",
    ]


def test_what_defaults_cannot_say_is_a_fault_there_alone() -> None:
    text = HEAD + '[defaults.space]\nrole = "source"\nmodel = "o/m"\n[repos.a]\nspace = "o/a"\n'
    assert [fault.partition(": ")[0] for fault in faults(text)] == ["defaults.space.role", "defaults.space.model"]


def test_many_ids_count_as_many_repos() -> None:
    ids = ", ".join(f'"o/s{number}"' for number in range(600))
    text = f"{HEAD}[repos.a]\nspaces = [{ids}]\n[repos.b]\nmodels = [{ids}]\n"
    assert "repos: has 1,201 repos; 1,000 are the most" in faults(text)


def test_patterns_are_compared_once_for_all_repos_of_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[object] = []

    def counted(comparer: Comparer, *given: Sequence[Pattern]) -> Iterator[tuple[int, int, str]]:
        compared.append(given)
        return meeting(comparer, *given)

    meeting = Comparer.meeting
    monkeypatch.setattr(Comparer, "meeting", counted)
    ids = [", ".join(f'"o/s{number}"' for number in range(count)) for count in (1, 900)]
    counts = []
    for one in ids:
        compared.clear()
        Manifest.parse(f'{HEAD}[repos.a]\nspaces = [{one}]\n{MAP}owned = ["app.py"]\n')
        counts.append(len(compared))
    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize(
    ("words", "groups", "names"),
    [
        ((), (), ()),
        (("paris", "nowhere", "paris"), (), ("paris", "nowhere")),
        (("*r*",), (), ("berlin", "paris", "rome.2")),
        (("b*n", "berlin"), (), ("berlin", "boston")),
        ((), ("canary",), ("boston",)),
        (("paris",), ("eu", "canary"), ("paris", "berlin", "rome.2", "boston")),
    ],
)
def test_repos_are_chosen_by_name_glob_and_group(
    words: tuple[str, ...], groups: tuple[str, ...], names: tuple[str, ...]
) -> None:
    read = Manifest.parse(FLEET)
    assert select(read, words, groups, read.targets, "target") == names


@pytest.mark.parametrize(
    ("words", "groups", "said", "hint"),
    [
        (
            ["pariss*"],
            [],
            "No target of repos.toml is called like 'pariss*'; did you mean 'paris'?",
            "There are: berlin",
        ),
        ([], ["prd"], "repos.toml has no group 'prd'; did you mean 'prod'?", "The groups are: eu, prod, canary."),
    ],
)
def test_a_choice_of_nothing_is_refused_with_what_there_is(
    words: list[str], groups: list[str], said: str, hint: str
) -> None:
    read = Manifest.parse(FLEET)
    with pytest.raises(UsageError) as refused:
        select(read, words, groups, read.targets, "target")
    assert refused.value.message == said
    assert refused.value.hint is not None
    assert refused.value.hint.startswith(hint)


def test_a_group_without_a_repo_of_the_kind_that_is_meant_is_refused() -> None:
    read = Manifest.parse(FLEET.replace('"canary"]\ndrift', '"lab"]\ndrift'))
    with pytest.raises(UsageError, match=r"^No target of repos.toml is in the group 'canary'\.$"):
        select(read, (), ["canary"], read.targets, "target")
    with pytest.raises(UsageError) as refused:
        select(Manifest.parse(HEAD), (), ["eu"])
    assert refused.value.hint == 'Give entries one: groups = ["eu"]'


def test_a_release_of_a_group_is_one_of_the_source_and_its_repos() -> None:
    read = Manifest.parse(FLEET)
    assert [repo.name for repo in of_groups(read, ["canary"]).repos] == ["main", "boston", "weights"]
    assert of_groups(read, []) is read


def test_what_is_said_of_one_entry_is_edited_there() -> None:
    assert {repo.drift for repo in Manifest.parse(set_value(FLEET, "repos.eu.drift", "merge")).repos} == {
        DriftPolicy.MERGE
    }
    after = Manifest.parse(set_value(FLEET, "repos.eu.groups", "prod,west"))
    assert after.repo("rome.2").groups == ("eu", "prod", "west")
    after = Manifest.parse(set_value(FLEET, "repos.eu.spaces", "acme/oslo,acme/riga"))
    assert [repo.name for repo in after.targets] == ["oslo", "riga", "boston"]


def test_defaults_are_set_also_where_there_are_none_yet() -> None:
    after = set_value(FLEET, "defaults.model.branch", "next")
    assert after == f'{FLEET}\n[defaults.model]\nbranch = "next"\n'
    assert Manifest.parse(set_value(after, "defaults.space.branch", "dev")).repo("paris").branch == "dev"


@pytest.mark.parametrize(
    ("place", "said", "hint"),
    [
        (
            "repos.paris.branch",
            "paris has no entry of its own: it is repos.eu.spaces[1] in repos.toml; nothing was changed.",
            "Set repos.eu.branch for all of them, or take it out there and give it an entry of its own.",
        ),
        (
            "repos.boston.map[0].to",
            "repos.boston.map[0].to is defaults.space.map[0].to in repos.toml; nothing was changed.",
            "Set defaults.space.map[0].to for all of them, or write repos.boston.map for this one.",
        ),
    ],
)
def test_what_others_have_too_is_not_set_for_one(place: str, said: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        set_value(FLEET, place, "x/")
    assert (refused.value.message, refused.value.hint) == (said, hint)


def test_one_of_many_is_taken_out_by_hand_and_an_entry_as_a_whole() -> None:
    with pytest.raises(UsageError, match="berlin has no entry of its own"):
        remove_repo(FLEET, "berlin")
    assert [repo.name for repo in Manifest.parse(remove_repo(FLEET, "eu")).repos] == ["main", "boston", "weights"]


def test_more_are_added_to_an_entry_for_many_at_its_end() -> None:
    after = add_repo(FLEET, "eu", {"spaces": ["acme/oslo", "acme/riga"]})
    assert after == FLEET.replace('rome.2",\n', 'rome.2",\n  "acme/oslo",\n  "acme/riga",\n')
    assert '"acme/oslo",\n]' in add_repo(FLEET, "eu", {"space": "acme/oslo"})
    for fields in ({"space": "acme/oslo", "branch": "dev"}, {"model": "acme/oslo"}):
        with pytest.raises(UsageError, match="has a repo 'eu' already"):
            add_repo(FLEET, "eu", fields)
    with pytest.raises(ManifestError):
        add_repo(FLEET, "eu", {"space": "acme/paris"})


def test_places_that_can_be_set_are_those_of_entries() -> None:
    places = set(keys_of(Manifest.parse(FLEET)))
    assert {"repos.eu.branch", "repos.eu.spaces", "repos.boston.drift", "defaults.space.map[0].to"} <= places
    assert "defaults.github.branch" in places
    assert not any(place.startswith("repos.paris") for place in places)
