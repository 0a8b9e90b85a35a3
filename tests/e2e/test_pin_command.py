"""`openllm-repos pin`: a commit of another repo in the source's index, and `.gitmodules` beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.pinned import PATH, Pinned
from tests.support.repositories import Clone

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.inprocess import RunCli


@pytest.fixture
def source(tmp_path: Path, run_cli: RunCli) -> Pinned:
    return Pinned.make(tmp_path, run_cli)


def test_a_first_pin_is_what_git_submodule_add_would_have_staged(source: Pinned) -> None:
    done = source.pinned()
    assert f"pinned {PATH} at {source.commits[2][:10]}" in done.out
    assert source.index == f"160000 {source.commits[2]} 0\t{PATH}"
    assert source.modules() == f'[submodule "{PATH}"]\n\tpath = {PATH}\n\turl = {source.model.url}\n\tbranch = main\n'
    assert source.clone.git("status", "--porcelain") == f"A  .gitmodules\nA  {PATH}"
    assert source.clone.tip() == source.clone.tip("main")
    source.clone.commit("Pin it")
    assert source.checkout().tip() == source.commits[2]
    assert source.clone.git("status", "--porcelain") == ""
    assert source.pinned().out == f"small: {PATH} is at {source.commits[2][:10]} already\n"
    assert source.pin("--check").code == 0


@pytest.mark.parametrize("to", ["v1", "refs/tags/v1", "id", "beginning", "tag object"])
def test_a_pin_goes_to_what_is_named(source: Pinned, to: str) -> None:
    first = source.commits[0]
    named = {"id": first, "beginning": first[:8], "tag object": source.work.git("rev-parse", "v1")}.get(to, to)
    done = source.pinned("--to", named, "--json")
    (step,) = done.json()["pins"]
    assert (step["new"], step["behind"], step["on_branch"]) == (first, 2, True)
    assert source.index.split()[1] == first


def test_a_commit_that_no_ref_names_is_asked_of_the_remote_and_not_of_the_clone(source: Pinned) -> None:
    source.work.git("push", "-q", source.model.url, f"{source.commits[0]}:refs/heads/other")
    done = source.pinned("--to", source.commits[1])
    assert f"pinned {PATH} at {source.commits[1][:10]}, 1 behind main" in done.out
    ours = source.clone.tip()
    refused = source.pin("--to", ours)
    assert refused.code == 2
    assert f"small: does not give out a commit {ours[:10]}" in refused.out
    assert source.index.split()[1] == source.commits[1]


def test_a_commit_beside_the_branch_is_pinned_with_a_word_of_warning(source: Pinned) -> None:
    source.work.switch("side", at=source.commits[0])
    side = source.work.commit("Aside", {"aside.txt": "x\n"})
    source.work.git("push", "-q", source.model.url, "side")
    done = source.pinned("--to", "side")
    assert f"pinned {PATH} at {side[:10]}, not on main" in done.out
    assert f"note: {side[:10]} is not in the history of its branch main" in done.out


def test_names_that_say_nothing_or_too_much_are_refused(source: Pinned) -> None:
    source.work.git("push", "-q", source.model.url, f"{source.commits[1]}:refs/heads/v1")
    for to, said in {
        "v1": "has a branch and a tag 'v1', at different commits",
        "v11": "has no tag, branch or commit 'v11'; did you mean 'v1'?\n",
        "abcdef0": "An id is written in full",
        "--upload-pack=x": "has no tag, branch or commit '--upload-pack=x'",
        "a" * 64: "names its commits in another way",
    }.items():
        done = source.pin(f"--to={to}")
        assert (done.code in {2, 3}, said in done.out) == (True, True), (to, done.out)
    assert source.pin("--to=refs/heads/v1").code == 0
    assert source.index.split()[1] == source.commits[1]


def test_a_dry_run_and_a_check_change_nothing(source: Pinned) -> None:
    before = source.clone.git("status", "--porcelain")
    assert "would pin" in source.pinned("--dry-run").out
    assert source.pin("--check").code == 1
    assert (source.clone.git("status", "--porcelain"), source.index) == (before, "")
    assert not (source.clone.path / ".gitmodules").exists()


def test_what_people_wrote_and_staged_and_not_yet_staged_stays_byte_for_byte(source: Pinned) -> None:
    theirs = '# ours, do not sort\n[submodule "lib"]\n    path = third/lib   ; a comment\n    url = ../lib.git\n'
    source.clone.commit("Theirs", {".gitmodules": theirs})
    unstaged = theirs + "\tignore = dirty\n# not staged yet"
    source.clone.write({".gitmodules": unstaged})
    source.pinned()
    section = f'[submodule "{PATH}"]\n\tpath = {PATH}\n\turl = {source.model.url}\n\tbranch = main\n'
    assert source.modules() == f"{unstaged}\n{section}"
    assert source.clone.read(".gitmodules", "") == (theirs + section).encode()
    assert source.clone.git("diff", "--name-only") == ".gitmodules"


def test_a_section_that_is_there_is_corrected_and_keeps_its_name(source: Pinned) -> None:
    written = '[submodule "weights"]\r\n\tpath = models/small\r\n\turl = https://old.example/x\r\n\tshallow = true\r\n'
    source.clone.commit("Theirs", {".gitmodules": written})
    source.manifest(f'submodule = "{PATH}"\nbranch = "other"')
    source.work.git("push", "-q", source.model.url, f"{source.commits[1]}:refs/heads/other")
    assert f"note: .gitmodules gets its new url\n    next: git submodule sync -- {PATH}  #" in (source.pinned().out)
    assert (source.clone.path / ".gitmodules").read_bytes() == (
        written.replace("https://old.example/x", source.model.url) + "\tbranch = other\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({f"{PATH}/weights.bin": "x"}, f"the source has {PATH}/weights.bin there"),
        ({"models": "x"}, "the source has models there"),
        ({PATH: "x"}, f"the source has {PATH} there"),
    ],
)
def test_files_of_the_source_in_the_way_are_told_and_stay(source: Pinned, files: dict[str, str], said: str) -> None:
    source.clone.commit("In the way", files)
    before = source.clone.git("ls-files", "--stage")
    done = source.pin()
    assert (done.code, said in done.out) == (3, True), done.out
    assert source.clone.git("ls-files", "--stage") == before
    assert source.clone.git("status", "--porcelain") == ""


def test_files_of_the_work_tree_in_the_way_are_told_and_stay(source: Pinned) -> None:
    models = source.clone.path / "models"
    (models / "small").mkdir(parents=True)
    (models / "small" / "weights.bin").write_bytes(b"gigabytes")
    assert "holds files of yours that are no clone of it" in source.pin().out
    assert (models / "small" / "weights.bin").read_bytes() == b"gigabytes"
    models.rename(source.clone.path / "elsewhere")
    models.symlink_to("elsewhere")
    assert "models is a symbolic link" in source.pin().out
    models.unlink()
    models.write_text("a file")
    assert "models is a file" in source.pin().out
    assert source.index == ""


def test_a_clone_in_a_folder_above_and_a_tag_of_a_file_are_told(source: Pinned) -> None:
    Clone.init(source.clone.path / "models")
    assert "models is a clone of its own" in source.pin().out
    (source.clone.path / "models").rename(source.clone.path.parent / "aside")
    blob = source.work.git("hash-object", "-w", "--stdin", data=b"a file")
    source.work.git("tag", "file", blob)
    source.work.git("push", "-q", source.model.url, "file")
    for to in ("file", blob, blob[:12]):
        assert f"small: has a file or a folder as {blob[:10]}, no commit." in source.pin(f"--to={to}").out
    assert source.index == ""


def test_what_comes_next_is_a_commit_of_pin_and_manifest(source: Pinned) -> None:
    """Who has just written where a repo is pinned has not committed that; nobody else would see it."""
    source.manifest("")
    assert source.run("manifest", "set", "repos.small.submodule", "my models/small").code == 0
    commit = f"git commit -m 'Pin small at {source.commits[2][:10]}'"
    (source.clone.path / "src").mkdir()
    done = source.run_cli("pin", cwd=source.clone.path / "src")
    assert f"next: git add -- ../repos.toml\nnext: {commit}\n" in done.out
    assert "git submodule update --init -- '../my models/small' " in done.out
    again = source.pinned().out
    assert again == (
        f"small: my models/small is at {source.commits[2][:10]} already\nnext: git add -- repos.toml\nnext: {commit}\n"
    )
    assert "next: openllm-repos pin small  # then commit that" in source.run("status").out
    source.clone.git("commit", "-qam", "Pin")
    assert "next:" not in source.pinned().out
    (source.clone.path / "my models/small/mine").mkdir()
    assert "mv 'my models/small' 'my models/small.mine'" in source.pin().out


def test_two_pins_in_conflict_are_settled_without_a_clone(source: Pinned) -> None:
    source.pinned("--to", "v1")
    source.commit("One")
    source.clone.git("switch", "-qc", "side")
    source.pinned("--to", source.commits[1])
    source.clone.commit("Two")
    source.clone.git("switch", "-q", "main")
    source.pinned()
    source.clone.commit("Three")
    assert source.clone.run("merge", "side", ok=(1,)).code == 1
    told = f"note: this settles a conflict of {source.commits[2][:10]} and {source.commits[1][:10]}"
    assert told in source.pinned("--dry-run", "--to", source.commits[1]).out
    assert source.index.count(PATH) == 3
    assert told in source.pinned("--to", source.commits[1]).out
    assert source.index == f"160000 {source.commits[1]} 0\t{PATH}"
    source.clone.git("commit", "-q", "--no-edit")
    assert source.clone.git("status", "--porcelain") == ""


def test_a_new_section_lies_in_no_other_ones_folder(source: Pinned) -> None:
    """git keeps both in `.git/modules`, and makes no folder of one in that of the other."""
    theirs = f'[submodule "models"]\n\tpath = third\n\turl = {source.origin.url}\n'
    source.clone.git("update-index", "--add", "--cacheinfo", f"160000,{source.clone.tip()},third")
    (source.clone.path / "third").mkdir()
    source.clone.write({".gitmodules": theirs})
    source.clone.git("add", ".gitmodules")
    source.pinned()
    assert f'[submodule "small"]\n\tpath = {PATH}\n' in source.modules()
    source.commit("Pin")
    local = ("-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init")
    source.clone.git(*local)
    assert Clone(source.clone.path / PATH).tip() == source.commits[2]


def test_a_section_is_called_in_the_index_as_in_the_work_tree(source: Pinned) -> None:
    theirs = f'[submodule "weights"]\n\tpath = {PATH}\n\turl = {source.model.url}\n\tbranch = main\n'
    source.clone.write({".gitmodules": theirs})
    source.pinned()
    assert source.clone.git("status", "--porcelain") == f"A  .gitmodules\nA  {PATH}"
    assert source.modules() == theirs


@pytest.mark.slow
def test_what_git_kept_of_another_repo_at_that_place_is_told(source: Pinned) -> None:
    """After `git rm` of a submodule git keeps its clone, and would look for the new commit in it."""
    add = ("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", source.origin.url, PATH)
    source.clone.git(*add)
    source.clone.git("commit", "-qm", "Another repo")
    source.clone.git("rm", "-q", PATH)
    source.clone.git("commit", "-qm", "No more")
    kept = f".git/modules/{PATH}"
    sync = f"git submodule sync -- {PATH}"
    told = f"a clone of {source.origin.url} for that place and would go on with it\n"
    assert (
        f"{told}    next: mv {kept} {kept}.old  # out of the way\n    next: {sync}\n" in source.pinned("--dry-run").out
    )
    (source.clone.path / kept).rename(source.clone.path / f"{kept}.old")
    assert f"git has {source.origin.url} in mind for that place\n    next: {sync}\n" in source.pinned().out
    source.clone.git(*sync.split()[1:])
    assert source.checkout().tip() == source.commits[2]


def test_the_mode_of_gitmodules_stays(source: Pinned) -> None:
    source.commit("Theirs", {".gitmodules": "# theirs\n"})
    source.clone.git("update-index", "--chmod=+x", ".gitmodules")
    source.pinned()
    assert source.clone.git("ls-files", "--stage", "--", ".gitmodules").startswith("100755 ")


def test_a_section_that_was_not_staged_yet_is_staged_with_the_pin(source: Pinned) -> None:
    source.pinned()
    source.clone.git("rm", "-q", "--cached", ".gitmodules")
    assert source.pin("--check").code == 1
    assert "brought .gitmodules up to date" in source.pinned().out
    assert source.clone.read(".gitmodules", "").decode() == source.modules()


def test_a_submodule_that_is_checked_out_keeps_everything(source: Pinned) -> None:
    source.pinned("--to", "v1")
    source.clone.commit("Pin it")
    checkout = source.checkout()
    done = source.pinned()
    assert f"git submodule update -- {PATH}" in done.out
    assert f"note: 'git add' and 'git commit -a' would pin {source.commits[0][:10]} instead" in done.out
    checkout.write({"config.json": "mine\n", "new.txt": "mine\n"})
    assert "is checked out, with 2 files changed or new" in source.pinned("--to", source.commits[1]).out
    assert (checkout.path / "config.json").read_text() == "mine\n"
    own = checkout.commit("Mine")
    assert f"is checked out at {own[:10]}, which is not the commit pinned so far" in source.pinned().out
    assert checkout.tip() == own


def test_a_gitmodules_that_git_would_not_read_is_not_written(source: Pinned) -> None:
    (source.clone.path / ".gitmodules").symlink_to("elsewhere")
    assert source.pin().code == 3
    (source.clone.path / ".gitmodules").unlink()
    source.clone.commit("Broken", {".gitmodules": "[submodule\n"})
    assert ".gitmodules cannot be read: bad config line 1" in source.pin().err
    source.clone.write({".gitmodules": None})
    assert ".gitmodules is deleted in the work tree" in source.pin().err
    assert source.index == ""


def test_another_git_at_work_means_that_nothing_changes(source: Pinned) -> None:
    (source.clone.path / ".git/index.lock").touch()
    done = source.pin()
    assert (done.code, "The index cannot be written" in done.err) == (30, True)
    assert not (source.clone.path / ".gitmodules").exists()


def test_one_repo_that_cannot_be_pinned_stops_the_others(source: Pinned) -> None:
    source.manifest(more='[repos.gone]\nurl = "file:///nowhere/gone.git"\nsubmodule = "models/gone"\n')
    done = source.pin()
    assert (done.code, "gone: is unreachable" in done.out, source.index) == (30, True, "")
    assert "Name the others to pin them alone." in done.out
    source.pinned("small")


def test_a_repo_without_a_place_is_told_how_to_get_one(source: Pinned) -> None:
    source.manifest("")
    assert "main is the source: it pins the others." in source.pin("main").err
    said = "openllm-repos manifest set repos.small.submodule models/small"
    assert [said in source.pin(*args).err for args in ((), ("small",))] == [True, True]
    assert source.run(*said.split()[1:]).code == 0
    source.pinned("small")
    assert "pinned at models/small" in source.run("manifest", "show").out
    added = source.run("manifest", "add", "big", "--model", "lemms/big", "--submodule", "models/small/big")
    assert "repos.big.submodule: and that of 'small' lie one in the other" in added.err


def test_an_empty_repo_and_a_bare_clone_have_nothing_to_pin(source: Pinned, tmp_path: Path) -> None:
    source.manifest(f'submodule = "{PATH}"\nbranch = "nowhere"')
    assert "has no branch nowhere yet" in source.pin().out
    bare = Clone.of(source.clone.url, tmp_path / "bare", "--bare")
    assert "is a bare clone" in source.run_cli("pin", cwd=bare.path).err


def test_a_linked_work_tree_has_an_index_of_its_own(source: Pinned, tmp_path: Path) -> None:
    source.clone.git("worktree", "add", "-q", str(tmp_path / "linked"))
    linked = Clone(tmp_path / "linked")
    assert source.run_cli("pin", cwd=linked.path).code == 0
    assert linked.git("status", "--porcelain") == f"A  .gitmodules\nA  {PATH}"
    assert source.index == ""


@pytest.mark.slow
def test_a_sparse_checkout_stays_sparse(source: Pinned) -> None:
    source.pinned("--to", "v1")
    source.clone.commit("Pin it", {"src/a.py": "a\n"})
    source.clone.git("sparse-checkout", "set", "--no-cone", "/src/", "/repos.toml")
    assert not (source.clone.path / ".gitmodules").exists()
    source.manifest(f'submodule = "{PATH}"\nbranch = "other"')
    source.work.git("push", "-q", source.model.url, f"{source.commits[1]}:refs/heads/other")
    source.pinned()
    assert source.clone.git("status", "--porcelain") == f"M  .gitmodules\nM  {PATH}\n M repos.toml"
    assert b"branch = other" in source.clone.run("cat-file", "blob", ":.gitmodules").out_bytes
    assert not (source.clone.path / "models").exists()


@pytest.mark.slow
def test_a_sparse_index_takes_a_pin_outside_of_its_cone(source: Pinned) -> None:
    source.commit("More", {"src/a.py": "a\n", "docs/b.md": "b\n", "models/notes/c.md": "c\n"})
    source.clone.git("sparse-checkout", "set", "--cone", "--sparse-index", "src")
    source.pinned()
    assert source.clone.git("status", "--porcelain") == f"A  .gitmodules\nA  {PATH}"
    source.clone.git("commit", "-qm", "Pin")
    assert source.clone.paths("HEAD") == [
        ".gitmodules",
        "app.py",
        "docs/b.md",
        "models/notes/c.md",
        PATH,
        "repos.toml",
        "src/a.py",
    ]
    source.clone.git("sparse-checkout", "reapply")
    source.pinned("--to=v1")
    assert source.clone.git("status", "--porcelain") == f"M  {PATH}"


@pytest.mark.slow
def test_sha256_and_a_partial_clone(tmp_path: Path, run_cli: RunCli) -> None:
    source = Pinned.make(tmp_path / "sha256", run_cli, object_format="sha256")
    source.pinned("--to", "v1")
    assert source.index == f"160000 {source.commits[0]} 0\t{PATH}"
    source.clone.commit("Pin it")
    source.clone.git("config", "uploadpack.allowFilter", "true")
    partial = Clone.of(source.clone.url, tmp_path / "partial", "--filter=blob:none", "--no-local")
    assert run_cli("pin", cwd=partial.path).code == 0
    assert partial.git("ls-files", "--stage", "--", PATH).split()[1] == source.commits[2]
