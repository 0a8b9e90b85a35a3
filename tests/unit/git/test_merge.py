"""Merging in the object store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from openllm_repos.git.merge import Merged, Sides, merge, merge_overlaps, three_sides
from openllm_repos.git.pack import PackWriter
from openllm_repos.git.process import Completed, Git, GitFailed
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Change, Conflict
from tests.support.family import text
from tests.support.fingerprint import listing
from tests.support.history import Spec, make_history
from tests.support.repositories import Clone
from tests.support.sealed import SealedHome

Files = Mapping[str | bytes, str | bytes]
ADDED, MODIFIED, DELETED, FOLDER = Change.ADDED, Change.MODIFIED, Change.DELETED, Change.FOLDER


def _sides(clone: Clone, base: Files, ours: Files, theirs: Files) -> tuple[Repository, Sides]:
    specs = [Spec(changes=dict(files), whole=True) for files in (base, ours, theirs)]
    refs = {f"refs/heads/side{number}": number for number in range(3)}
    trees = [clone.git("rev-parse", f"{made}^{{tree}}").encode() for made in make_history(clone, specs, refs=refs)]
    repository = Repository.open(clone.path)
    with PackWriter(repository.git, repository.objects_dir, repository.object_format) as writer:
        return repository, three_sides(writer, *trees)


def _merged(clone: Clone, base: Files, ours: Files, theirs: Files) -> Merged:
    return merge(*_sides(clone, base, ours, theirs))


def _conflicts(clone: Clone, base: Files, ours: Files, theirs: Files) -> tuple[Conflict, ...]:
    merged = _merged(clone, base, ours, theirs)
    assert merged.tree is None
    return merged.conflicts


def test_changes_of_both_sides_come_together(clone: Clone) -> None:
    merged = _merged(
        clone, {"f": text(), "g": "g"}, {"f": text(l1="ours"), "own": "o"}, {"f": text(l20="theirs"), "g": "g"}
    )
    assert merged.tree is not None
    assert clone.files(merged.tree) == {"f": text(l1="ours", l20="theirs").encode(), "own": b"o"}
    assert merged.conflicts == ()


def test_where_a_merge_would_stop_is_named_before_it_is_made(clone: Clone) -> None:
    start = clone.commit("Start", {name: text() for name in ("b", "a", "fine")})
    one = ObjectId(clone.commit("One", {name: text(l1="one") for name in ("b", "a", "fine")}))
    clone.switch("side", at=start)
    clean = ObjectId(clone.commit("Clean", {"fine": text(l20="side")}))
    two = ObjectId(clone.commit("Two", {name: text(l1="two") for name in ("b", "a")}))
    repository = Repository.open(clone.path)
    assert merge_overlaps(repository, one, two) == merge_overlaps(repository, two, one) == (b"a", b"b")
    assert merge_overlaps(repository, one, clean) == ()


def test_an_edit_follows_a_rename(clone: Clone) -> None:
    merged = _merged(clone, {"old": text()}, {"old": text(l1="ours")}, {"new": text()})
    assert merged.tree is not None
    assert clone.files(merged.tree) == {"new": text(l1="ours").encode()}


def test_each_conflict_says_what_either_side_did(clone: Clone) -> None:
    base: Files = {"both": "0\n", "gone here": "0\n", "gone there": "0\n", "fine": "0\n"}
    ours: Files = {"both": "1\n", "gone there": "1\n", "new": "1\n", "fine": "1\n"}
    theirs: Files = {"both": "2\n", "gone here": "2\n", "new": "2\n", "fine": "0\n"}
    assert _conflicts(clone, base, ours, theirs) == (
        Conflict(b"both", MODIFIED, MODIFIED),
        Conflict(b"gone here", MODIFIED, DELETED),
        Conflict(b"gone there", DELETED, MODIFIED),
        Conflict(b"new", ADDED, ADDED),
    )


def test_a_file_against_a_folder_is_told_by_its_own_name(clone: Clone) -> None:
    assert _conflicts(clone, {}, {"x/inner": "1"}, {"x": "2"}) == (Conflict(b"x", ADDED, FOLDER),)
    assert _conflicts(clone, {}, {"y": "1"}, {"y/inner": "2"}) == (Conflict(b"y", FOLDER, ADDED),)
    (conflict,) = _conflicts(clone, {"z": "0"}, {"z": "1"}, {"z/inner": "2"})
    assert str(conflict) == "a folder in the source, a file in the target"


def test_a_file_that_both_sides_renamed_is_told_with_both_names(clone: Clone) -> None:
    main, new, other = _conflicts(clone, {"a": text()}, {"tom": text(l3="tom")}, {"una": text(l9="una")})
    assert (main.path, main.source_path, main.target_path) == (b"a", b"una", b"tom")
    assert str(main) == "renamed to una in the source, to tom in the target"
    assert (new.path, other.path) == (b"tom", b"una")


def test_a_file_that_one_side_renamed_and_the_other_deleted_is_told_with_its_name_before(clone: Clone) -> None:
    (ours,) = _conflicts(clone, {"a": text()}, {"tom": text()}, {})
    (theirs,) = _conflicts(clone, {"a": text()}, {}, {"una": text()})
    assert (ours.path, str(ours)) == (b"tom", "deleted in the source, renamed from a in the target")
    assert (theirs.path, str(theirs)) == (b"una", "renamed from a in the source, deleted in the target")


LF, CRLF, OTHER_CRLF = text(), text().replace("\n", "\r\n"), text(l3="una").replace("\n", "\r\n")
ALONE = "changed in line ends alone"


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "said"),
    [
        (LF, CRLF, text(l3="una"), f"modified in the source, {ALONE} in the target (CRLF in the target)"),
        (CRLF, LF, OTHER_CRLF, f"modified in the source, {ALONE} in the target (CRLF in the source)"),
        (LF, text(l3="tom"), CRLF, f"{ALONE} in the source, modified in the target (CRLF in the source)"),
        (LF, OTHER_CRLF, text(l3="una"), "differs in line ends alone (CRLF in the target)"),
        (None, LF, CRLF, "differs in line ends alone (CRLF in the source)"),
        (LF, text(l3="tom"), text(l3="una"), "modified in the source, modified in the target"),
    ],
)
def test_line_ends_that_alone_are_in_the_way_are_told(
    clone: Clone, base: str | None, ours: str, theirs: str, said: str
) -> None:
    (found,) = _conflicts(clone, {} if base is None else {"f": base}, {"f": ours}, {"f": theirs})
    assert str(found) == said


def test_odd_names_come_as_bytes(clone: Clone) -> None:
    odd = b"caf\xe9\n\ttab"
    assert _conflicts(clone, {}, {odd: "1"}, {odd: "2"}) == (Conflict(odd, ADDED, ADDED),)


def test_the_same_trees_make_the_same_sides(clone: Clone) -> None:
    files: tuple[Files, Files, Files] = ({"f": "1"}, {"f": "2"}, {"f": "3"})
    assert _sides(clone, *files)[1] == _sides(clone, *files)[1]


def test_neither_work_tree_nor_index_nor_refs_change(clone: Clone) -> None:
    clone.commit("mine", {"f": "checked out\n"})
    repository, sides = _sides(clone, {"f": "1"}, {"f": "2"}, {"f": "3"})
    before = {path: seen for path, seen in listing(clone.path).items() if not path.startswith(".git/objects")}
    assert merge(repository, sides).conflicts
    after = {path: seen for path, seen in listing(clone.path).items() if not path.startswith(".git/objects")}
    assert after == before


def test_a_conflict_without_a_path_is_a_failure(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    repository, sides = _sides(clone, {"f": "1"}, {"f": "2"}, {"f": "3"})
    monkeypatch.setattr(Git, "run", lambda *_, **__: Completed(1, b"0" * 40 + b"\0", b"no memory"))
    with pytest.raises(GitFailed, match="git merge-tree failed: no memory"):
        merge(repository, sides)


FOREIGN = "touch {witness}; echo foreign > %A; exit 0"
HOSTILE = {
    "merge.default": ["mine", "ours", "union", "binary"],
    "merge.text.driver": [FOREIGN],
    "merge.binary.driver": [FOREIGN],
    "merge.union.driver": [FOREIGN],
    "merge.mine.driver": [FOREIGN],
    "merge.renames": ["false", "copies"],
    "merge.renameLimit": ["1"],
    "merge.directoryRenames": ["true"],
    "merge.renormalize": ["true"],
    "diff.algorithm": ["patience", "minimal", "myers"],
    "diff.renames": ["false"],
    "diff.renameLimit": ["1"],
    "diff.orderFile": ["/nowhere"],
    "core.attributesFile": ["{attributes}"],
    "core.autocrlf": ["true"],
    "core.eol": ["crlf"],
    "core.bigFileThreshold": ["1"],
}
ATTRIBUTES = ["* merge=mine", "* merge=union", "* merge=binary", "* -merge", "* -text binary", "* text eol=crlf"]


@pytest.mark.parametrize("place", ["global", "clone"])
def test_no_setting_driver_or_attribute_of_a_person_changes_a_merge(
    clone: Clone, home: SealedHome, tmp_path: Path, place: str
) -> None:
    base: dict[str | bytes, str | bytes] = {
        "f": text(),
        "both": text(),
        "old": text(l5="x"),
        "gone": "1\n",
        "crlf": "a\r\nb\r\n",
    }
    ours = {**base, "f": text(l1="ours"), "both": text(l10="ours"), "old": text(l5="y"), "crlf": "a\r\nc\r\n"}
    theirs = {**base, "f": text(l20="theirs"), "both": text(l10="theirs"), "new": base["old"], "gone": "2\n"}
    del theirs["old"], ours["gone"]
    repository, sides = _sides(clone, base, ours, theirs)
    expected = merge(repository, sides)
    assert [conflict.path for conflict in expected.conflicts] == [b"both", b"gone"]
    witness, attributes = tmp_path / "witness", tmp_path / "attributes"
    attributes.write_text("* merge=mine diff=mine\n", encoding="ascii")
    for key, values in HOSTILE.items():
        for value in values:
            written = value.format(witness=witness, attributes=attributes) if "{" in value else value
            if place == "global":
                home.set(key, written)
            else:
                clone.git("config", "--add", key, written)
    info = clone.path / ".git/info/attributes"
    for line in ATTRIBUTES:
        for file in (info, attributes, clone.path / ".gitattributes"):
            file.write_text(f"{line}\n", encoding="ascii")
        assert merge(repository, sides) == expected
    assert not witness.exists()


@pytest.mark.slow
@pytest.mark.parametrize("key", HOSTILE)
def test_no_single_setting_changes_a_merge(clone: Clone, home: SealedHome, tmp_path: Path, key: str) -> None:
    repository, sides = _sides(
        clone,
        {"f": text(), "old": text(l5="x"), "both": text()},
        {"f": text(l1="ours"), "old": text(l5="y"), "both": text(l10="ours")},
        {"f": text(l20="theirs"), "new": text(l5="x"), "both": text(l10="theirs")},
    )
    expected = merge(repository, sides)
    for value in HOSTILE[key]:
        home.set(key, value.replace("{witness}", str(tmp_path / "w")).replace("{attributes}", str(tmp_path / "none")))
        assert merge(repository, sides) == expected
