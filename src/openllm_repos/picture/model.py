"""The family as a picture has it: a source, what it gives to which targets, and the members beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from openllm_repos.manifest.model import Kind, Manifest, Repo, Role
from openllm_repos.names.ref import RepoName
from openllm_repos.status.family import FamilyStatus, RepoStatus, Standing

KIND_WORDS = {
    Kind.GITHUB: "GitHub",
    Kind.SPACE: "Space",
    Kind.MODEL: "model",
    Kind.DATASET: "dataset",
    Kind.GIT: "git",
}
_STATES = 3  # of a group, the most


class Tone(StrEnum):
    """How urgent a state is: as it should be, to be done, not known. Shown by a sign and a colour beside the words."""

    GOOD = "good"
    TODO = "todo"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class State:
    """How a repo stands.

    Attributes:
        said: in the words of the table (``behind 3``).
        tone: how urgent that is.
    """

    said: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Node:
    """One repo, or those of a group that are of one kind and get the same.

    Attributes:
        name: its name in the manifest, or that of the group with how many they are.
        kind: what it is.
        place: where it is, as short as that can be said: ``owner/name``, or host and path.
        gets: what it gets of the source, one text a map (``core/src/*.py → training/``); of a target alone.
        state: how it stands; None where nobody was asked.
        count: how many repos it stands for.
    """

    name: str
    kind: Kind
    place: str
    gets: tuple[str, ...] = ()
    state: State | None = None
    count: int = 1

    @property
    def title(self) -> str:
        """Its name, and what it is."""
        return self.name if self.count > 1 else f"{self.name} ({self.kind_word})"

    @property
    def kind_word(self) -> str:
        """The kind, as people write it."""
        return KIND_WORDS[self.kind]


@dataclass(frozen=True, slots=True)
class Picture:
    """The family.

    Attributes:
        project: its name.
        source: where code is written.
        targets: what receives folders of it, in the order of the manifest.
        members: the others.
        released: whether every member takes part in releases.
    """

    project: str
    source: Node
    targets: tuple[Node, ...]
    members: tuple[Node, ...]
    released: bool = True

    @property
    def summary(self) -> str:
        """What there is, in one line (``1 source, 2 targets, 3 members``)."""
        counts = ((1, "source"), (counted(self.targets), "target"), (counted(self.members), "member"))
        return ", ".join(f"{count} {word}" if count == 1 else f"{count} {word}s" for count, word in counts if count)

    @property
    def alike(self) -> list[tuple[tuple[str, ...], list[Node]]]:
        """What goes over one arrow, with the targets that get it, in the order of the manifest."""
        found: dict[tuple[str, ...], list[Node]] = {}
        for target in self.targets:
            found.setdefault(target.gets, []).append(target)
        return list(found.items())

    @property
    def caption(self) -> str:
        """What is said of the members (``3 members: no folders, but every release``)."""
        word = "1 member" if counted(self.members) == 1 else f"{counted(self.members)} members"
        return f"{word}: no folders, but every release" if self.released else f"{word}: no folders"

    @property
    def told(self) -> str:
        """The picture in sentences, for those who cannot see it."""
        sentences = [f"{_told(self.source)} is the source."]
        sentences += [
            f"{_told(target)} {'get' if target.count > 1 else 'gets'} {_listed(target.gets)}."
            for target in self.targets
        ]
        sentences += [
            f"{_told(member)} {'are members' if member.count > 1 else 'is a member'}." for member in self.members
        ]
        return " ".join(sentences)


def family_picture(manifest: Manifest, status: FamilyStatus | None = None) -> Picture:
    """Return the picture of a family.

    Args:
        manifest: says who belongs to it.
        status: how its repos stand; None leaves that out.
    """
    standings = {} if status is None else {found.repo.name: found for found in status.repos}
    members = [repo for repo in manifest.repos if repo.role is Role.MEMBER]
    return Picture(
        manifest.project.name,
        _node([manifest.source], standings),
        _nodes(manifest.targets, standings),
        _nodes(members, standings),
        all(repo.release for repo in members),
    )


def state_of(status: RepoStatus) -> State:
    """Return how a repo stands, as pictures and pages show it."""
    return State(status.said, tone_of(status.standing))


def tone_of(standing: Standing) -> Tone:
    """Return how urgent a standing is."""
    if standing.settled:
        return Tone.GOOD
    return Tone.BAD if standing.bad else Tone.TODO


def counted(nodes: Iterable[Node]) -> int:
    """Return how many repos nodes stand for."""
    return sum(node.count for node in nodes)


def _nodes(repos: Iterable[Repo], standings: dict[RepoName, RepoStatus]) -> tuple[Node, ...]:
    """Return a node for each repo, and one for all that have their first group, kind and maps in common."""
    found: dict[object, list[Repo]] = {}
    for repo in repos:
        found.setdefault((repo.groups[0], repo.kind, _gets(repo)) if repo.groups else repo.name, []).append(repo)
    return tuple(_node(alike, standings) for alike in found.values())


def _node(repos: Sequence[Repo], standings: dict[RepoName, RepoStatus]) -> Node:
    first, last, count = repos[0], repos[-1], len(repos)
    found = [standings[repo.name] for repo in repos if repo.name in standings]
    if count == 1:
        return Node(first.name, first.kind, _place(first), _gets(first), state_of(found[0]) if found else None)
    kind = KIND_WORDS[first.kind] + ("s" if first.on_hub else " repos")
    name = f"{first.groups[0]}: {count} {kind}"
    place = f"{_place(first)} … {_place(last)}"
    return Node(name, first.kind, place, _gets(first), _summed(found) if found else None, count)


def _gets(repo: Repo) -> tuple[str, ...]:
    return tuple(f"{a_map.source.text} → {a_map.written_to}" for a_map in repo.maps)


def _place(repo: Repo) -> str:
    return repo.repo_id or repo.url.identity.removeprefix("file://")


def _summed(found: Sequence[RepoStatus]) -> State:
    """Return how many stand how, the most urgent first."""
    urgency = list(Tone)
    counts = Counter(status.standing for status in found).most_common()
    counts.sort(key=lambda one: -urgency.index(tone_of(one[0])))
    said = [f"{count} {standing}" for standing, count in counts[:_STATES]]
    if others := sum(count for _, count in counts[_STATES:]):
        said.append("1 other" if others == 1 else f"{others} others")
    return State(", ".join(said), tone_of(counts[0][0]))


def _told(node: Node) -> str:
    state = f", {node.state.said}" if node.state else ""
    kind = "" if node.count > 1 else f"{node.kind_word} "
    return f"{node.name} ({kind}{node.place}{state})"


def _listed(texts: tuple[str, ...]) -> str:
    return " and ".join(text.replace(" → ", " as ") for text in texts)
