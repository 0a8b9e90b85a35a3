"""A group is one box of the picture, with how many repos it stands for and how they stand, summed up."""

from __future__ import annotations

from openllm_repos.manifest import Manifest
from openllm_repos.picture.mermaid import mermaid
from openllm_repos.picture.model import Picture, State, Tone, family_picture
from openllm_repos.picture.svg import svg
from openllm_repos.status.family import FamilyStatus, RepoStatus, Standing

FLEET = """\
schema = 1
[project]
name = "fleet"
[defaults.space]
map = [{ from = "core/", to = "training/" }]
[repos.main]
github = "o/main"
role = "source"
[repos.eu]
spaces = ["o/oslo", "o/riga", "o/rome", "o/bern", "o/bonn"]
[repos.us]
spaces = ["o/reno"]
[repos.lab]
space = "o/lab"
groups = ["eu"]
map = [{ from = "lab/", to = "lab/" }]
[repos.weights]
models = ["o/small", "o/large"]
[repos.mirrors]
urls = ["https://git.example/a", "https://git.example/b"]
"""


def stated(*standings: Standing) -> Picture:
    """Return the picture where the Spaces of eu stand like that."""
    read = Manifest.parse(FLEET)
    repos = [RepoStatus(repo, Standing.OK) for repo in read.repos]
    repos[1 : 1 + len(standings)] = [
        RepoStatus(repo, one) for repo, one in zip(read.repos[1:], standings, strict=False)
    ]
    return family_picture(read, FamilyStatus("fleet", read.source.name, None, False, tuple(repos), (), True, {}))


def test_repos_of_one_group_kind_and_folders_are_one_box() -> None:
    picture = family_picture(Manifest.parse(FLEET))
    assert [(node.name, node.place, node.count) for node in picture.targets] == [
        ("eu: 5 Spaces", "o/oslo … o/bonn", 5),
        ("reno", "o/reno", 1),
        ("lab", "o/lab", 1),
    ]
    assert [node.name for node in picture.members] == ["weights: 2 models", "mirrors: 2 git repos"]
    assert picture.summary == "1 source, 7 targets, 4 members"
    assert "4 members: no folders" in picture.caption
    assert "eu: 5 Spaces (o/oslo … o/bonn) get core/ as training/." in picture.told
    assert "weights: 2 models (o/small … o/large) are members." in picture.told


def test_their_states_are_summed_up_and_the_worst_says_how_urgent_it_is() -> None:
    sync, behind, unknown = Standing.IN_SYNC, Standing.BEHIND, Standing.UNKNOWN
    assert stated(*[sync] * 5).targets[0].state == State("5 in sync", Tone.GOOD)
    assert stated(sync, behind, sync, sync, sync).targets[0].state == State("1 behind, 4 in sync", Tone.TODO)
    found = stated(behind, behind, unknown, Standing.DRIFT, sync).targets[0].state
    assert found == State("1 unknown, 2 behind, 1 drift, 1 other", Tone.BAD)


def test_every_way_of_drawing_shows_the_box_and_counts_the_repos() -> None:
    picture = stated(*[Standing.IN_SYNC] * 5)
    lines = mermaid(picture).splitlines()
    assert (
        '    target1["eu#58; 5 Spaces<br/>o/oslo … o/bonn<br/>5 in sync"] ~~~ target2["reno (Space)<br/>o/reno<br/>ok"]'
        in lines
    )
    assert '  subgraph targets1 ["6 targets"]' in lines
    drawn = svg(picture)
    many = svg(stated(Standing.UNREACHABLE, Standing.NOT_ADOPTED, Standing.DIVERGED))
    assert ">1 unreachable, 1 not adopted,…<" in many  # all of it would stand outside of its box
    assert "1 unreachable, 1 not adopted, 1 diverged, 2 others" in many
    for said in ("eu: 5 Spaces", "5 in sync", "6 targets", "mirrors: 2 git repos"):
        assert said in drawn
