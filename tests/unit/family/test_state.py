"""The state that a target's own history says, and what merely looks like one."""

from __future__ import annotations

import pytest

from openllm_repos.errors import ConflictError
from openllm_repos.family.state import StateCommit, TargetState, find_state, list_maps, merged_by_hand, own_since
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.maps import Map, maps_digest
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.url import RepoUrl
from openllm_repos.projection.changes import MappedPart
from tests.support.repositories import Clone

SOURCE = RepoUrl("https://github.com/louischua/openllm")
ONE, TWO = ObjectId("1" * 40), ObjectId("2" * 40)
DIGEST = "d" * 64


@pytest.fixture
def manifest() -> Manifest:
    return Manifest.parse(
        f'schema = 1\n[project]\nname = "x"\n[repos.main]\nurl = "{SOURCE}"\nrole = "source"\n'
        '[repos.space]\nurl = "https://huggingface.co/spaces/lemms/openllm"\n'
        '[[repos.space.map]]\nfrom = "core/*.py"\nto = "training/"\n'
    )


def _message(source: str = SOURCE, commit: str = ONE, projected: str = TWO, digest: str = DIGEST) -> str:
    return f"Sync\n\nSource-Repo: {source}\nSource-Commit: {commit}\nProjected-Commit: {projected}\nMaps: {digest}\n"


def _found(clone: Clone) -> StateCommit | None:
    repository = Repository.open(clone.path)
    with ObjectReader(repository.git) as reader:
        return find_state(repository, reader, ObjectId(clone.tip()), SOURCE)


def test_the_newest_sync_is_found_below_later_work(clone: Clone) -> None:
    clone.commit(_message(commit="3" * 40))
    sync = clone.commit(_message())
    clone.commit("Later work")
    assert _found(clone) == StateCommit(ObjectId(sync), TargetState(ONE, TWO, (), DIGEST))


def test_a_target_that_was_never_synced(clone: Clone) -> None:
    clone.commit("Own work")
    assert _found(clone) is None


def test_a_sync_on_a_merged_branch_is_found(clone: Clone) -> None:
    clone.commit("Start")
    clone.switch("side", at="main")
    sync = clone.commit(_message())
    clone.switch("main")
    clone.commit("Own")
    clone.merge("side")
    found = _found(clone)
    assert found is not None
    assert found.id == sync


def test_the_newest_is_told_by_the_history_not_by_the_clock(clone: Clone) -> None:
    clone.commit(_message(commit="3" * 40))
    clone.now -= 10_000_000
    newest = clone.commit(_message())
    found = _found(clone)
    assert found is not None
    assert found.id == newest


def test_other_spellings_of_the_source_are_the_same_source(clone: Clone) -> None:
    clone.commit(_message(source="git@github.com:louischua/openllm.git"))
    assert _found(clone) is not None


def test_a_source_that_moved_is_still_the_source(clone: Clone) -> None:
    """The repository was renamed on GitHub: the sync names the old URL, but its source commit is in this clone."""
    known = ObjectId(clone.commit("A commit of the source"))
    sync = clone.commit(_message(source="https://github.com/old/name", commit=known))
    found = _found(clone)
    assert found is not None
    assert (found.id, found.state.source_commit) == (sync, known)


def test_a_sync_says_its_maps_and_its_digest_says_whether_they_are_still_the_same(clone: Clone) -> None:
    maps = (Map.of("core/src/*.py", "training/"), Map.of("configs/*.json", "configs/"))
    listed = "    core/src/*.py -> training/\n"
    for said, expected in ((maps[:1], maps[:1]), (maps, ())):
        text = _message(digest=maps_digest(said))
        clone.commit(text.replace("Sync\n\n", f"Sync\n\n{listed}\n"))
        found = _found(clone)
        assert found is not None
        assert found.state.maps == expected
    clone.commit(_message(digest=maps_digest(maps)).replace("Sync\n\n", "Sync\n\n    ../core -> /\n\n"))
    found = _found(clone)
    assert found is not None
    assert found.state.maps == ()


def test_the_persons_settings_for_trailers_change_nothing(clone: Clone) -> None:
    sync = clone.commit(_message())
    clone.git("config", "trailer.separators", "=")
    clone.git("config", "trailer.sc.key", "Source-Commit #")
    found = _found(clone)
    assert found is not None
    assert found.id == sync


def test_every_state_is_read_as_it_was_written(clone: Clone, manifest: Manifest) -> None:
    target = manifest.target("space")
    for state in (
        TargetState.of(target, ONE, TWO),
        TargetState.of(target, None, None, [TWO]),
        TargetState.of(target, ONE, TWO, [TWO, ONE], "v1.0.0"),
    ):
        rows = f"Words\n\n{list_maps(state.maps)}\n\n{state.trailers(manifest.source)}"
        for message in (rows, rows.replace("\n", "\r\n")):
            made = clone.commit(message)
            assert _found(clone) == StateCommit(ObjectId(made), state)


def test_two_lines_that_each_have_a_state_are_refused(clone: Clone) -> None:
    clone.commit("Start")
    clone.switch("side", at="main")
    clone.commit(_message())
    clone.switch("main")
    clone.commit(_message(commit="3" * 40))
    clone.merge("side")
    with pytest.raises(ConflictError, match="Two lines of the target's history"):
        _found(clone)


def test_a_merge_of_an_older_state_is_no_second_one(clone: Clone) -> None:
    clone.commit(_message(commit="3" * 40))
    clone.switch("side", at="main")
    clone.commit("Own")
    clone.switch("main")
    newest = clone.commit(_message())
    clone.merge("side")
    found = _found(clone)
    assert found is not None
    assert found.id == newest


def test_what_is_from_elsewhere_or_only_looks_like_a_sync_is_passed_over(clone: Clone) -> None:
    sync = clone.commit(_message())
    clone.commit(_message(source="https://github.com/somebody/else"))
    clone.commit(_message(commit="HEAD"))
    clone.commit(f"Talks of it\n\nProjected-Commit: {TWO}\n\nNo trailer, since this follows.\n")
    clone.commit(f"Half of it\n\nProjected-Commit: {TWO}\n")
    clone.commit(_message(projected="--all"))
    clone.commit(_message().replace(f"Source-Commit: {ONE}\n", f"Source-Commit: {ONE}\nSource-Commit: {TWO}\n"))
    found = _found(clone)
    assert found is not None
    assert found.id == sync


LINES = "".join(f"line {number}\n" for number in range(9))


@pytest.mark.parametrize(
    ("kept", "counts"),
    [
        ({}, False),
        ({"training/a.py": LINES.replace("line 4", "by hand")}, True),
        ({"training/b.py": "by hand\n"}, True),
        ({"app.py": "by hand\n"}, False),
        ({"training/b.py": "side\n"}, False),  # as one of both sides has it
    ],
    ids=["as git merges", "in a file of both sides", "in a file of one side", "in a file of its own", "one side's"],
)
def test_a_merge_counts_where_a_person_changed_what_git_makes_of_it(
    clone: Clone, manifest: Manifest, kept: dict[str, str], *, counts: bool
) -> None:
    start = clone.commit("Start", {"training/a.py": LINES, "training/b.py": "b\n", "app.py": "app\n"})
    clone.switch("side", at="main")
    side = clone.commit("Side", {"training/a.py": LINES.replace("line 0", "side"), "training/b.py": "side\n"})
    clone.switch("main")
    own = clone.commit("Own", {"training/a.py": LINES.replace("line 8", "own")})
    merge = clone.merge("side", files=kept)
    (target,) = manifest.targets
    repository, at = Repository.open(clone.path), ObjectId(start)
    with ObjectReader(repository.git) as reader:
        state = StateCommit(at, TargetState.of(target, None, at, (ONE,)), written=False)
        found = own_since(repository, reader, target.maps, ObjectId(merge), state)
    assert found[0] == ONE
    assert set(found[1:]) == {side, own, *([merge] if counts else [])}


def test_of_a_merge_of_three_counts_what_no_parent_has(clone: Clone, manifest: Manifest) -> None:
    clone.commit("Start", {f"training/{name}.py": f"{name}\n" for name in "abc"})
    for name in "ab":
        clone.switch(name, at="main")
        clone.commit(name, {f"training/{name}.py": "side\n"})
    clone.switch("main")
    clone.commit("Own", {"app.py": "app\n"})
    merge = clone.merge("a", "b", files={"training/a.py": "by hand\n"})
    repository, (target,) = Repository.open(clone.path), manifest.targets
    with ObjectReader(repository.git) as reader:
        part = MappedPart(reader, target.maps, repository.object_format)
        assert [*merged_by_hand(repository, reader, part, ObjectId(merge))] == [b"training/a.py"]
