"""The first sync of a target, and the second that has nothing to do."""

from __future__ import annotations

import pytest

from tests.support.family import START, Family
from tests.support.inprocess import RunCli
from tests.support.repositories import ADA


def test_an_empty_space_gets_the_mapped_files_and_their_history(family: Family) -> None:
    family.clone.commit("Better training", {"core/src/train.py": "better\n"}, author=ADA, date="@1600000000 +0200")
    family.commit("Only docs", {"docs/guide.md": "more\n"})
    done = family.synced()
    assert family.space.files() == {
        "training/model.py": START["core/src/model.py"].encode(),
        "training/train.py": b"better\n",
        "configs/small.json": b"{}\n",
    }
    tip = family.clone.tip()
    assert done.out.splitlines()[:2] == [
        f"main at {tip[:10]}",
        f"space: first sync into an empty repository, 3 commits and 3 changed files to main of {family.space.url}",
    ]
    assert f"space: synced, now at {family.space.tip('main')[:10]}: {family.space.url}\n" in done.out
    assert family.space.log(form="%s|%an") == [
        f"Sync from main at {tip[:10]}|Test User",
        "Better training|Ada Lovelace",
        "Start|Test User",
    ]
    assert family.space.log("main^", "-1", form="%ad|%ae") == ["Sun Sep 13 14:26:40 2020 +0200|ada@example.org"]


def test_the_sync_commit_says_where_it_comes_from(family: Family) -> None:
    family.synced()
    trailers = family.space.trailers("main")
    assert trailers["Source-Repo"] == family.origin.url
    assert trailers["Source-Commit"] == family.clone.tip()
    assert trailers["Projected-Commit"] == family.space.parents("main")[-1]
    assert len(trailers["Maps"]) == 64
    body = family.space.log("main", "-1", form="%b")
    assert "    core/src/*.py -> training/" in body


def test_a_space_with_its_own_files_keeps_them(family: Family) -> None:
    card = b"---\ntitle: x\n---\n"
    own = {"app.py": b"app\n", "README.md": card, ".gitattributes": b"*.bin filter=lfs\n", "icon.png": b"\0\1"}
    first = family.edit("My Space", own)
    done = family.synced()
    assert f"space: merge, 2 commits and 3 changed files to main of {family.space.url}" in done.out
    files = family.space.files()
    assert {path: files[path] for path in own} == own
    assert set(files) - set(own) == {"training/model.py", "training/train.py", "configs/small.json"}
    assert family.space.parents("main")[0] == first


def test_a_space_filled_by_copying_stops_the_sync(family: Family) -> None:
    family.edit("Copied by hand", {"training/model.py": START["core/src/model.py"], "app.py": "app\n"})
    before = family.persons_own()
    done = family.sync()
    assert done.code == 3
    assert "space already has 1 file at mapped paths, but no sync put them there." in done.out
    assert "next: openllm-repos adopt space" in done.out
    assert family.persons_own() == before


@pytest.mark.slow
@pytest.mark.parametrize("settings", ["", 'history = "squash"'])
def test_a_second_sync_has_nothing_to_do_and_writes_nothing(family: Family, settings: str) -> None:
    family.manifest(settings=settings)
    family.commit("Settings")
    family.edit("My Space", {"app.py": "app\n"})
    family.synced()
    before = family.everything()
    done = family.synced()
    assert done.out == f"main at {family.clone.tip()[:10]}\nspace: up to date\n"
    assert done.err == ""
    assert family.everything() == before


def test_a_commit_that_changes_nothing_mapped_needs_no_sync(family: Family) -> None:
    family.synced()
    tip = family.space.tip("main")
    family.commit("Docs", {"docs/guide.md": "new\n", "data/more.txt": "more\n"})
    assert "space: up to date" in family.synced().out
    assert family.space.tip("main") == tip


def test_a_branch_that_the_space_does_not_have_is_not_made_by_a_sync(family: Family) -> None:
    main = family.edit("On main", {"app.py": "app\n"})
    family.manifest(settings='branch = "live"')
    family.commit("Sync to live")
    done = family.sync()
    assert done.code == 2
    assert "space has no branch live, but it has main." in done.out
    family.space.git("branch", "live", "main")
    family.synced()
    assert family.space.tip("main") == main
    assert "training/model.py" in family.space.paths("live")


def test_only_the_targets_that_are_named_are_synced(family: Family) -> None:
    other = family.folder / "other.git"
    family.space.git("clone", "-q", "--bare", family.space.url, other)
    family.manifest(
        more=f'[repos.other]\nurl = "{other.as_uri()}"\n[[repos.other.map]]\nfrom = "configs/*.json"\nto = "."\n'
    )
    family.commit("Two targets")
    done = family.synced("other")
    assert "space" not in done.out
    assert family.space.tips() == {}
    done = family.sync("sapce")
    assert (done.code, done.out) == (2, "")
    assert "did you mean" in done.err.lower()


def test_a_target_that_is_named_twice_is_synced_once(family: Family) -> None:
    done = family.synced("space", "space")
    assert done.out.count("space: synced") == 1
    assert done.err.count("space: pushing") == 1


def test_a_member_without_maps_cannot_be_synced(family: Family) -> None:
    family.manifest(more='[repos.small]\nmodel = "lemms/small"\n')
    done = family.sync("small")
    assert done.code == 2
    assert "small has no maps, so nothing is synced to it." in done.err
    assert "The targets are: space." in done.err


def test_a_manifest_without_targets_says_how_to_add_one(family: Family) -> None:
    family.manifest(maps=())
    text = (family.clone.path / "repos.toml").read_text()
    family.clone.write({"repos.toml": text[: text.index("[repos.space]")]})
    done = family.sync()
    assert done.code == 2
    assert "repos.toml has no target" in done.err
    assert "manifest add" in done.err


def test_options_that_exclude_each_other_are_refused(family: Family) -> None:
    done = family.sync("--dry-run", "--continue")
    assert done.code == 2
    assert "exclude each other" in done.err


def test_json_says_what_was_planned_and_what_came_of_it(family: Family) -> None:
    family.edit("My Space", {"app.py": "app\n"})
    old = family.space.tip("main")
    answer = family.synced("--json").json()
    (space,) = answer["targets"]
    tip = family.space.tip("main")
    assert answer["source"] == {"name": "main", "commit": family.clone.tip()}
    assert (space["name"], space["action"], space["url"]) == ("space", "merge", family.space.url)
    assert space["update"] == {"ref": "refs/heads/main", "old": old, "new": tip}
    assert space["outcome"] == {"pushed": True, "tip": tip, "attempts": 1, "exit_code": 0}
    assert {"path": "training/model.py", "change": "added"} in space["changes"]
    again = family.synced("--json").json()["targets"][0]
    assert (again["action"], again["update"], again["outcome"]["pushed"]) == ("up to date", None, False)


def test_long_lists_of_files_are_cut_unless_asked_for(family: Family, run_cli: RunCli) -> None:
    family.commit("Many", {f"configs/c{number:02}.json": f"{number}\n" for number in range(20)})
    short = family.sync("--dry-run")
    assert "  … and 13 more (-v shows all)" in short.out
    long = run_cli("-v", "sync", "--dry-run", cwd=family.clone.path)
    assert len([line for line in long.out.splitlines() if line.startswith("  A ")]) == 23


@pytest.mark.slow
def test_a_space_that_got_what_split_prints_by_hand_needs_no_first_sync(family: Family, run_cli: RunCli) -> None:
    projected = run_cli("split", "space", cwd=family.clone.path).out.strip()
    family.clone.git("push", "-q", family.space.url, f"{projected}:refs/heads/main")
    assert family.synced().out.endswith("space: up to date\n")
    family.edit("Mine", {"training/train.py": "mine\n"})
    assert "space: up to date; 1 drifted file there" in family.synced().out
    family.commit("On", {"core/src/model.py": "on\n"})
    family.synced()
    assert (family.space.read("training/train.py"), family.space.read("training/model.py")) == (b"mine\n", b"on\n")
