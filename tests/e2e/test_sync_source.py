"""Which commit of the source is carried, what a person is told about it, and what may not be carried."""

from __future__ import annotations

import pytest

from tests.support.family import MAPS, Family, text
from tests.support.history import Spec, executable, gitlink, make_history, symlink
from tests.support.process import Result
from tests.support.repositories import Clone


def _refused(family: Family, *args: str, code: int = 3) -> Result:
    """Sync; it must stop with that exit code and change nothing here or there."""
    before = family.persons_own()
    done = family.sync(*args)
    assert done.code == code, (done.out, done.err)
    assert family.persons_own() == before
    return done


def test_a_commit_that_is_not_pushed_is_refused(family: Family) -> None:
    for number in range(2):
        family.clone.commit("Not pushed", {"core/src/train.py": f"{number}\n"})
    done = _refused(family)
    assert f"main has 2 commits that are not on its remote, up to {family.clone.tip()[:10]}." in done.err
    assert "git push origin main" in done.err
    family.synced("--allow-unpushed")
    assert family.space.read("training/train.py") == b"1\n"


def test_a_source_whose_remote_is_still_empty_is_refused(family: Family) -> None:
    family.origin.git("update-ref", "-d", "refs/heads/main")
    done = _refused(family)
    assert "main has no branch main on its remote yet." in done.err
    family.synced("--allow-unpushed")


def test_a_source_whose_branch_was_renamed_on_its_remote_is_not_pushed_there_anew(family: Family) -> None:
    family.origin.git("branch", "-m", "main", "trunk")
    for command in ("sync", "release 1.0.0"):
        done = family.run(*command.split(), "--yes", cwd=family.clone.path)
        assert done.code in {2, 3}
        assert "openllm-repos manifest set repos.main.branch trunk" in done.out + done.err
        assert "git push" not in done.out + done.err


def test_a_source_whose_remote_is_gone_cannot_be_checked(family: Family) -> None:
    family.origin.path.rename(family.folder / "moved.git")
    done = family.sync()
    assert done.code == 30
    assert "main is unreachable" in done.err
    family.origin.path = family.folder / "moved.git"
    assert "note: main is unreachable" in family.synced("--allow-unpushed").out


def test_a_clone_that_is_behind_its_remote_is_told(family: Family) -> None:
    elsewhere = Clone.of(family.origin.url, family.folder / "elsewhere")
    elsewhere.commit("By a colleague", {"core/src/train.py": "theirs\n"})
    elsewhere.push("origin")
    family.clone.git("checkout", "-q", "-b", "feature")  # where a pull would merge into something else
    done = family.synced()
    assert "note: Your main is 1 commit behind its remote; what is newer does not come along." in done.out
    assert "next: git fetch origin main:main" in done.out
    assert family.space.read("training/train.py") == b"train\n"


@pytest.mark.slow
def test_a_clone_that_is_behind_takes_nothing_back_that_a_colleague_synced(family: Family) -> None:
    elsewhere = Family.make(family.folder / "colleague", family.run)
    elsewhere.clone.git("fetch", "-q", family.origin.url, "main")
    elsewhere.clone.git("reset", "-q", "--hard", "FETCH_HEAD")
    elsewhere.origin, elsewhere.space = family.origin, family.space
    family.synced()
    elsewhere.commit("By a colleague", {"core/src/train.py": "theirs\n"})
    elsewhere.synced()
    assert "space: up to date" in family.synced().out
    assert family.space.read("training/train.py") == b"theirs\n"


def test_uncommitted_changes_to_mapped_files_are_told(family: Family) -> None:
    family.clone.write(
        {"core/src/train.py": "not committed\n", "core/src/model.py": None, "docs/guide.md": "not mapped\n"}
    )
    before = family.persons_own()
    done = family.sync("--dry-run")
    assert "note: Your clone has uncommitted changes to 2 mapped files; a sync carries commits only." in done.out
    assert family.persons_own() == before
    family.synced()
    assert family.space.read("training/train.py") == b"train\n"


def test_a_file_in_conflict_in_the_clone_counts_as_uncommitted(family: Family) -> None:
    family.clone.switch("side", at="main")
    family.clone.commit("Side", {"core/src/train.py": "side\n"})
    family.clone.switch("main")
    family.commit("Main", {"core/src/train.py": "main\n"})
    family.clone.run("merge", "-q", "side", ok=(1,))
    assert "uncommitted changes to 1 mapped file;" in family.synced().out


def test_a_new_file_that_was_never_added_is_told_too(family: Family) -> None:
    """`git add` forgotten: the file is in a mapped folder, but no commit has it."""
    family.clone.write({"core/src/forgotten.py": "new\n", "core/src/notes.txt": "no map takes it\n"})
    assert "uncommitted changes to 1 mapped file;" in family.synced().out
    assert "training/forgotten.py" not in family.space.paths()


def test_a_map_that_matches_nothing_is_told(family: Family) -> None:
    family.manifest(maps=[*MAPS, ("core/scr/*.py", "more/"), ("core/src", "all/")])
    family.commit("Two maps that match nothing")
    done = family.synced()
    tip = family.clone.tip()
    assert f"repos.space.map[2].from: core/scr/*.py matches no file at {tip[:10]}." in done.out
    assert "repos.space.map[3].from: core/src is a folder; write core/src/ to take all of it." in done.out
    assert "training/model.py" in family.space.paths()


def test_maps_that_all_match_nothing_are_a_fault_of_the_manifest(family: Family) -> None:
    family.manifest(maps=[("core/scr/*.py", "training/")])
    family.commit("Misspelt")
    done = _refused(family, code=2)
    assert "repos.space.map: no file ever matched core/scr/*.py" in done.out
    assert "git ls-tree -r --name-only HEAD" in done.out


@pytest.mark.parametrize("revision", ["nothing", "HEAD:repos.toml", "--all"])
def test_a_revision_that_is_no_commit_is_refused(family: Family, revision: str) -> None:
    done = _refused(family, f"--rev={revision}", code=2)
    assert f"{revision}: no such commit in this clone." in done.err


def test_a_clone_without_the_branch_of_the_manifest(family: Family) -> None:
    family.clone.git("checkout", "-q", "--detach")
    family.clone.git("branch", "-D", "main")
    done = _refused(family, code=2)
    assert "This clone has no branch main, which the manifest names for main." in done.err
    assert "git fetch origin main" in done.err
    family.clone.git("fetch", "-q", "origin")
    family.synced()
    assert "training/model.py" in family.space.paths()


def test_a_submodule_in_a_mapped_folder_is_refused_by_its_path(family: Family) -> None:
    family.manifest(maps=[("core/", "core/")])
    family.commit("Whole folder")
    link = f"160000,{family.clone.tip()},core/vendor"
    family.clone.git("update-index", "--add", "--cacheinfo", link)
    family.clone.git("commit", "-q", "-m", "Submodule")
    family.push()
    done = _refused(family)
    assert "space: core/vendor is a submodule, which cannot be carried into another repository." in done.out


def test_a_file_that_git_itself_uses_is_refused(family: Family) -> None:
    family.manifest(maps=[("core/", ".")], owned=())
    family.commit("Own modules", {"core/.gitmodules": "[submodule]\n"})
    done = _refused(family)
    assert "space: .gitmodules has a name that git itself uses." in done.out


def test_two_names_that_differ_only_in_case_are_refused(family: Family) -> None:
    family.commit("Twice", {"core/src/Model.py": "another\n"})
    done = _refused(family)
    assert "training/model.py and training/Model.py differ only in upper and lower case" in done.out
    family.commit("Once", {"core/src/Model.py": None})
    family.synced()


def test_links_modes_and_odd_names_are_carried(family: Family) -> None:
    family.manifest(maps=[("core/", "core/")])
    family.commit("Whole folder")
    manifest = family.clone.path.joinpath("repos.toml").read_text()
    odd: dict[str | bytes, str] = {
        b"core/caf\xe9.py": "latin\n",
        b"core/tab\there.py": "tab\n",
        b"core/line\nend.py": "line\n",
    }
    make_history(
        family.clone,
        [
            Spec(changes={"repos.toml": manifest, "core/run.sh": "run\n", "core/link": symlink(b"run.sh"), **odd}),
            Spec(parents=(0,), changes={"core/run.sh": executable(b"run\n"), "core/link": "a file now\n"}),
        ],
    )
    family.push()
    done = family.synced()
    assert "  A core/line\\nend.py" in done.out
    listed = family.space.run("ls-tree", "-r", "-z", "main").out_bytes
    assert b"100755" in next(row for row in listed.split(b"\0") if row.endswith(b"run.sh"))
    assert {row.partition(b"\t")[2] for row in listed.split(b"\0") if row} == {*odd, b"core/run.sh", b"core/link"}
    assert family.space.read("core/link") == b"a file now\n"
    family.space.git("merge-base", "--is-ancestor", family.space.log("main", "--grep=commit 0", form="%H")[0], "main")


@pytest.mark.slow
def test_a_link_and_a_mode_that_change_in_the_source_change_in_the_space(family: Family) -> None:
    family.clone.link("core/src/link.py", "model.py")
    family.commit("Link")
    family.synced()
    assert family.space.git("ls-tree", "main", "training/link.py").startswith("120000")
    family.clone.path.joinpath("core/src/train.py").chmod(0o755)
    family.clone.path.joinpath("core/src/link.py").unlink()
    family.clone.link("core/src/link.py", "train.py")
    family.commit("Mode and link")
    assert {"  M training/link.py", "  M training/train.py"} <= set(family.synced().out.splitlines())
    assert family.space.git("ls-tree", "main", "training/train.py").startswith("100755")
    assert family.space.read("training/link.py") == b"train.py"


@pytest.mark.slow
def test_odd_names_that_the_space_edited_are_merged_and_told(family: Family) -> None:
    name = b"core/src/caf\xe9.py"
    manifest = family.clone.path.joinpath("repos.toml").read_text()
    specs = [Spec(changes={"repos.toml": manifest, name: text()}), Spec(parents=(0,), changes={name: text(l1="yours")})]
    commits = make_history(family.clone, specs)
    family.push()
    family.synced("--rev", commits[0])
    edited = family.space.git("hash-object", "-w", "--stdin", data=text(l20="mine").encode())
    tree = family.space.git("mktree", "-z", data=b"100644 blob %b\tcaf\xe9.py\0" % edited.encode())
    top = family.space.git("mktree", data=f"040000 tree {tree}\ttraining\n".encode())
    made = family.space.git("commit-tree", "-p", "main", "-m", "Mine", top)
    family.space.git("update-ref", "refs/heads/main", made)
    done = family.synced()
    assert "  M training/caf\\udce9.py" in done.out
    merged = family.space.run("cat-file", "blob", b"main:training/caf\xe9.py").out_bytes
    assert merged == text(l1="yours", l20="mine").encode()


def test_a_submodule_outside_the_maps_does_not_matter(family: Family) -> None:
    manifest = family.clone.path.joinpath("repos.toml").read_text()
    make_history(
        family.clone,
        [
            Spec(
                changes={
                    "repos.toml": manifest,
                    "core/src/x.py": "x\n",
                    "vendor": gitlink("1" * 40),
                    ".gitmodules": "x",
                }
            )
        ],
    )
    family.push()
    family.synced()
    assert family.space.paths() == ["training/x.py"]


def test_a_shallow_clone_names_the_way_out(family: Family) -> None:
    family.commit("Second")
    shallow = Clone.of(family.origin.url, family.folder / "shallow", "--depth=1")
    done = family.sync(cwd=shallow.path)
    assert done.code == 30
    assert "git fetch --unshallow" in done.err


def test_a_person_whom_git_does_not_know_is_told_how_to_say_it(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    config = family.folder / "empty.gitconfig"
    config.write_text("[user]\nuseConfigOnly = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    done = family.sync()
    assert done.code == 30
    assert "git does not know who you are" in done.out
    assert "git config --global user.name" in done.out


def test_maps_that_put_different_files_at_one_path_stop(family: Family) -> None:
    family.manifest(maps=[("core/", "all/"), ("configs/", "all/src/")])
    done = family.sync()
    assert done.code == 2
    assert "repos.space.map[1].to" in done.err


def test_a_source_without_any_commit_is_told_what_to_do_first(family: Family) -> None:
    family.origin.git("update-ref", "-d", "refs/heads/main")
    family.clone.git("checkout", "-q", "--orphan", "trunk")
    family.clone.git("branch", "-qD", "main")
    family.clone.git("update-ref", "-d", "refs/remotes/origin/main")
    done = family.sync()
    assert done.code == 2
    assert "Its remote is empty, too: make a first commit on main and push it." in done.err
    family.clone.git("push", "-q", family.origin.url, f"{family.clone.commit('Start')}:refs/heads/trunk")
    assert "Its remote has trunk: name the branch in the manifest (repos.main.branch)." in family.sync().err
