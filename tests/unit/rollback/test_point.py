"""What the name that a person gives to `rollback --to` stands for, and whether the target ever had that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from openllm_repos.errors import EnvironmentProblem, UsageError
from openllm_repos.family.imports import imported_from
from openllm_repos.family.relation import relate
from openllm_repos.family.remotes import RemoteState
from openllm_repos.family.state import TargetState
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.remote import Endpoint
from openllm_repos.lockfile.model import Lock, LockedRepo
from openllm_repos.lockfile.text import format_lock
from openllm_repos.manifest.maps import maps_digest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import BranchName, RepoName, TagName
from openllm_repos.names.url import RepoUrl
from openllm_repos.projection.changes import MappedPart
from openllm_repos.rollback.point import Finder, Point
from tests.support.repositories import Clone
from tests.support.stated import URLS, Stated, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

MISSING = ObjectId("1" * 40)
MODEL = "training/model.py"


@pytest.fixture
def stated(clone: Clone) -> Stated:
    """Return a target that was synced twice."""
    made = Stated.of(clone)
    made.sync({MODEL: "one\n"})
    made.source({"core/model.py": "two\n"})
    made.sync({MODEL: "two\n"})
    return made


def find(
    stated: Stated,
    name: str,
    *,
    own: Mapping[str, ObjectId] | None = None,
    sources: Mapping[str, ObjectId] | None = None,
    problem: str = "",
) -> Point:
    """Return what a name stands for, where the target has the tags `own`, and the source `sources`."""
    repository = stated.repository
    reached = Endpoint(URLS[0], URLS[0], "refs/remotes/origin")
    source = RemoteState(stated.manifest.source, reached, stated.head, tags=sources or {}, problem=problem)
    remote = stated.remote(tags=own or {})
    with ObjectReader(repository.git) as reader:
        relation = relate(repository, reader, stated.manifest, stated.target, stated.head, stated.tip)
        return Finder(stated.manifest, repository, reader, source, remote, relation).find(name)


def files(stated: Stated, point: Point) -> dict[str, bytes]:
    """Return the files of a point."""
    with ObjectReader(stated.repository.git) as reader:
        part = MappedPart(reader, stated.target.maps, stated.repository.object_format)
        return {
            one.path.decode(): reader.read(one.new[1]).data for one in part.files(point.files) if one.new is not None
        }


def locked(stated: Stated, target: ObjectId | None, source: ObjectId | None) -> ObjectId:
    """Commit the lock of 1.0.0 to the source, with a commit of the target; return the source commit that it names."""
    released, tag, main = stated.head, TagName("v1.0.0"), BranchName("main")
    repos = [LockedRepo(RepoName("main"), "source", "git", None, RepoUrl(URLS[0]), main, tag, released)]
    if target is not None:
        url = RepoUrl(URLS[1])
        repos.append(LockedRepo(RepoName("space"), "target", "git", None, url, main, tag, target, source=source))
    lock = Lock("x", "1.0.0", tag, f"sha256:{'0' * 64}", tuple(repos))
    stated.source({f"manifest/releases/{tag}.toml": format_lock(lock)})
    return released


def test_a_release_goes_by_its_version_and_its_tag_before_all_else(stated: Stated) -> None:
    edit = stated.edit({MODEL: "tuned\n"})
    released = locked(stated, edit, stated.head)
    later = stated.edit({MODEL: "later\n"})
    for name in ("1.0.0", "v1.0.0"):
        point = find(stated, name, own={name: later})
        assert (point.label, point.commit, point.source_commit) == ("v1.0.0", edit, released)
        assert (files(stated, point), point.open) == ({MODEL: b"tuned\n"}, (edit,))
    # a source that is away leaves the target's own tag of that name
    assert find(stated, "v1.0.0", own={"v1.0.0": later}, problem="away").commit == later


@pytest.mark.parametrize("case", ["no part of it", "a member of it", "rewritten since"])
def test_a_release_without_a_commit_of_the_target_is_made_of_the_sources(stated: Stated, case: str) -> None:
    first = ObjectId(stated.clone.tip("main^"))
    target, source = (None if case == "no part of it" else MISSING), (first if case == "rewritten since" else None)
    released = locked(stated, target, source)
    point = find(stated, "1.0.0")
    expected = (first, b"one\n") if source else (released, b"two\n")
    assert (point.commit, point.source_commit, files(stated, point)[MODEL]) == (None, *expected)


def test_a_tag_of_the_target_goes_before_one_of_the_source_before_a_commit(stated: Stated) -> None:
    first, sync = ObjectId(stated.clone.tip("main^")), ObjectId(stated.clone.tip("space"))
    stated.edit({"app.py": "app 2\n"})
    stated.clone.git("tag", "-a", "-m", "good", "good", sync)
    tag = ObjectId(stated.clone.git("rev-parse", "good"))
    for at in (sync, tag):  # with or without what it names, as a remote lists it
        point = find(stated, "good", own={"good": at}, sources={"good": first})
        assert (point.label, point.commit) == ("good", sync)
    assert find(stated, "good", sources={"good": first}).source_commit == first
    stated.clone.git("tag", "-f", "good", first)
    for lost in ({}, {"good": MISSING}):  # then what the clone means by it
        assert (find(stated, "good", sources=lost).label, find(stated, first).label) == (first[:10], first[:10])


def test_what_leads_nowhere_is_told(stated: Stated) -> None:
    said = "v9 is no release, no tag of space or the source, and no commit of theirs in this clone."
    with pytest.raises(UsageError, match=re.escape(said)):
        find(stated, "v9")
    stated.clone.orphan("side")
    side = ObjectId(stated.clone.commit("Elsewhere", {"x": "x"}))
    for name, own in ((side, {}), ("gone", {"gone": MISSING})):
        with pytest.raises(UsageError, match="is neither in the history of main of space nor in that of the source"):
            find(stated, name, own=own)
    first = ObjectId(stated.clone.tip("main^"))
    stated.manifest = parse(maps=[("core/late.py", "training/")])
    stated.source({"core/late.py": "late\n"})
    with pytest.raises(UsageError, match=f"The maps of space match no file up to {first[:10]}"):
        find(stated, first)


def test_what_the_source_gave_up_since_is_to_be_fetched_first(stated: Stated) -> None:
    """A release, and a sync, of a source commit that was rewritten away: this clone has no such commit."""
    sync = stated.sync({}, state=TargetState.of(stated.target, MISSING, stated.projected(stated.head)))
    stated.sync({})
    locked(stated, MISSING, MISSING)
    for name in (sync, "1.0.0"):
        with pytest.raises(EnvironmentProblem, match="leads to 1111111111 of the source, which is not in") as told:
            find(stated, name)
        assert told.value.hint == f"git fetch {URLS[0]} {MISSING}"


# ---- a commit of the target ------------------------------------------------------------------------------------------


def test_a_commit_of_the_target_has_what_it_had_edited_by_then(stated: Stated) -> None:
    edit = stated.edit({MODEL: "tuned\n"})
    adopted = TargetState.of(stated.target, stated.head, ObjectId("2" * 40), adopted=edit)
    at = stated.sync({}, state=adopted)
    stated.sync({})
    point = find(stated, at)
    assert (point.commit, point.adopted, point.notes, files(stated, point)) == (at, edit, (), {MODEL: b"tuned\n"})
    assert (point.source_commit, point.projected) == (stated.head, stated.projected(stated.head)), "made anew"
    exact = find(stated, ObjectId(stated.clone.tip("space")))
    assert exact.projected == stated.projected(stated.head)


def test_a_commit_through_other_maps_is_made_anew_from_the_source(stated: Stated) -> None:
    old = stated.edit({MODEL: "tuned\n"})
    stated.manifest = parse(maps=[("core/*.py", "lib/")])
    stated.sync({"lib/model.py": "two\n"})
    assert maps_digest(stated.target.maps) != maps_digest(parse().target("space").maps)
    point = find(stated, old)
    assert (point.commit, point.source_commit, files(stated, point)) == (None, stated.head, {"lib/model.py": b"two\n"})
    (note,) = point.notes
    assert note.startswith(f"The maps of space were others at {old[:10]}: the files are made from the source at")


def test_before_the_first_sync_only_a_copy_of_a_source_commit_is_the_sources(stated: Stated) -> None:
    first = ObjectId(stated.clone.tip("main^"))
    app = ObjectId(stated.clone.tip("space~2"))
    stated.sync({}, state=TargetState.of(stated.target, None, None))  # a first sync was undone
    undone = stated.tip
    stated.clone.merge(stated.projected(first), unrelated=True, files={MODEL: "two\n"})
    stated.sync({})
    for commit in (app, undone):
        with pytest.raises(UsageError, match=f"No sync had reached space at {commit[:10]}, or it was taken back"):
            find(stated, commit)
    assert find(stated, stated.projected(first)).source_commit == first


# ---- whether the target ever had it ----------------------------------------------------------------------------------


def had(stated: Stated, commit: ObjectId) -> bool:
    try:
        return find(stated, commit).source_commit == commit
    except UsageError as why:
        return why.hint != f"openllm-repos sync space --rev {commit[:10]}  # brings it"


def test_a_target_had_what_came_with_a_later_sync_and_nothing_newer(stated: Stated) -> None:
    undone = TargetState.of(stated.target, None, None)
    between = stated.source({"core/model.py": "three\n"})
    stated.source({"core/model.py": "four\n"})
    stated.sync({MODEL: "four\n"})
    stated.sync({}, state=undone)
    lost = TargetState.of(stated.target, MISSING, ObjectId("2" * 40))
    stated.sync({}, state=lost)
    newer = stated.source({"core/model.py": "five\n"})
    emptied = stated.source({"core/model.py": None})
    assert [had(stated, commit) for commit in (between, newer, emptied)] == [True, False, False]


def test_a_target_had_the_same_files_though_no_sync_says_so(stated: Stated) -> None:
    """Brought by another commit; edited there, and taken over by hand; edited there, and imported."""
    stated.source({"core/model.py": "three\n"})
    edit = stated.edit({MODEL: "by hand\n"})
    stated.sync({}, edit)
    taken = stated.source({"core/model.py": "by hand\n"})
    reverted = stated.source({"core/model.py": "three\n"})
    imported = stated.edit({MODEL: "imported\n"})
    other = stated.edit({MODEL: "other\n"})
    stated.clone.switch("side", at=stated.tip)
    aside = ObjectId(stated.clone.commit("Aside", {MODEL: "aside\n"}))
    heads = {}
    for made_of, text in ((imported, "imported\n"), (other, "not quite\n"), (aside, "aside\n")):
        said = f"Import\n\n{imported_from(stated.target, made_of)}\n"
        heads[text] = stated.commit("main", said, {"core/model.py": text})
    assert [had(stated, commit) for commit in (reverted, taken, *heads.values())] == [True, True, True, False, False]


def test_a_target_that_has_the_whole_history_had_all_of_it(stated: Stated) -> None:
    newer = stated.source({"core/model.py": "three\n"})
    stated.clone.switch("space")
    stated.clone.merge(stated.projected(newer), unrelated=True, files={MODEL: "three\n"})
    assert had(stated, newer)
