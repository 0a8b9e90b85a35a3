"""The gate as a function: lines and facts in, what is to be said out."""

from __future__ import annotations

import pytest

from openllm_repos.hooks.gate import Facts, Finding, Found, Reach, Sister, TagFacts, judge
from openllm_repos.hooks.lines import PushedRef
from openllm_repos.lockfile.model import Lock, LockedRepo
from openllm_repos.manifest import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.place import VersionPlace
from openllm_repos.names.ref import BranchName, RepoName, TagName
from openllm_repos.names.url import RepoUrl
from openllm_repos.plan import RefUpdate
from openllm_repos.versions.stated import Stated

MANIFEST = Manifest.parse("""
schema = 1
[project]
name = "openllm"
version = "VERSION"
[repos.main]
github = "louischua/openllm"
role = "source"
[repos.space]
space = "lemms/openllm"
[[repos.space.map]]
from = "core/*.py"
to = "training/"
[repos.model]
model = "lemms/small"
[repos.notes]
dataset = "lemms/notes"
release = false
""")
ALLOWING = Manifest.parse("""
schema = 1
hooks = { offline = "allow" }
project = { name = "openllm" }
repos = { main = { github = "louischua/openllm", role = "source" } }
""")
ZERO = ObjectId("0" * 40)
TAG, COMMIT, PARENT, WEIGHTS, OTHER = (ObjectId(digit * 40) for digit in "12345")
REF = "refs/tags/v1.0.0"
NO_LOCK = (
    "Neither its commit 2222222222 nor its message holds a lock of v1.0.0, so nothing says which commits of the"
    " other repos it goes with."
)


def line(ref: str = REF, *, new: ObjectId = TAG, old: ObjectId = ZERO) -> PushedRef:
    return PushedRef("whatever it is called here", RefUpdate(ref, old, new))


def repo(name: str, role: str, commit: ObjectId, tag: str = "v1.0.0") -> LockedRepo:
    url = RepoUrl("https://example.org/x.git")
    return LockedRepo(RepoName(name), role, "git", None, url, BranchName("main"), TagName(tag), commit)


def lock(*, tag: str = "v1.0.0", version: str = "1.0.0", source: ObjectId = PARENT) -> Found:
    repos = (repo("main", "source", source, tag), repo("model", "member", WEIGHTS))
    return Found(Lock("openllm", version, TagName(tag), "sha256:" + "0" * 64, repos), "the lock")


def says(version: str) -> Stated:
    return Stated(VersionPlace("VERSION"), "VERSION", version)


SOUND = TagFacts("tag", "v1.0.0", COMMIT, (PARENT,), (says("1.0.0"),), lock(), sisters=(Sister("model", WEIGHTS),))


def found(
    *lines: PushedRef, to: str = "main", manifest: Manifest = MANIFEST, tag: TagFacts = SOUND, **facts: object
) -> tuple[Finding, ...]:
    repos = tuple(repo for repo in manifest.repos if repo.name == to)
    return judge(lines, Facts(repos, tags={REF: tag}, **facts), manifest)  # type: ignore[arg-type]


def reasons(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.reason for finding in findings if finding.stops]


def changed(**changes: object) -> TagFacts:
    from dataclasses import replace

    return replace(SOUND, **changes)  # type: ignore[arg-type]


def test_a_sound_release_passes_without_a_word() -> None:
    assert found(line()) == ()


def test_a_push_without_lines_passes() -> None:
    assert found() == ()


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        (TagFacts("commit"), "It is a lightweight tag; a release tag is annotated and names a commit."),
        (TagFacts("blob"), "It names a blob; a release tag is annotated and names a commit."),
        (TagFacts("tag", "v1.0.0"), "It does not name a commit in the end."),
        (
            changed(named="v1"),
            "The tag's own name is v1: a release tag is pushed under the name that it was made with.",
        ),
        (changed(stated=(says("0.9"),)), "It stands for 1.0.0, but VERSION of its commit 2222222222 says 0.9."),
        (
            changed(stated=(Stated(VersionPlace("VERSION"), "VERSION", problem="is empty"),)),
            "It stands for 1.0.0, but VERSION of its commit 2222222222 is empty.",
        ),
        (
            changed(found=Found()),
            NO_LOCK,
        ),
        (changed(found=Found(None, "the lock", "The lock is torn.")), "The lock is torn."),
        (changed(found=lock(tag="v2.0.0")), "the lock is the lock of v2.0.0 (1.0.0)."),
        (changed(found=lock(version="2.0.0")), "the lock is the lock of v1.0.0 (2.0.0)."),
        (
            changed(found=lock(source=OTHER)),
            "It names 2222222222, but the release was made of 5555555555, says the lock.",
        ),
        (
            changed(sisters=(Sister("model", OTHER),)),
            "model has v1.0.0 at 5555555555, but the lock says 4444444444.",
        ),
        (
            changed(on_branch=False),
            "Its commit 2222222222 is on no branch of the remote, nor on one that this push brings there.",
        ),
    ],
)
def test_what_a_release_tag_must_not_be(tag: TagFacts, reason: str) -> None:
    assert reasons(found(line(), tag=tag)) == [reason]


def test_everything_that_is_wrong_is_told() -> None:
    tag = changed(named="v1", stated=(says("0.9"), says("0.8")), on_branch=False, found=Found())
    assert len(reasons(found(line(), tag=tag))) == 5


def test_a_version_made_from_the_tag_agrees_with_it() -> None:
    assert found(line(), tag=changed(stated=(Stated(VersionPlace("pyproject.toml"), "", by_tag=True),))) == ()


def test_the_lock_may_name_the_tagged_commit_itself() -> None:
    assert found(line(), tag=changed(found=lock(source=COMMIT))) == ()


def test_a_release_tag_is_neither_moved_nor_deleted() -> None:
    assert reasons(found(line(old=OTHER))) == ["A release tag is not moved: the remote has it at 5555555555 already."]
    assert reasons(found(line(new=ZERO, old=OTHER))) == [
        "A tag of a release is not deleted: others have it, or build on it."
    ]
    assert found(line(old=TAG)) == ()


def test_a_repo_that_does_not_have_the_tag_yet_is_told_of_only() -> None:
    [finding] = found(line(), tag=changed(sisters=(Sister("model"),)))
    assert (finding.stops, finding.reason) == (False, "model does not have v1.0.0 yet.")
    assert finding.hint == "openllm-repos release 1.0.0 --resume  # finishes it"


@pytest.mark.parametrize("manifest", [MANIFEST, ALLOWING])
def test_what_is_not_known_stops_or_not_as_the_manifest_says(manifest: Manifest) -> None:
    tag = changed(on_branch=None, sisters=(Sister("model", problem="no answer"),))
    stops = [finding.stops for finding in found(line(), manifest=manifest, tag=tag)]
    assert stops == [manifest is MANIFEST] * 2


def test_a_remote_that_has_gone_on_is_to_be_fetched() -> None:
    [finding] = found(line(), tag=changed(on_branch=None))
    assert finding.hint.startswith(f"git fetch {MANIFEST.source.url} main  # then push again;")


def test_a_tag_that_no_release_made_is_deleted() -> None:
    gone = line(new=ZERO, old=OTHER)
    elsewhere = changed(commit=OTHER, parents=())
    for tag in (TagFacts("commit"), changed(found=Found()), changed(found=lock(tag="v2.0.0")), elsewhere):
        assert found(gone, tag=tag) == ()
    assert reasons(found(gone, tag=TagFacts(""))) == [
        "Whether it belongs to a release cannot be told: 5555555555 is not in this clone."
    ]
    assert found(gone, to="model", tag=TagFacts("")) == ()
    assert len(reasons(found(gone, to="model", tag=TagFacts("", found=lock())))) == 1
    assert len(reasons(found(gone, to="model", tag=changed(commit=WEIGHTS)))) == 1
    assert found(gone, to="model", tag=changed(commit=OTHER)) == ()
    assert len(reasons(found(gone, tag=changed(found=Found(None, "the lock", "The lock is torn."))))) == 1


def test_what_goes_to_another_place_than_the_family_s_is_not_judged() -> None:
    assert found(line(), line(new=ZERO, old=OTHER), to="elsewhere", tag=TagFacts("commit")) == ()


def test_other_tags_branches_and_repos_without_releases_do_not_count() -> None:
    bad = TagFacts("commit")
    assert found(line("refs/tags/vx"), line("refs/heads/v1.0.0"), line("refs/notes/v1.0.0"), tag=bad) == ()
    assert found(line(), to="notes", tag=bad) == ()


def test_a_tag_of_another_repo_is_what_the_source_s_lock_says() -> None:
    weights = changed(commit=WEIGHTS, stated=())
    assert found(line(), to="model", tag=weights) == ()
    assert reasons(found(line(), to="model", tag=changed(stated=()))) == [
        "It names 2222222222, but the lock says 4444444444 for model."
    ]
    assert reasons(found(line(), to="model", tag=changed(commit=WEIGHTS, found=Found()))) == [
        "The source has no lock of 1.0.0, so no release puts v1.0.0 into model."
    ]
    assert reasons(found(line(), to="space", tag=weights, reach={REF: Reach()})) == [
        "the lock does not put v1.0.0 into space."
    ]
    assert found(line(), to="model", tag=changed(commit=WEIGHTS, found=Found()), ours=frozenset({REF})) == ()


MAIN = "refs/heads/main"


def test_what_a_push_by_hand_to_a_target_must_not_reach() -> None:
    def reached(reach: Reach, ref: str = MAIN) -> list[str]:
        return reasons(found(line(ref, old=OTHER), to="space", reach={ref: reach}))

    assert reached(Reach()) == []
    assert reached(Reach(mapped=("training/a.py",))) == [
        "It changes training/a.py of space, which its maps write from the source."
    ]
    assert reached(Reach(mapped=("a", "b", "c", "d", "e")))[0].startswith("It changes a, b, c and 2 more of space")
    assert reached(Reach(never=("data/x",), mapped=("training/a.py",))) == [
        "It brings data/x to space, which may never leave the source."
    ]
    assert reached(Reach(known=False)) == [
        "What it changes in space cannot be told: the tip there, 5555555555, is not in this clone."
    ]
    assert reached(Reach(mapped=("training/a.py",)), "refs/heads/try") == []
    assert len(reached(Reach(never=("data/x",)), "refs/heads/try")) == 1
    assert len(reached(Reach(never=("data/x",)), "refs/tags/try")) == 1


def test_the_branch_of_a_target_is_not_deleted_any_other_is() -> None:
    assert reasons(found(line(MAIN, new=ZERO, old=OTHER), to="space")) == [
        "It is the branch that space is synced to, and would be deleted."
    ]
    assert found(line("refs/heads/try", new=ZERO, old=OTHER), to="space") == ()


def test_what_an_operation_of_our_own_is_about_to_do_passes() -> None:
    assert found(line(MAIN), to="space", ours=frozenset({MAIN})) == ()
