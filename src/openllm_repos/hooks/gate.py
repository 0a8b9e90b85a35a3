"""The gate: what may be pushed, decided from the pushed lines and the facts about them. No input or output here.

Every line is judged, and every reason is given. `--no-verify` goes round the gate, and so do programs that run no
hooks; what they let through, a check of the tags on the remotes finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from openllm_repos.hint import command_line
from openllm_repos.hooks.lines import BRANCHES, PushedRef
from openllm_repos.lockfile.model import Lock
from openllm_repos.manifest.model import Manifest, Offline, Repo, Role
from openllm_repos.names.objectid import ObjectId
from openllm_repos.versions.order import same
from openllm_repos.versions.stated import Stated

_NO_VERIFY = "'git push --no-verify' skips this check."
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Sister:
    """How another repo holds the tag.

    Attributes:
        name: the repo, one of the lock.
        held: the commit that its tag names, None where it has no such tag.
        problem: why it did not say, or an empty string.
    """

    name: str
    held: ObjectId | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The lock that a tag belongs to.

    Attributes:
        lock: the lock, None where there is none, or none that can be read.
        place: where it stands, for people.
        fault: why it cannot be read, or an empty string.
    """

    lock: Lock | None = None
    place: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class TagFacts:
    """A release tag that is pushed or deleted.

    Attributes:
        kind: the type of the object: ``tag`` where it is annotated, empty where it is not in this clone.
        named: the name in the tag object, which a push may change on its way.
        commit: the commit that it names in the end, None where it names something else.
        parents: the parents of that commit.
        stated: what the version files of that commit say.
        found: the lock: of the commit, or the tag's own; for a tag of another repo than the source, that of the source.
        on_branch: whether that commit is on a branch of the remote, or of this push; None where it cannot be told.
        sisters: the other repos of the lock.
    """

    kind: str
    named: str = ""
    commit: ObjectId | None = None
    parents: tuple[ObjectId, ...] = ()
    stated: tuple[Stated, ...] = ()
    found: Found = Found()
    on_branch: bool | None = True
    sisters: tuple[Sister, ...] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """What a push by hand reaches in a target.

    Attributes:
        mapped: paths that maps write and that it changes.
        never: paths that may not reach a target and that one of its commits brings.
        known: whether it can be told; not where the target's own tip is not in this clone.
    """

    mapped: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    known: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of a push, beside its lines.

    Attributes:
        repos: the repos that it goes to: more than one where they are branches of one repository, none where the URL is
            no repo of the family. A fork or a backup releases nothing, whatever tags it holds.
        ours: refs whose move an operation of our own has written down and not yet ended.
        tags: for each ref that is to be a release tag, or is one and is deleted, what is known of it.
        reach: for each ref of a target, what its move reaches.
    """

    repos: tuple[Repo, ...] = ()
    ours: frozenset[str] = frozenset()
    tags: Mapping[str, TagFacts] = field(default_factory=dict)
    reach: Mapping[str, Reach] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say about a pushed ref.

    Attributes:
        ref: its full name.
        reason: one sentence.
        hint: what to do.
        stops: whether the push is stopped for it.
    """

    ref: str
    reason: str
    hint: str
    stops: bool = True


def release_version(manifest: Manifest, repos: Sequence[Repo], line: PushedRef) -> str | None:
    """Return the version that a pushed ref releases, or None where it is no release tag.

    Args:
        manifest: says what release tags look like, for each repo.
        repos: where it goes.
        line: the ref.
    """
    if line.tag is None:
        return None
    forms = [manifest.tag_form(repo) for repo in repos if repo.release]
    return next((version for form in forms if (version := form.version_of(line.tag)) is not None), None)


def judge(lines: Sequence[PushedRef], facts: Facts, manifest: Manifest) -> tuple[Finding, ...]:
    """Judge a push.

    Args:
        lines: all that it moves.
        facts: what is known of it.
        manifest: the family, and what to do where a repo does not answer.

    Returns:
        What is to be said, in the order of the lines. The push goes on where none of it stops.
    """
    found: list[Finding] = []
    for line in lines:
        version = release_version(manifest, facts.repos, line)
        if version is not None:
            alone = len(lines) == 1
            found += _judge_tag(line, version, facts, manifest, alone=alone)
        if any(repo.role is Role.TARGET for repo in facts.repos):
            found += _judge_target(line, facts)
    return tuple(found)


def _judge_tag(line: PushedRef, version: str, facts: Facts, manifest: Manifest, *, alone: bool) -> Iterator[Finding]:
    if line.new.is_zero:
        yield from _judge_deletion(line, facts.tags[line.ref], facts.repos, manifest)
        return
    if not line.old.is_zero and line.old != line.new:
        yield Finding(
            line.ref,
            f"A release tag is not moved: the remote has it at {line.old[:10]} already.",
            "Release the next version: 'openllm-repos release VERSION'.",
        )
        return
    tag = facts.tags[line.ref]
    drop = _without(line, version, alone=alone)
    if tag.kind != "tag":
        what = "is a lightweight tag" if tag.kind == "commit" else f"names a {tag.kind}"
        yield Finding(line.ref, f"It {what}; a release tag is annotated and names a commit.", drop)
        return
    if tag.commit is None:
        yield Finding(line.ref, "It does not name a commit in the end.", drop)
        return
    if tag.named != line.tag:
        yield Finding(
            line.ref,
            f"The tag's own name is {tag.named}: a release tag is pushed under the name that it was made with.",
            drop,
        )
    yield from _judge_version(line, version, tag.commit, tag.stated)
    if manifest.source in facts.repos:
        yield from _judge_release(line, version, tag.commit, tag, manifest, drop)
    elif line.ref not in facts.ours:
        yield from _judge_member(line, version, tag.commit, tag.found, facts.repos, drop)


def _judge_deletion(line: PushedRef, tag: TagFacts, repos: Sequence[Repo], manifest: Manifest) -> Iterator[Finding]:
    """A tag that no release made may go again; one of a release stays, since others have it or build on it."""
    lock, at_source = tag.found.lock, manifest.source in repos
    if lock is None:
        locked = []
    elif at_source:
        locked = [lock.source] if lock.tag == line.tag else []
    else:
        locked = [one for repo in repos if (one := lock.repo(repo.name)) is not None and one.tag == line.tag]
    if not tag.kind and (locked or at_source):
        yield Finding(
            line.ref,
            f"Whether it belongs to a release cannot be told: {line.old[:10]} is not in this clone.",
            command_line("git", "fetch", repos[0].url, line.ref, remark="then push again"),
        )
    places = {tag.commit, *(tag.parents if at_source else ())}
    if tag.found.fault or any(one.commit in places for one in locked):
        yield Finding(line.ref, "A tag of a release is not deleted: others have it, or build on it.", _NO_VERIFY)


def _without(line: PushedRef, version: str, *, alone: bool) -> str:
    """The command for a tag that is no release: it came along with something else, or was to be one."""
    if not alone:
        keep = command_line("git", "push", "--no-follow-tags", remark="leaves the tag here")
        return f"{keep}\n{command_line('git', 'tag', '-d', line.tag, remark='or deletes it')}"
    make = command_line("openllm-repos", "release", version, remark="makes them, if it was to be a release")
    return f"{command_line('git', 'tag', '-d', line.tag)}\n{make}"


def _judge_version(line: PushedRef, version: str, commit: ObjectId, stated: Sequence[Stated]) -> Iterator[Finding]:
    for one in stated:
        if not one.agrees(version):
            says = f"says {one.version}" if one.version is not None else one.problem
            yield Finding(
                line.ref,
                f"It stands for {version}, but {one.file} of its commit {commit[:10]} {says}.",
                "Change the file, commit, and release that commit.",
            )


def _judge_release(
    line: PushedRef, version: str, commit: ObjectId, tag: TagFacts, manifest: Manifest, drop: str
) -> Iterator[Finding]:
    """A tag of the source: the release itself."""
    at = commit[:10]
    if tag.on_branch is False:
        yield Finding(
            line.ref,
            f"Its commit {at} is on no branch of the remote, nor on one that this push brings there.",
            command_line("git", "push", "origin", manifest.source.branch, remark="then push the tag again"),
        )
    elif tag.on_branch is None:
        fetch = command_line("git", "fetch", manifest.source.url, manifest.source.branch)
        yield _unknown(line.ref, f"Whether {at} is on a branch of the remote cannot be told here.", manifest, fetch)
    lock, place = tag.found.lock, tag.found.place
    if lock is None:
        why = tag.found.fault or f"Neither its commit {at} nor its message holds a lock of {line.tag}, so nothing says"
        more = "" if tag.found.fault else " which commits of the other repos it goes with."
        yield Finding(line.ref, why + more, drop)
    elif lock.tag != line.tag or not same(lock.version, version):
        yield Finding(line.ref, f"{place} is the lock of {lock.tag} ({lock.version}).", drop)
    elif lock.source.commit not in (commit, *tag.parents):
        said = lock.source.commit[:10]
        yield Finding(line.ref, f"It names {at}, but the release was made of {said}, says {place}.", drop)
    else:
        yield from _judge_sisters(line, lock, tag.sisters, manifest)


def _judge_sisters(line: PushedRef, lock: Lock, sisters: Sequence[Sister], manifest: Manifest) -> Iterator[Finding]:
    for sister in sisters:
        locked = lock.repo(sister.name)
        assert locked is not None  # sisters are those of the lock
        if sister.problem:
            yield _unknown(
                line.ref, f"{sister.name} does not say whether it has {locked.tag}: {sister.problem}.", manifest
            )
        elif sister.held is None:
            finish = command_line("openllm-repos", "release", lock.version, "--resume", remark="finishes it")
            yield Finding(line.ref, f"{sister.name} does not have {locked.tag} yet.", finish, stops=False)
        elif sister.held != locked.commit:
            yield Finding(
                line.ref,
                f"{sister.name} has {locked.tag} at {sister.held[:10]}, but the lock says {locked.commit[:10]}.",
                "Release the next version instead; a tag that is out there stays where it is.",
            )


def _judge_member(
    line: PushedRef, version: str, commit: ObjectId, found: Found, repos: Sequence[Repo], drop: str
) -> Iterator[Finding]:
    """A tag of any other repo: a part of a release that the source's lock has to know."""
    name = repos[0].name
    if found.lock is None:
        why = found.fault or f"The source has no lock of {version}, so no release puts {line.tag} into {name}."
        yield Finding(line.ref, why, drop)
        return
    locked = [one for repo in repos if (one := found.lock.repo(repo.name)) is not None and one.tag == line.tag]
    if not locked:
        yield Finding(line.ref, f"{found.place} does not put {line.tag} into {name}.", drop)
    elif commit not in [one.commit for one in locked]:
        yield Finding(
            line.ref,
            f"It names {commit[:10]}, but the lock says {locked[0].commit[:10]} for {locked[0].name}.",
            f"{command_line('git', 'tag', '-d', line.tag)}\n"
            + command_line("openllm-repos", "release", version, "--resume", remark="makes it where it belongs"),
        )


def _judge_target(line: PushedRef, facts: Facts) -> Iterator[Finding]:
    """Any ref of a target: what it brings must be the target's own; the rest is the work of a sync."""
    if line.ref in facts.ours:
        return
    target = next((repo for repo in facts.repos if repo.branch.ref == line.ref), None)
    name = (target or facts.repos[0]).name
    if line.new.is_zero:
        if target is not None:
            yield Finding(line.ref, f"It is the branch that {name} is synced to, and would be deleted.", _NO_VERIFY)
        return
    reach = facts.reach[line.ref]
    if reach.never:
        yield Finding(
            line.ref,
            f"It brings {_some(reach.never)} to {name}, which may never leave the source.",
            f"openllm-repos sync {name}  # carries the mapped folders; was the push meant for another remote?",
        )
        return
    if target is None or not line.ref.startswith(BRANCHES):
        return
    if not reach.known:
        yield Finding(
            line.ref,
            f"What it changes in {name} cannot be told: the tip there, {line.old[:10]}, is not in this clone.",
            command_line("git", "fetch", target.url, target.branch, remark="then push again"),
        )
    elif reach.mapped:
        yield Finding(
            line.ref,
            f"It changes {_some(reach.mapped)} of {name}, which its maps write from the source.",
            f"Make the change in the source. {_NO_VERIFY}\nopenllm-repos sync {name}",
        )


def _unknown(ref: str, reason: str, manifest: Manifest, first: str = "") -> Finding:
    refuse = manifest.hooks.offline is Offline.REFUSE
    where = f'{manifest.origin}: [hooks] offline = "{manifest.hooks.offline}"'
    if not refuse:
        return Finding(ref, reason, f"{where} lets it through.", stops=False)
    hint = f"{first}  # then push again; {where} stops the push until then"
    return Finding(ref, reason, hint if first else f"Try again when it answers; {where} stops the push until then.")


def _some(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return ", ".join(paths[:_NAMED]) + more
