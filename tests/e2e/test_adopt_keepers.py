"""A Space that another tool kept before: git subtree, copybara, a mirror. What that tool left says where it was."""

from __future__ import annotations

import pytest

from tests.support.adopting import APP, adopt, adopted, copied, state
from tests.support.family import Family, text

FOLDER_MAP = [("core/src/", "training/")]


def _maps(family: Family, maps: list[tuple[str, str]]) -> str:
    family.manifest(maps=maps)
    return family.commit("Maps")


def _in_the_space(family: Family, *args: str) -> None:
    """Run git in a clone of the Space, and push what it did to main."""
    work = family.work
    work.git(*args)
    work.git("push", "-q", "origin", "HEAD:refs/heads/main")


def _found(family: Family, *args: str) -> dict[str, object]:
    match = adopt(family, "--dry-run", "--json", *args).json()["match"]
    return {key: match[key] for key in ("source_commit", "found_by", "alike", "files")}


@pytest.mark.usefixtures("git_subtree")
class TestGitSubtree:
    """`git subtree` was used in the source, or in the Space."""

    @pytest.mark.slow
    def test_a_split_that_was_pushed_needs_no_adoption(self, family: Family) -> None:
        family.manifest(maps=[("core/src/", ".")], owned=[])
        family.commit("Maps")
        family.clone.git("subtree", "push", "-q", "-P", "core/src", family.space.url, "main")
        family.commit("Go on", {"core/src/train.py": "on\n"})
        done = adopt(family, "--yes")
        assert done.code == 0
        assert "space has the projection in its history already, as 'git subtree push' leaves it" in done.out
        assert state(family) == "behind"
        family.synced()
        assert family.space.read("train.py") == b"on\n"

    @pytest.mark.slow
    @pytest.mark.parametrize("squash", [(), ("--squash",)], ids=["history", "squashed"])
    def test_a_split_that_was_added_below_a_folder(self, family: Family, squash: tuple[str, ...]) -> None:
        start = family.clone.tip()
        _maps(family, FOLDER_MAP)
        family.clone.git("branch", "split", family.clone.git("subtree", "split", "-q", "-P", "core/src"))
        family.edit("My Space", APP)
        _in_the_space(family, "subtree", "add", "-q", "-P", "training", *squash, family.clone.url, "split")
        family.edit("Tune", {"training/model.py": text(l20="mine")})
        family.commit("Go on", {"core/src/train.py": "on\n", "core/src/model.py": text(l1="source")})
        assert _found(family) == {"source_commit": start, "found_by": "git subtree", "alike": 1, "files": 2}
        assert f"as of {start[:10]}, 2023-11-14, whose split by git subtree it has; 1 differs" in adopted(family).out
        family.synced()
        assert family.space.read("training/train.py") == b"on\n"
        assert family.space.read("training/model.py") == text(l1="source", l20="mine").encode()

    def test_a_space_that_the_source_added_needs_no_adoption_and_works_both_ways(self, family: Family) -> None:
        """`git subtree add` of the Space into the source: its commits are the Space's own still, to the last digit."""
        project = family.edit("The Space's own", {"model.py": text()})
        family.manifest(maps=[("core/app/", ".")], owned=[])
        family.commit("Maps")
        family.clone.git("subtree", "add", "-q", "-P", "core/app", family.space.url, "main")
        family.push()
        assert state(family) == "in sync"
        family.commit("Go on", {"core/app/model.py": text(l1="source")})
        family.synced()
        assert project in family.space.parents("main")
        family.edit("Tune", {"model.py": text(l1="source", l20="mine")})
        family.run("import", "space", cwd=family.clone.path)
        family.clone.git("merge", "-q", "import/space")
        family.push()
        assert family.clone.read("core/app/model.py") == text(l1="source", l20="mine").encode()
        family.synced()
        assert state(family) == "in sync"

    def test_the_whole_source_that_was_added_squashed(self, family: Family) -> None:
        tip = _maps(family, [("core/src/", "vendor/core/src/")])
        family.edit("My Space", APP)
        _in_the_space(family, "subtree", "add", "-q", "-P", "vendor", "--squash", family.origin.url, "main")
        family.commit("Go on", {"core/src/train.py": "on\n"})
        assert _found(family) == {"source_commit": tip, "found_by": "git subtree", "alike": 2, "files": 2}

    def test_splits_that_the_source_joined_again_are_not_taken_for_a_mirror(self, family: Family) -> None:
        _maps(family, FOLDER_MAP)
        was = family.clone.tip()
        split = family.clone.git("subtree", "split", "-q", "--rejoin", "-P", "core/src")
        family.push()
        family.edit("My Space", APP)
        family.clone.git("branch", "split", split)
        work = family.work
        work.git("fetch", "-q", family.clone.url, "split")
        work.git("read-tree", "--prefix=training/", "-u", "FETCH_HEAD")
        tree = work.git("write-tree")
        merged = work.git("commit-tree", tree, "-p", "HEAD", "-p", split, "-m", "By hand, without a trailer")
        work.git("push", "-q", "origin", f"{merged}:refs/heads/main")
        out = adopted(family).out
        assert f"space: 2 of 2 files as of {was[:10]}, 2023-11-14, whose split by git subtree it has" in out
        assert "commits of the source itself" not in out
        assert state(family) == "in sync"

    def test_splits_of_other_folders_say_nothing(self, family: Family) -> None:
        start = family.clone.tip()
        _maps(family, FOLDER_MAP)
        family.clone.git("subtree", "split", "-q", "--rejoin", "-P", "docs")
        family.push()
        family.edit(f"Copied\n\ngit-subtree-dir: docs\ngit-subtree-split: {'1' * 40}\n", copied(family))
        family.edit("Less", {"configs/small.json": None})
        assert _found(family) == {"source_commit": start, "found_by": "likeness", "alike": 2, "files": 2}


class TestCopybara:
    """Copybara names the source commit in every commit that it makes."""

    @pytest.mark.slow
    def test_the_newest_commit_that_it_names_is_the_base(self, family: Family) -> None:
        first, second = family.clone.tip(), family.commit("Go on", {"docs/guide.md": "on\n"})
        for commit in (first, second):
            family.edit(f"Import\n\nGitOrigin-RevId: {commit}\nChange-Id: I1\n", {**APP, **copied(family, commit)})
        family.edit("Tune", {"training/model.py": text(l20="mine")})
        family.commit("On and on", {"core/src/model.py": text(l1="source")})
        assert _found(family) == {"source_commit": second, "found_by": "copybara", "alike": 2, "files": 3}
        assert f"as of {second[:10]}, 2023-11-14, which copybara names there; 1 differs" in adopted(family).out
        family.synced()
        assert family.space.read("training/model.py") == text(l1="source", l20="mine").encode()

    @pytest.mark.slow
    @pytest.mark.parametrize("named", ["1" * 40, "1" * 41, "4b825dc642cb6eb9a060e54bf8d69288fbee4904"])
    def test_a_commit_that_the_source_does_not_have_is_passed_over(self, family: Family, named: str) -> None:
        tip = family.clone.tip()
        family.edit(f"Import\n\nGitOrigin-RevId: {named}\n", copied(family))
        assert _found(family)["found_by"] == "likeness"
        assert _found(family)["source_commit"] == tip

    def test_what_was_copied_after_it_is_said(self, family: Family) -> None:
        first = family.clone.tip()
        family.edit(f"Import\n\nGitOrigin-RevId: {first}\n", copied(family))
        later = family.commit("Go on", {"core/src/train.py": "on\n"})
        family.edit("By hand", copied(family))
        out = adopt(family, "--dry-run").out
        assert f"space: 2 of 3 files as of {first[:10]}" in out
        assert f"note: {later[:10]} of 2023-11-14 has more of its files (3 of 3); to take that one: --at" in out

    def test_a_name_that_nothing_bears_out_is_passed_over(self, family: Family) -> None:
        first = family.clone.tip()
        later = family.commit("All anew", {"core/src/model.py": "m\n", "core/src/train.py": "t\n"})
        family.edit(f"Import\n\nGitOrigin-RevId: {first}\n", copied(family))
        assert _found(family) == {"source_commit": later, "found_by": "likeness", "alike": 3, "files": 3}


class TestMirror:
    """The source was pushed to the Space whole, by force."""

    @pytest.mark.slow
    def test_the_mirrored_commit_is_the_base_and_what_it_shows_is_said(self, family: Family) -> None:
        mirrored = _maps(family, [("core/src/", "core/src/")])
        family.clone.git("push", "-q", "--force", family.space.url, "main")
        family.edit("Tune", {"core/src/model.py": text(l20="mine"), "app.py": "app\n"})
        family.commit("Go on", {"core/src/model.py": text(l1="source")})
        out = adopted(family).out
        assert f"note: space has commits of the source itself in its history, up to {mirrored[:10]}" in out
        assert f"as of {mirrored[:10]}, 2023-11-14, a commit of the source that is in its history; 1 differs" in out
        family.synced()
        assert family.space.read("core/src/model.py") == text(l1="source", l20="mine").encode()

    def test_what_a_mirror_shows_is_said_of_a_refusal_too(self, family: Family) -> None:
        _maps(family, [("core/src/", "core/src/")])
        family.clone.git("push", "-q", "--force", family.space.url, "main")
        family.edit("Rewrite", {"core/src/model.py": "mine\n", "core/src/train.py": "mine\n"})
        done = adopt(family, "--yes")
        assert "note: space has commits of the source itself in its history" in done.out
        for refused in (done, adopt(family, "--at", "HEAD", "--yes")):
            assert (refused.code, "space does not look copied" in refused.out) == (3, True)
            assert "adopt space --at" not in refused.out  # which would be refused again

    def test_files_at_other_places_need_no_adoption_but_the_warning(self, family: Family) -> None:
        family.manifest(maps=FOLDER_MAP)
        family.commit("Maps")
        family.clone.git("push", "-q", "--force", family.space.url, "main")
        done = adopt(family, "--yes")
        assert done.code == 0
        assert "commits of the source itself in its history" in done.out
        assert "space has no file at mapped paths" in done.out

    def test_a_mirror_from_before_anything_was_mapped(self, family: Family) -> None:
        family.clone.git("push", "-q", "--force", family.space.url, "main")
        _maps(family, [("core/late/", "late/")])
        late = family.commit("Late", {"core/late/a.py": "a\n"})
        family.edit("By hand", {"late/a.py": "a\n"})
        assert _found(family) == {"source_commit": late, "found_by": "likeness", "alike": 1, "files": 1}


class TestAnotherOwner:
    """`.git-subtree/config` in the Space: another tool says that it keeps it."""

    @pytest.fixture(autouse=True)
    def owned(self, family: Family) -> None:
        family.edit("Upload", {**copied(family), ".git-subtree/config": "[subtree]\n"})

    def test_it_is_refused(self, family: Family) -> None:
        before = family.persons_own()
        done = adopt(family, "--yes")
        assert done.code == 3
        assert "space has .git-subtree/config: it is kept by another tool (git subtree)" in done.out
        assert "hint: Once that tool is retired: 'openllm-repos adopt space --at COMMIT'." in done.out
        assert family.persons_own() == before

    def test_naming_the_commit_goes_past_it_with_a_warning(self, family: Family) -> None:
        out = adopted(family, "--at", "HEAD").out
        assert "note: space has .git-subtree/config: make sure that no other tool writes it any more." in out
