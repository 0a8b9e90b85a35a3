"""A Space that was filled by copying: adopted without changing a file, and synced from there on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.adopting import APP, adopt, adopted, copied, state
from tests.support.family import START, Family, text
from tests.support.inprocess import RunCli
from tests.support.process import run_tool
from tests.support.repositories import Clone
from tests.support.sealed import SealedHome
from tests.support.server import GitServer
from tests.support.terminal import run_on_terminal

SPACE = "spaces/lemms/openllm"
GROWN = {"core/src/data.py": "data\n", "core/src/loss.py": "loss\n", "configs/big.json": "[]\n"}


@pytest.fixture
def grown(family: Family) -> dict[str, str]:
    """Give the source a history in which one commit was copied to the Space, which then edited two files."""
    made = {"first": family.clone.tip()}
    made["copied"] = family.commit("Grow", GROWN)
    family.edit("Upload by hand", {**APP, **copied(family)})
    family.edit("Tune", {"training/model.py": text(l20="from the Space"), "configs/small.json": '{"a": 1}\n'})
    made["before"] = family.space.tip("main")
    family.commit("Notes", {"docs/guide.md": "more\n"})
    made["later"] = family.commit("Go on", {"core/src/model.py": text(l1="from the source"), "core/src/new.py": "n\n"})
    return made


def test_the_commit_that_was_copied_is_found_and_edits_survive_from_then_on(
    family: Family, grown: dict[str, str]
) -> None:
    assert state(family) == "not adopted"
    assert "next: openllm-repos adopt space" in family.run("status", cwd=family.clone.path).out
    done = adopted(family)
    lines = done.out.splitlines()
    assert lines[0] == f"main at {grown['later'][:10]}"
    assert lines[1] == f"space: 4 of 6 files as of {grown['copied'][:10]}, 2023-11-14; 2 differ"
    assert lines[2:5] == ["  (Grow)", "  M configs/small.json", "  M training/model.py"]
    assert lines[5].startswith("to do: one commit on main of ")
    assert lines[5].endswith(" that changes no file and brings 2 commits of history along")
    assert lines[6].startswith(f"space: adopted, now at {family.space.tip('main')[:10]}: ")
    assert state(family) == "diverged"
    out = family.synced().out
    assert "kept: 2 files that space changed itself" in out
    assert family.space.read("training/model.py") == text(l1="from the source", l20="from the Space").encode()
    assert family.space.read("configs/small.json") == b'{"a": 1}\n'
    assert family.space.read("training/new.py") == b"n\n"
    assert {path: family.space.read(path).decode() for path in APP} == APP
    assert state(family) == "drift"
    assert "changed 2 mapped files by itself (1 commit)." in family.run("status", cwd=family.clone.path).out
    assert family.run("import", "space", cwd=family.clone.path).out.startswith("space: 1 commit for import/space")


@pytest.mark.slow
def test_the_record_is_a_merge_that_says_where_from(family: Family, grown: dict[str, str]) -> None:
    adopted(family)
    trailers = family.space.trailers("main")
    assert trailers["Source-Commit"] == grown["copied"]
    assert family.space.parents("main") == [grown["before"], trailers["Projected-Commit"]]
    assert set(trailers) == {"Source-Repo", "Source-Commit", "Projected-Commit", "Maps", "Open", "Adopted-Commit"}
    assert family.space.log(form="%s", rev="main")[0] == f"Adopt what was copied from main at {grown['copied'][:10]}"
    reachable = set(family.space.git("rev-list", "main").split())
    assert not reachable & set(family.clone.git("rev-list", "--branches").split()), "a commit of the source came"


@pytest.mark.slow
def test_a_squashed_target_gets_one_commit(family: Family, grown: dict[str, str]) -> None:
    family.manifest(settings='history = "squash"')
    family.commit("Settings")
    done = adopted(family)
    assert "that changes no file\n" in done.out
    assert family.space.parents("main") == [grown["before"]]
    assert family.space.trailers("main")["Source-Commit"] == grown["copied"]
    assert state(family) == "diverged"
    family.synced()
    assert family.space.read("training/model.py") == text(l1="from the source", l20="from the Space").encode()
    assert state(family) == "drift"


@pytest.mark.slow
@pytest.mark.parametrize("settings", ["", 'history = "squash"'], ids=["full", "squash"])
def test_a_dry_run_finds_the_same_and_leaves_every_byte(family: Family, grown: dict[str, str], settings: str) -> None:
    family.manifest(settings=settings)
    family.commit("Settings")
    before = family.everything()
    dry, facts = adopt(family, "--dry-run"), adopt(family, "--dry-run", "--json").json()
    assert family.everything() == before
    assert dry.code == 0
    assert (facts["match"]["source_commit"], facts["outcome"]) == (grown["copied"], None)
    assert adopted(family).out.startswith(dry.out)


@pytest.mark.slow
def test_no_content_of_any_file_is_read(family: Family, grown: dict[str, str]) -> None:
    """A clone without blobs whose remote cannot send them any more is enough to find the commit."""
    partial = Clone.of(family.origin.url, family.folder / "partial", "--filter=blob:none", "--no-checkout")
    partial.git("config", "remote.origin.url", (family.folder / "gone.git").as_uri())
    assert partial.run("cat-file", "blob", "HEAD:core/src/model.py", ok=(0, 128)).code == 128
    manifest = family.clone.path / "repos.toml"
    done = family.run("--manifest", manifest, "adopt", "space", "--dry-run", cwd=partial.path)
    assert done.code == 0, (done.out, done.err)
    assert f"space: 4 of 6 files as of {grown['copied'][:10]}" in done.out


@pytest.mark.slow
def test_without_a_terminal_and_without_yes_it_only_tells(family: Family, grown: dict[str, str]) -> None:
    before = family.everything()
    done, told = adopt(family), adopt(family, "--json")
    assert family.everything() == before
    assert (done.code, told.code) == (2, 2)
    assert done.err.endswith("so it takes --yes.\nnext: openllm-repos adopt space --yes\n")
    assert told.json()["match"]["source_commit"] == grown["copied"]


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 1), (b"\n", 1), (b"y\n", 0)])
def test_on_a_terminal_the_person_decides(family: Family, grown: dict[str, str], answer: bytes, code: int) -> None:
    done = run_on_terminal("adopt", "space", cwd=family.clone.path, typed=answer)
    assert "Record this? [y/N]" in done.out
    assert f"space: 4 of 6 files as of {grown['copied'][:10]}" in done.out
    assert (done.code, "Nothing was recorded." in done.out) == (code, code == 1)
    assert (family.space.tip("main") == grown["before"]) is (code == 1)


@pytest.mark.slow
def test_on_a_terminal_nothing_is_asked_where_nothing_is_to_be_recorded(family: Family) -> None:
    family.edit("Something else", {"training/app.py": "other\n"})
    done = run_on_terminal("adopt", "space", cwd=family.clone.path)
    assert (done.code, "Record" in done.out) == (3, False)


@pytest.mark.slow
def test_json_says_what_was_found_and_what_came_of_it(family: Family, grown: dict[str, str]) -> None:
    facts = adopt(family, "--yes", "--json").json()
    assert facts["match"] == {
        "source_commit": grown["copied"],
        "projected": family.space.parents("main")[1],
        "date": "2023-11-14T22:15:20+00:00",
        "subject": "Grow",
        "found_by": "likeness",
        "files": 6,
        "alike": 4,
        "older": 0,
        "others": 0,
        "differ": ["configs/small.json", "training/model.py"],
        "modes": [],
        "only_target": [],
        "only_source": [],
        "to_come": [],
    }
    tip = family.space.tip("main")
    assert facts["update"] == {"ref": "refs/heads/main", "old": grown["before"], "new": tip}
    assert facts["outcome"] == {"pushed": True, "tip": tip, "attempts": 1, "exit_code": 0}
    assert (facts["action"], facts["commits"], facts["target"]) == ("adopt", 3, "space")


@pytest.mark.slow
def test_a_file_that_was_edited_is_taken_for_the_version_that_the_space_first_had(family: Family) -> None:
    versions = [family.commit(f"v{number}", {"core/src/model.py": text(l1=f"v{number}")}) for number in range(5)]
    family.edit("Upload by hand", copied(family, versions[2]))
    family.edit("Tune", {"training/model.py": text(l1="v2", l20="mine")})
    assert f"as of {versions[2][:10]}, " in adopted(family).out
    family.synced()
    assert family.space.read("training/model.py") == text(l1="v4", l20="mine").encode()


@pytest.mark.slow
def test_where_several_fit_the_newest_of_its_time_is_taken_and_that_is_said(family: Family) -> None:
    """From a newer one, what the source changed since would look like something that the Space took back."""
    versions = [family.commit(f"v{number}", {"core/src/model.py": text(l1=f"v{number}")}) for number in range(3)]
    family.edit("Upload, edited before", {**copied(family), "training/model.py": text(l1="v2", l20="mine")})
    family.commit("v3", {"core/src/model.py": text(l1="v3")})
    out = adopted(family).out
    assert f"as of {versions[2][:10]}, " in out
    assert "note: 4 other states of the source fit just as well, and this is the newest of its time" in out
    family.synced()
    assert family.space.read("training/model.py") == text(l1="v3", l20="mine").encode()


@pytest.mark.slow
def test_of_two_that_are_the_same_the_newest_is_taken(family: Family) -> None:
    copied_at = family.clone.tip()
    family.edit("Upload by hand", copied(family))
    family.commit("Try", {"core/src/train.py": "try\n"})
    back = family.commit("Take it back", {"core/src/train.py": START["core/src/train.py"]})
    out = adopted(family).out
    assert (f"as of {back[:10]}, " in out, copied_at[:10] in out) == (True, False)
    assert "note" not in out
    assert state(family) == "in sync"


@pytest.mark.slow
def test_files_that_came_to_the_source_later_are_not_taken_for_deleted(family: Family) -> None:
    family.edit("Upload by hand", copied(family))
    family.edit("The same fix, by hand", {"training/train.py": "fixed\n"})
    family.commit("Grow", GROWN)
    family.commit("Fix", {"core/src/train.py": "fixed\n"})
    adopted(family)
    family.synced()
    assert copied(family) == family.mapped()


@pytest.mark.slow
def test_files_that_only_one_side_has_are_listed(family: Family) -> None:
    family.commit("Grow", GROWN)
    there = copied(family)
    family.edit("Upload by hand", {**there, "training/own.py": "own\n"})
    family.edit("Not needed", {"training/loss.py": None})
    out = adopted(family).out
    assert "; 1 only in space, 1 only in main\n" in out
    assert "  A training/own.py\n  D training/loss.py\n" in out
    assert "  none differs" not in out


@pytest.fixture
def partly(family: Family) -> Family:
    """Return a family whose Space got some files, one by one, as of two commits of the source."""
    family.edit("Upload model.py", {"training/model.py": START["core/src/model.py"]})
    family.commit("Grow", {**GROWN, "core/src/model.py": text(l1="from the source")})
    there = copied(family)
    for path in ("configs/big.json", "training/train.py", "training/data.py", "training/loss.py"):
        family.edit(f"Upload {path}", {path: there[path]})
    family.edit("Not needed", {"training/loss.py": None})
    return family


def require_all_but_what_was_deleted(family: Family) -> None:
    there = copied(family)
    del there["training/loss.py"]
    assert family.mapped() == there


@pytest.mark.slow
@pytest.mark.parametrize("settings", ["", 'history = "squash"'], ids=["full", "squash"])
def test_what_was_never_copied_and_what_is_older_come_with_the_next_sync(partly: Family, settings: str) -> None:
    partly.manifest(settings=settings)
    partly.commit("Settings")
    out = adopted(partly).out
    assert "space: 3 of 4 files as of " in out
    assert "; 1 only in main, 1 as of another commit, 2 to come with the next sync\n" in out
    assert "  D training/loss.py\n" in out
    assert state(partly) == "diverged"
    partly.synced()
    require_all_but_what_was_deleted(partly)
    assert state(partly) == "drift"


@pytest.mark.slow
def test_a_file_that_the_space_took_back_to_an_older_version_is_its_edit(family: Family) -> None:
    family.commit("Grow", {**GROWN, "core/src/model.py": text(l1="from the source")})
    family.edit("Upload by hand", copied(family))
    family.edit("Back", {"training/model.py": START["core/src/model.py"]})
    assert "; 1 differs\n" in adopted(family).out
    family.commit("Go on", {"core/src/new.py": "new\n"})
    family.synced()
    assert family.mapped() == {**copied(family), "training/model.py": START["core/src/model.py"].encode()}


@pytest.mark.slow
def test_what_comes_to_the_source_before_the_first_sync_goes_on_from_an_older_copy(partly: Family) -> None:
    adopted(partly)
    partly.commit("Go on", {"core/src/model.py": text(l1="once more"), "core/src/data.py": None})
    partly.synced()
    require_all_but_what_was_deleted(partly)


@pytest.mark.slow
def test_a_first_sync_that_was_undone_or_rolled_back_brings_them_again(partly: Family) -> None:
    adopted(partly)
    tip, before = partly.space.tip("main"), partly.mapped()
    partly.synced()
    for back, on in ((("undo", "--yes"), ()), (("rollback", "space", "--to", tip, "--yes"), ("--lift",))):
        done = partly.run(*back, cwd=partly.clone.path)
        assert (done.code, partly.mapped()) == (0, before), (done.out, done.err)
        if on:
            assert partly.run("rollback", "space", *on, "--yes", cwd=partly.clone.path).code == 0
        assert state(partly) == "diverged"
        partly.synced()
        require_all_but_what_was_deleted(partly)


def test_an_import_before_the_first_sync_deletes_nothing_that_was_never_copied(partly: Family) -> None:
    adopted(partly)
    done = partly.run("import", "space", cwd=partly.clone.path)
    assert done.code == 0, (done.out, done.err)
    assert partly.clone.git("diff", "--name-status", "main...import/space") == "D\tcore/src/loss.py"


@pytest.mark.slow
def test_a_lost_executable_bit_is_no_other_content(family: Family) -> None:
    family.clone.write({"core/src/run.py": "run\n"})
    (family.clone.path / "core/src/run.py").chmod(0o755)
    family.commit("A script")
    family.edit("Upload by hand", copied(family))
    out = adopted(family).out
    assert "space: 4 of 4 files as of " in out
    assert "; 1 executable on one side only\n" in out
    family.commit("Go on", {"core/src/train.py": "on\n"})
    family.synced()
    assert family.space.git("ls-tree", "main", "training/run.py").startswith("100644")


@pytest.mark.slow
def test_the_person_can_name_the_commit(family: Family, grown: dict[str, str]) -> None:
    done = adopted(family, "--at", grown["first"])
    assert (
        f"space: 1 of 6 files as of {grown['first'][:10]}, 2023-11-14, as you say; 2 differ, 3 as of another commit"
        in done.out
    )
    assert family.space.trailers("main")["Source-Commit"] == grown["first"]


def test_a_commit_of_another_branch_cannot_be_named(family: Family, grown: dict[str, str]) -> None:
    family.clone.switch("topic", at=grown["first"])
    family.clone.commit("Secret plans", {"core/src/train.py": "secret\n"})
    done = adopt(family, "--at", "topic", "--dry-run")
    assert done.code == 2
    assert "is not in the history of main" in done.err
    assert adopt(family, "--at", "nowhere").code == 2


def test_a_commit_before_anything_was_mapped_cannot_be_named(family: Family) -> None:
    family.manifest(maps=[("core/late/", "training/")])
    late = family.commit("Late", {"core/late/a.py": "a\n"})
    family.edit("Upload by hand", {"training/a.py": "a\n"})
    done = adopt(family, "--at", f"{late}^", "--yes")
    assert done.code == 2
    assert "The maps of space match no file up to" in done.out
    assert "hint: Name a later commit." in done.out


def test_files_that_were_not_copied_are_refused(family: Family) -> None:
    family.edit("Something else", {"training/app.py": "other\n", "training/model.py": "other\n"})
    before = family.persons_own()
    done = adopt(family, "--yes")
    assert done.code == 3
    assert "no commit of the source has any of the 2 files of space at mapped paths" in done.out
    assert "adopt space --at" not in done.out  # that would be refused, too
    assert family.persons_own() == before


def test_less_than_half_is_refused_and_names_the_nearest(family: Family) -> None:
    first = family.clone.tip()
    others = {f"training/{name}.py": f"{name}\n" for name in "abc"}
    family.edit("Mostly something else", {**others, **copied(family), "training/model.py": "other\n"})
    done = adopt(family, "--yes", "--json")
    facts = done.json()
    assert (done.code, facts["exit_code"], facts["action"], facts["match"]) == (3, 3, "stopped", None)
    assert f"the nearest commit of the source, {first[:10]} of 2023-11-14, has only 2 of the 6 files" in facts["reason"]
    assert f"openllm-repos adopt space --at {first[:10]}" in facts["next"]
    adopted(family, "--at", first)


@pytest.mark.slow
@pytest.mark.usefixtures("grown")
def test_drift_that_the_manifest_refuses_is_said_before(family: Family) -> None:
    family.manifest(settings='drift = "refuse"')
    family.commit("Settings")
    assert 'note: Its manifest says drift = "refuse": syncs stop' in adopted(family).out
    assert family.sync().code == 3


@pytest.mark.slow
def test_commits_that_are_not_pushed_are_not_looked_at(family: Family) -> None:
    family.clone.commit("Grow", GROWN)
    family.edit("Upload by hand", copied(family))
    done = adopt(family, "--yes")
    assert done.code == 3
    assert "or pass --allow-unpushed" in done.err
    adopted(family, "--allow-unpushed")


@pytest.fixture
def hub(tmp_path: Path, run_cli: RunCli, server: GitServer, home: SealedHome) -> Family:
    """Return a family whose Space is on a hub that stands on this machine, and was filled by copying."""
    home.instead_of("https://huggingface.co/", server.url(""))
    made = Family.make(tmp_path / "family", run_cli, space=server.create(SPACE))
    made.urls["space"] = "https://huggingface.co/" + SPACE
    made.manifest()
    made.commit("On a server")
    made.edit("Upload by hand", {**APP, **copied(made)})
    return made


@pytest.mark.slow
def test_a_space_that_moves_meanwhile_is_adopted_as_it_is_then(hub: Family, server: GitServer) -> None:
    others: list[str] = []

    def somebody_pushes() -> None:
        if not others:
            others.append(hub.edit("Others", {"app.py": "app 2\n"}))

    server.on(SPACE, before_push=somebody_pushes)
    done = adopt(hub, "--yes")
    assert done.code == 0, (done.out, done.err)
    assert "space: its branch has moved meanwhile" in done.err
    assert hub.space.parents("main")[0] == others[0]
    assert hub.space.read("app.py") == b"app 2\n"
    assert hub.space.trailers("main")["Source-Commit"] == hub.clone.tip("HEAD^")  # the last that changed mapped files
    assert not hub.unfinished()


@pytest.mark.slow
def test_two_who_adopt_at_once(hub: Family, server: GitServer) -> None:
    colleague = Clone.of(hub.origin.url, hub.folder / "colleague")
    colleague.git("config", "user.name", "Grace Hopper")
    others: list[str] = []

    def colleague_adopts() -> None:
        if not others:
            others.append("at work")  # the colleague's own push passes here too
            others.append(run_tool("adopt", "space", "--yes", cwd=colleague.path).out)

    server.on(SPACE, before_push=colleague_adopts)
    done = adopt(hub, "--yes")
    assert (done.code, "space: somebody else was quicker" in done.out) == (0, True)
    assert "space: adopted, now at" in others[1]
    assert len(hub.space.log("main", "--first-parent")) == 2


def test_a_branch_that_is_deleted_meanwhile_stops_it(hub: Family, server: GitServer) -> None:
    before = hub.space.tip("main")
    server.on(SPACE, before_push=lambda: hub.space.git("branch", "-m", "main", "old"))
    done = adopt(hub, "--yes")
    assert done.code == 3
    assert "its branch main was deleted while it was being synced; nothing was pushed." in done.out
    assert (hub.space.tips(), hub.unfinished()) == ({"refs/heads/old": before}, [])


@pytest.mark.slow
def test_a_space_that_is_emptied_meanwhile_leaves_it_open(hub: Family, server: GitServer) -> None:
    before = hub.space.tip("main")
    server.on(SPACE, before_push=lambda: hub.space.git("update-ref", "-d", "refs/heads/main"))
    done = adopt(hub, "--yes")
    said = f"answered with no refs, though it had main at {before[:10]}: a portal or a maintenance page?). The push"
    assert (done.code, f"{said} may have landed." in done.out) == (30, True), done.out
    assert (hub.space.tips(), len(hub.unfinished())) == ({}, 1)
    server.on(SPACE, before_push=None)
    hub.space.git("update-ref", "refs/heads/main", before)
    again = adopt(hub, "--yes")
    assert (again.code, hub.unfinished()) == (0, [])
    (end,) = (line for line in again.err.splitlines() if line.startswith("space: an earlier adopt space --at "))
    assert end.endswith(" did not end; its push had not landed")
    assert hub.space.parents("main")[0] == before


@pytest.mark.slow
def test_a_push_that_is_refused_is_told_in_the_remotes_own_words(hub: Family) -> None:
    hook = hub.space.path / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no merges here >&2\nexit 1\n")
    hook.chmod(0o755)
    before = hub.space.tip("main")
    done = adopt(hub, "--yes", "--json")
    assert done.code == 3
    outcome = done.json()["outcome"]
    assert outcome["pushed"] is False
    assert "no merges here" in outcome["reason"]
    assert hub.space.tip("main") == before


class TestNothingToAdopt:
    """A clear sentence, and exit code 0."""

    def test_an_empty_space(self, family: Family) -> None:
        done = adopt(family, "--yes")
        assert (done.code, done.out.splitlines()[-1]) == (0, "space is empty: the first sync fills it.")

    def test_a_space_with_files_of_its_own_only(self, family: Family) -> None:
        tip = family.edit("My Space", APP)
        done = adopt(family, "--yes")
        assert done.code == 0
        assert "space has no file at mapped paths: nothing was copied there, and a sync will fill them." in done.out
        assert family.space.tip("main") == tip

    @pytest.mark.slow
    @pytest.mark.parametrize("settings", ["", 'history = "squash"'], ids=["full", "squash"])
    def test_a_space_that_was_synced(self, family: Family, settings: str) -> None:
        family.manifest(settings=settings)
        family.edit("My Space", APP)
        synced = family.commit("Settings")
        family.synced()
        family.edit("Drift", {"training/train.py": "mine\n"})
        tip = family.space.tip("main")
        done = adopt(family, "--yes")
        assert done.code == 0
        assert f"space is adopted already: its last sync carried {synced[:10]}." in done.out
        assert family.space.tip("main") == tip

    @pytest.mark.slow
    def test_a_space_that_was_adopted(self, family: Family, grown: dict[str, str]) -> None:
        adopted(family)
        tip = family.space.tip("main")
        facts = adopt(family, "--yes", "--json").json()
        assert facts["action"] == "nothing"
        assert facts["reason"] == f"space is adopted already: its last sync carried {grown['copied'][:10]}."
        assert family.space.tip("main") == tip


class TestNotReached:
    """What sync refuses, adopt refuses in the same words."""

    def test_a_target_that_is_not_there(self, family: Family) -> None:
        family.urls["space"] += "-gone"
        family.manifest()
        family.commit("Elsewhere")
        done = adopt(family, "--yes")
        assert done.code == 30
        assert "space is unreachable" in done.out

    def test_a_name_that_is_no_target(self, family: Family) -> None:
        assert family.run("adopt", "main", cwd=family.clone.path).code == 2
        assert family.run("adopt", "spcae", cwd=family.clone.path).code == 2

    @pytest.mark.usefixtures("grown")
    def test_another_branch(self, family: Family) -> None:
        family.manifest(settings='branch = "live"')
        family.commit("Branch")
        done = adopt(family, "--yes")
        assert (done.code, "space has no branch live" in done.out) == (2, True)
