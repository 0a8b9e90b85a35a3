"""What a publish would do with one repo; nothing is sent yet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from openllm_repos.errors import ConflictError
from openllm_repos.family.artifacts import CARD, FileChanged, LocalFile, Unpublishable, find_files
from openllm_repos.hub.content import HubCommit, HubContent, Offer, Small
from openllm_repos.hub.model import HubFile, Way
from openllm_repos.manifest.model import Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Change
from openllm_repos.preflight.card import Validate, card_errors
from openllm_repos.publish.card import with_block, without_block
from openllm_repos.publish.compare import Decision, decide, require_one_commit, require_room
from openllm_repos.publish.hashes import LARGEST_IN_COMMIT, Content, Hashes, blob_id
from openllm_repos.publish.model import Clash, FileStep, PublishPlan
from openllm_repos.publish.provenance import Provenance
from openllm_repos.publish.record import PLACE, Record, read_record
from openllm_repos.publish.refusals import ChangedMeanwhile, ChangedThere, LooksLikeSecret
from openllm_repos.secrets.search import Searched, Suspicion, suspicious_name

_LARGEST_CARD = 1 << 20
_NOTES = 5  # of one kind; the rest is counted


@dataclass(frozen=True, slots=True)
class Prepared:
    """The files here, read and found fit to be published.

    Attributes:
        repo: the manifest's entry of where they go.
        files: by their path in the repo.
        contents: the same way; that of the card is the card without our block.
        card: the card here without our block, None where the files have none.
        left_out: files that are no artifacts.
        notes: what may be a secret, and which files were not searched for one.
    """

    repo: Repo
    files: Mapping[str, LocalFile]
    contents: Mapping[str, Content]
    card: bytes | None
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Large:
    """A large file, as it is sent."""

    file: LocalFile
    sha256: str

    @property
    def name(self) -> str:
        """Where it is in the work tree."""
        return self.file.source

    @property
    def size(self) -> int:
        """In bytes."""
        return self.file.size

    def pieces(self, start: int, length: int) -> Iterator[bytes]:
        """Yield a stretch of its content."""
        return self.file.pieces(start, length)


@dataclass(frozen=True, slots=True)
class Work:
    """A plan, and all that it takes to do it.

    Attributes:
        plan: what would be done.
        commit: the one commit; None where there is nothing to do.
        large: what LFS must have before it.
        record: the new record, as it will stand in the repo.
        before: what the Hub has of each path that is written or deleted; None where it has none.
    """

    plan: PublishPlan
    commit: HubCommit | None = None
    large: tuple[Large, ...] = ()
    record: bytes = b""
    before: Mapping[str, str | None] = field(default_factory=dict)


def prepare(
    top: Path,
    repo: Repo,
    hashes: Hashes,
    allowed: frozenset[str] = frozenset(),
    links: frozenset[str] = frozenset(),
) -> Prepared:
    """Find and read the files that are published to a repo.

    Args:
        top: of the work tree.
        repo: the manifest's entry.
        hashes: reads them, or remembers.
        allowed: paths that look like secrets and are none, beside those of the manifest.
        links: those on the way to its folders that may be followed.

    Raises:
        UsageError: there is nothing to publish.
        Unpublishable: names that would be misread, links, or what looks like a secret.
        EnvironmentProblem: a file cannot be read, or is being written to.
    """
    found = find_files(top, repo, links=links)
    named = [one for file in found.files if (one := suspicious_name(file.source)) is not None]
    told = _require_no_secret(repo, named, allowed)
    contents, searched = hashes.of(found.files)
    told += _require_no_secret(repo, [one for came in searched.values() for one in came.found], allowed)
    files = {file.target: file for file in found.files}
    by_target = {file.target: contents[file.source] for file in found.files}
    card = None
    if CARD in files:
        if files[CARD].size > _LARGEST_CARD:
            raise Unpublishable(repo.name, [f"{files[CARD].source} is no card: it is too large"], hint="Shorten it.")
        card = without_block(b"".join(files[CARD].pieces(0, files[CARD].size)))
        by_target[CARD] = _card_content(card)
    return Prepared(repo, files, by_target, card, found.left_out, (*_perhaps_secret(told), *_not_searched(searched)))


def _require_no_secret(repo: Repo, found: Sequence[Suspicion], allowed: frozenset[str]) -> list[Suspicion]:
    """Return what a person should look at.

    Raises:
        LooksLikeSecret: something is a secret without doubt, and was not allowed.
    """
    patterns = [pattern for entry in repo.publish for pattern in entry.allow]
    bad = [
        one
        for one in found
        if one.path not in allowed and not any(pattern.protects(one.path.encode()) for pattern in patterns)
    ]
    if refused := [one for one in bad if one.sure]:
        raise LooksLikeSecret(repo, refused)
    return bad


def _perhaps_secret(told: Sequence[Suspicion]) -> Iterator[str]:
    for one in told[:_NOTES]:
        yield f"{one.place} may be {one.what}; look before you publish it."
    if len(told) > _NOTES:
        yield f"There are {len(told) - _NOTES} more such places."


def _not_searched(searched: Mapping[str, Searched]) -> Iterator[str]:
    """Say which files have a content that a search for secrets does not see."""
    packed = [f"{path} ({came.packed})" for path, came in searched.items() if came.packed]
    if packed:
        more = f" and {len(packed) - _NOTES} more" if len(packed) > _NOTES else ""
        yield f"Compressed, so not searched for secrets: {', '.join(packed[:_NOTES])}{more}."


def plan_publish(
    prepared: Prepared,
    content: HubContent,
    tip: ObjectId,
    provenance: Provenance,
    *,
    overwrite: bool = False,
    agreed: Mapping[str, str | None] | None = None,
    validate: Validate | None = None,
) -> Work:
    """Hold the files here against those on the Hub, and make the commit that brings them there.

    Args:
        prepared: the files here.
        content: the repo.
        tip: of its branch.
        provenance: where the files come from.
        overwrite: whether files that somebody changed on the Hub are replaced.
        agreed: the `before` of the plan that a person saw: nothing is written or deleted that is otherwise by now.
        validate: asks the Hub about a card; without it the rules that it is known to have are used.

    Raises:
        ConflictError: the Hub has files otherwise than the last publish left them, or than the person saw them.
        HubError: the Hub does not do what it is asked.
    """
    repo = prepared.repo
    there = content.files(tip)
    record = _record(content, tip, there, repo)
    other = record.other_than(provenance.source.url)
    last = {} if other else _ours(prepared, record)  # what another source published is somebody else's
    card = content.read(tip, CARD) if CARD in there and there[CARD].size <= _LARGEST_CARD else None
    ids = {path: file.id for path, file in there.items()}
    if card is not None:
        ids[CARD] = _card_content(without_block(card)).id(large=False)
    decision = decide(prepared.contents, last, ids, overwrite=overwrite)
    if decision.clashes and not overwrite:
        raise ChangedThere(repo, decision.clashes, other)
    before = {path: ids.get(path) for path in (*decision.write, *decision.delete)}
    if agreed is not None:
        _require_agreed(prepared, before, agreed)
    ways = _ways(prepared, content, decision.write)
    held = _Held(prepared, there, ids, last, card, decision, ways)
    adopted = 0 if other else sum(last.get(path) != ids[path] for path in decision.same)
    plan = _plan(held, tip, (*prepared.notes, *provenance.notes, *_adopting(adopted)))
    if not held.written and not decision.delete and not adopted:
        return Work(plan)
    require_room(repo.name, [path for path in there if path not in decision.delete], held.written)
    return replace(_work(held, plan, provenance, validate), before=before)


def _require_agreed(prepared: Prepared, before: Mapping[str, str | None], agreed: Mapping[str, str | None]) -> None:
    """Refuse where somebody, by a publish of the same files or otherwise, changed what would be replaced or deleted."""
    unseen = sorted(path for path, now in before.items() if (path, now) not in agreed.items())
    if unseen:
        raise ChangedMeanwhile(
            prepared.repo,
            [
                Clash(
                    path,
                    "present" if path in prepared.files else "missing",
                    "deleted meanwhile" if before[path] is None else "changed meanwhile",
                    before[path] is not None,
                )
                for path in unseen
            ],
        )


def _ours(prepared: Prepared, record: Record) -> dict[str, str]:
    """Return what an earlier publish left and a later one may replace or delete.

    Not what the repo owns or a map writes by now, and not a card that is here no more: that is the person's, and says
    whose files these are.
    """
    repo = prepared.repo
    given_away = [pattern.protects for pattern in repo.owned] + [entry.output.protects for entry in repo.maps]
    return {
        path: known
        for path, known in record.files.items()
        if not any(takes(path.encode()) for takes in given_away) and (path != CARD or CARD in prepared.files)
    }


def _adopting(count: int) -> Iterator[str]:
    if count:
        some, they = ("1 file", "it counts") if count == 1 else (f"{count} files", "they count")
        yield f"{some} on the Hub, the same as here, came there by other means; from now on {they} as published."


@dataclass(frozen=True, slots=True)
class _Held:
    """Both sides of a repo, and what is to be done."""

    prepared: Prepared
    there: Mapping[str, HubFile]
    ids: Mapping[str, str]
    last: Mapping[str, str]
    card: bytes | None
    decision: Decision
    ways: Mapping[str, Way]

    @property
    def written(self) -> list[str]:
        """The files that are written, without those that the repo's .gitignore leaves out."""
        return [path for path in self.decision.write if not self.ways[path].ignored]

    def is_large(self, path: str) -> bool:
        """Whether a file goes through LFS; a card never does."""
        return self.ways[path].large and path != CARD

    def new_record(self, provenance: Provenance, tip: ObjectId) -> bytes:
        """Return the record of what is published after this."""
        contents, last = self.prepared.contents, self.last
        files = {path: self.ids[path] for path in self.decision.same}
        files |= {path: last[path] for path, way in self.ways.items() if way.ignored and path in last}
        files |= {path: contents[path].id(large=self.is_large(path)) for path in self.written}
        return Record(str(provenance.source.url), provenance.commit, tip, files).text(provenance.tool)

    def new_card(self, provenance: Provenance) -> bytes | None:
        """Return the card with our block; None where it is left alone: the repo owns it, or it is no card at all."""
        repo = self.prepared.repo
        if any(pattern.protects(CARD.encode()) for pattern in repo.owned):
            return None
        if CARD in self.written:
            card: bytes | None = self.prepared.card
        elif CARD in self.there:
            card = self.card
        else:
            card = f"# {str(repo.repo_id).partition('/')[2]}\n".encode()
        return None if card is None else with_block(card, provenance.lines())


def _plan(held: _Held, tip: ObjectId, notes: tuple[str, ...]) -> PublishPlan:
    """Return what is to be said of a repo, yet without the steps."""
    repo, decision = held.prepared.repo, held.decision
    return PublishPlan(
        repo.name,
        str(repo.url),
        str(repo.branch),
        tip,
        unchanged=len(decision.same),
        ignored=tuple(path for path in decision.write if held.ways[path].ignored),
        left_out=held.prepared.left_out,
        overwritten=tuple(clash.path for clash in decision.clashes),
        notes=notes,
    )


def _work(held: _Held, plan: PublishPlan, provenance: Provenance, validate: Validate | None) -> Work:
    repo, files = held.prepared.repo, held.prepared.files
    card = held.new_card(provenance)
    if card is not None and (CARD in held.written or card != held.card):
        _require_card(repo, card, validate)
    record = held.new_record(provenance, plan.tip)
    if len(record) > LARGEST_IN_COMMIT:
        raise ConflictError(
            f"{repo.name} would get too many files: the list of them alone is larger than the Hub takes in a commit.",
            hint="Put them into archives or Parquet files.",
        )
    large = {
        path: Large(files[path], held.prepared.contents[path].sha256) for path in held.written if held.is_large(path)
    }
    small = {path: _small(files[path], held.prepared.contents[path]) for path in held.written if path not in large}
    require_one_commit(repo.name, sum(one.size for one in small.values()), len(large))
    small |= {PLACE: _bytes(record)} | ({CARD: _bytes(card)} if card is not None else {})
    commit = HubCommit(
        str(repo.branch),
        plan.tip,
        provenance.summary(repo),
        provenance.description(repo),
        small,
        {path: (one.sha256, one.size) for path, one in large.items()},
        held.decision.delete,
    )
    steps = [FileStep(path, "", Change.DELETED) for path in held.decision.delete]
    for path in {**small, **large}:
        change = Change.MODIFIED if path in held.there else Change.ADDED
        size = large[path].size if path in large else small[path].size
        source = files[path].source if path in held.written else ""
        steps.append(FileStep(path, source, change, size, large=path in large))
    ordered = tuple(sorted(steps, key=lambda step: step.path))
    return Work(replace(plan, steps=ordered), commit, tuple(large.values()), record)


def _record(content: HubContent, tip: ObjectId, there: Mapping[str, HubFile], repo: Repo) -> Record:
    """Return what the last publish left, an empty record where there was none."""
    file = there.get(PLACE)
    if file is None:
        return Record()
    if file.size > LARGEST_IN_COMMIT:
        raise ConflictError(f"{repo.name}: {PLACE} there is too large to be a record.", hint="Restore it there.")
    return read_record(content.read(tip, PLACE), repo.name)


def _ways(prepared: Prepared, content: HubContent, paths: Sequence[str]) -> dict[str, Way]:
    offers = [Offer(path, prepared.files[path].size, prepared.contents[path].sample) for path in paths]
    return content.ways(str(prepared.repo.branch), offers) if offers else {}


def _require_card(repo: Repo, card: bytes, validate: Validate | None) -> None:
    """Refuse a card that the Hub would refuse, before gigabytes are sent.

    Raises:
        ConflictError: the Hub, or the rules that it is known to have, say so.
    """
    text = card.decode("utf-8", "replace")
    said = validate(text, repo.kind) if validate is not None else None
    errors = card_errors(text, repo.kind) if said is None else said
    if errors:
        raise ConflictError(f"The Hub would refuse {CARD} of {repo.name}: {'; '.join(errors)}.", hint="Mend the card.")


def _card_content(card: bytes) -> Content:
    """Return what tells a card's content; as the Hub does, ask by its first bytes."""
    return Content(hashlib.sha256(card).hexdigest(), blob_id(card), card[:512])


def _small(file: LocalFile, content: Content) -> Small:
    def read() -> bytes:
        found = b"".join(file.pieces(0, file.size))
        if content.blob and blob_id(found) != content.blob:
            raise FileChanged(file.source)
        return found

    return Small(file.size, read)


def _bytes(content: bytes) -> Small:
    return Small(len(content), lambda: content)
