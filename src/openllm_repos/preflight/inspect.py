"""A push held against the rules of the host it goes to: over every commit that it would send, before it is sent."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from openllm_repos.errors import ConflictError
from openllm_repos.git.incoming import new_blobs, places
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Finding, LargeFile, Rule
from openllm_repos.preflight.attributes import Attributes
from openllm_repos.preflight.card import Validate, card_errors, has_front_matter
from openllm_repos.preflight.fixes import card_fix, content_fix, line_fix, object_fix
from openllm_repos.preflight.large import Nowhere, find
from openllm_repos.preflight.limits import LIMITS, MIB, POINTER_BYTES, Limits, is_binary, pointed_at
from openllm_repos.preflight.push import Push

_AT_ONCE = 2000  # blobs whose sizes are held; contents are held one at a time
_CARD = b"README.md"
_NOWHERE = "is an LFS pointer whose content is nowhere: not here, not there, not at the source"
_UNTRACKED = "is an LFS pointer, but the target's .gitattributes does not give it to LFS"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found.

    Attributes:
        findings: what the remote would refuse or lose; by rule, then path. None of it, and the push may go.
        large: the LFS files that the push needs; their objects must be on the remote before a branch moves.
        said: git-lfs's own words, where an object was found nowhere.
    """

    findings: tuple[Finding, ...] = ()
    large: tuple[LargeFile, ...] = ()
    said: str = ""


class WouldBeRefused(ConflictError):
    """The remote would refuse the push, or something would be lost there; nothing was sent."""

    def __init__(self, target: Repo, inspection: Inspection) -> None:
        findings = inspection.findings
        paths = len({finding.path for finding in findings})
        files = "1 file" if paths == 1 else f"{paths} files"
        said = f"\ngit-lfs said: {inspection.said}" if inspection.said else ""
        super().__init__(
            f"{files} would not get through to {target.name}; nothing was pushed.{said}",
            hint=f"openllm-repos sync {target.name} --dry-run  # looks again",
        )
        self.findings = findings


def inspect(
    repository: Repository, push: Push, *, validate: Validate | None = None, reader: ObjectReader | None = None
) -> Inspection:
    """Look at every file that a push would send, in all its commits, as the hook of the host would.

    Args:
        repository: the clone, quarantined or not. LFS objects that are only at the source are fetched into it.
        push: what is to be pushed.
        validate: asks the Hub about README.md; without it, or without an answer, its known rules are used.
        reader: reads the clone's objects, where the caller has one at hand.

    Raises:
        LfsMissing: the push needs git-lfs, and it is not installed.
        MissingObject: the clone lacks a file of the commits to push.
    """
    limits = LIMITS.get(push.target.kind)
    if limits is None:
        return Inspection()
    with contextlib.ExitStack() as stack:
        reader = reader or stack.enter_context(ObjectReader(repository.git))
        seen = _look(repository, reader, push, limits)
        attributes = Attributes(repository, reader, push)
        lost = attributes.lost()
        card = _card(reader, push, validate) if limits.card else []
        nowhere = find(repository, push.target, push.url, push.source, seen.large) if seen.large else Nowhere()
        seen.faults.extend(
            _Fault(Rule.LFS_OBJECT, file.pointer.encode(), file.size, _NOWHERE) for file in nowhere.files
        )
        findings = [
            *_placed(repository, push, attributes, seen.faults),
            *_untracked(push, attributes, seen),
            *lost,
            *card,
        ]
    return Inspection(tuple(_once(findings)), tuple(seen.large), nowhere.said if nowhere.files else "")


def require_accepted(target: Repo, inspection: Inspection) -> None:
    """Refuse a push that its remote would refuse.

    Raises:
        WouldBeRefused: there are findings.
    """
    if inspection.findings:
        raise WouldBeRefused(target, inspection)


@dataclass(frozen=True, slots=True)
class _Fault:
    """A blob that breaks a rule, wherever it is."""

    rule: Rule
    blob: bytes
    size: int
    problem: str


@dataclass(slots=True)
class _Seen:
    faults: list[_Fault] = field(default_factory=list)
    large: list[LargeFile] = field(default_factory=list)


def _look(repository: Repository, reader: ObjectReader, push: Push, limits: Limits) -> _Seen:
    """Read every new blob once: sizes first, and the content of those that may matter."""
    seen = _Seen()
    blobs = new_blobs(repository, push.new, push.there)
    while some := list(islice(blobs, _AT_ONCE)):
        read = []
        for blob, size in reader.sizes(some):
            if size > limits.size:
                problem = f"is larger than {limits.size // MIB} MiB, which {limits.host} takes in LFS only"
                seen.faults.append(_Fault(Rule.SIZE, blob, size, problem))
            elif limits.text_only or size < POINTER_BYTES:
                read.append(blob)
        for found in reader.read_many(read):
            named = pointed_at(found.data)
            if named is not None:
                seen.large.append(LargeFile(*named, ObjectId(found.id.decode())))
            elif limits.text_only and is_binary(found.data):
                problem = f"is binary, which {limits.host} takes in LFS only"
                seen.faults.append(_Fault(Rule.BINARY, found.id, len(found.data), problem))
    return seen


def _placed(repository: Repository, push: Push, attributes: Attributes, faults: Sequence[_Fault]) -> Iterator[Finding]:
    """Say of each fault in which commit and under which paths it comes in."""
    by_blob = {fault.blob: fault for fault in faults}
    if not by_blob:
        return
    where = {
        (place.path, place.blob): place for place in reversed([*places(repository, push.new, push.there, by_blob)])
    }
    origins = _origins(repository, push, by_blob)
    tracked = attributes.tracked(sorted({path for path, _ in where}))
    for place in sorted(where.values(), key=lambda place: (by_blob[place.blob].rule, place.path, place.commit)):
        fault, in_tip = by_blob[place.blob], attributes.files.get(place.path) == place.blob
        problem = fault.problem
        if fault.rule is not Rule.LFS_OBJECT and place.path in tracked:
            problem += "; .gitattributes gives it to LFS, but it was committed without git-lfs"
        fix = object_fix if fault.rule is Rule.LFS_OBJECT else content_fix
        text = fix(push.target, place.path, in_tip=in_tip)
        commit = place.commit if push.source_commit is None else origins.get(place.blob, push.source_commit)
        yield Finding(fault.rule, commit, place.path, fault.size, problem, text, in_tip)


def _origins(repository: Repository, push: Push, blobs: Collection[bytes]) -> dict[bytes, ObjectId]:
    """Return for each blob the first commit of the source that a map takes it from."""
    if push.source_commit is None:
        return {}
    maps = push.target.maps
    found: dict[bytes, ObjectId] = {}
    for place in places(repository, push.source_commit, (), blobs, [str(a_map.source.base) for a_map in maps]):
        if any(a_map.source.matches(place.path) for a_map in maps):
            found.setdefault(place.blob, place.commit)
    return found


def _untracked(push: Push, attributes: Attributes, seen: _Seen) -> Iterator[Finding]:
    """Name the new pointers that the target's own attributes do not give to LFS: there they would be text."""
    if not seen.large:
        return
    sizes = {file.pointer.encode(): file.size for file in seen.large}
    paths = sorted(path for path, blob in attributes.files.items() if blob in sizes)
    tracked = attributes.tracked(paths)
    for path in paths:
        if path not in tracked:
            size = sizes[attributes.files[path]]
            yield Finding(Rule.LFS_ATTRIBUTE, push.newest, path, size, _UNTRACKED, line_fix(push.target, path))


def _card(reader: ObjectReader, push: Push, validate: Validate | None) -> list[Finding]:
    """Check the card of the newest commit, which is the one that the Hub reads."""
    name = push.new.encode() + b":" + _CARD
    found = reader.find(name)
    if found is None or found[1] != b"blob":
        return []
    data = reader.read(found[0]).data
    text = data.decode("utf-8", "replace")
    errors: Sequence[str] = card_errors(text, push.target.kind)
    before = None if push.tip is None else reader.find(push.tip.encode() + b":" + _CARD)
    # A card that is there already was taken once; where our rules object to it, the Hub has the last word.
    if validate is not None and has_front_matter(text) and (errors or found != before):
        said = validate(text, push.target.kind)
        errors = errors if said is None else said
    fix = card_fix(push.target, _CARD)
    return [Finding(Rule.CARD, push.newest, _CARD, len(data), error, fix) for error in errors]


def _once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Leave out that a pointer is untracked where it is said already that it would lose LFS."""
    lost = set()
    for finding in sorted(findings, key=lambda finding: finding.rule is not Rule.GITATTRIBUTES):
        if finding.rule is Rule.GITATTRIBUTES:
            lost.add(finding.path)
        if finding.rule is not Rule.LFS_ATTRIBUTE or finding.path not in lost:
            yield finding
