"""What other tools that kept a target before left in it: they say themselves which source commit its files are of.

- A mirror (``git push --force``) leaves commits of the source in the target's history.
- ``git subtree`` (contrib/subtree/git-subtree.sh) leaves split commits there, a projection of one whole folder to the
  top; ``add`` and ``--squash`` write trailers into the target, ``split --rejoin`` into the source.
- Copybara (docs/reference.md, "git.destination") writes ``GitOrigin-RevId`` into each commit that it makes.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

from openllm_repos.errors import NameRefused
from openllm_repos.git.history import is_ancestor, merge_base
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.maps import Map
from openllm_repos.manifest.model import Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Trace
from openllm_repos.projection.project import origins

OTHER_OWNER = b".git-subtree/config"
"""A file by which the git subtree of 2026 (a rewrite) claims a repository for itself."""

_ORIGIN = "GitOrigin-RevId"
_FOLDER, _MAINLINE, _SPLIT = "git-subtree-dir", "git-subtree-mainline", "git-subtree-split"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one tool's traces say.

    Attributes:
        trace: whose they are.
        source_commit: the source commit that the target has, as they say; it is in the source's history.
    """

    trace: Trace
    source_commit: ObjectId


@dataclass(frozen=True, slots=True)
class Keepers:
    """Looks for traces in one target.

    Attributes:
        repository: the clone, which has the target's history.
        reader: reads its objects.
        target: the manifest's entry.
        tip: the tip of its branch.
        commit: the source commit whose history counts.
    """

    repository: Repository
    reader: ObjectReader
    target: Repo
    tip: ObjectId
    commit: ObjectId

    def owned_by_another(self) -> bool:
        """Whether the target holds the configuration by which another tool keeps it."""
        return self.reader.find(self.tip.encode() + b":" + OTHER_OWNER) is not None

    def mirrored(self) -> ObjectId | None:
        """Return the newest source commit in the target's history; only a mirror brings one there.

        Split commits that ``--rejoin`` took into the source's history are in both, and hold one folder only.
        """
        found = merge_base(self.repository, self.commit, self.tip)
        if found is None:
            return None
        splits = (self._known(said[_SPLIT]) for said in self._messages(self.commit, _SPLIT))
        if any(split is not None and is_ancestor(self.repository, found, split) for split in splits):
            return None
        return found

    def claims(self) -> Iterator[Claim]:
        """Yield what the traces say, the most certain first: commits in the history, then what messages name."""
        mirrored = self.mirrored()
        if mirrored is not None:
            yield Claim(Trace.MIRROR, mirrored)
        for trace, named in ((Trace.SUBTREE, self._subtree()), (Trace.COPYBARA, self._imported())):
            with closing(named):
                newest = next(named, None)
            if newest is not None:
                yield Claim(trace, newest)

    def _imported(self) -> Generator[ObjectId, None, None]:
        """Yield the source commits that copybara names in the target, newest first."""
        for said in self._messages(self.tip, _ORIGIN):
            named = self._source_commit(said[_ORIGIN])
            if named is not None:
                yield named

    def _subtree(self) -> Generator[ObjectId, None, None]:
        yield from self._rejoined()
        yield from self._split()

    def _rejoined(self) -> Iterator[ObjectId]:
        """Yield source commits whose split the target has, as the source's own history tells, newest first."""
        folders = {str(a_map.source.base) for a_map in self.target.maps}
        for said in self._messages(self.commit, _SPLIT):
            if said.get(_FOLDER, "").rstrip("/") not in folders:
                continue
            split, mainline = self._known(said[_SPLIT]), self._source_commit(said.get(_MAINLINE, ""))
            if split and mainline and is_ancestor(self.repository, split, self.tip):
                yield mainline

    def _split(self) -> Iterator[ObjectId]:
        """Yield source commits whose split is in the target's history, or is named there, newest first."""
        splits: dict[bytes, bytes] = {}
        for folder in dict.fromkeys(str(a_map.source.base) for a_map in self.target.maps):
            if folder:
                whole = (Map.of(f"{folder}/", "."),)
                splits |= origins(self.repository, self.commit, whole, reader=self.reader)[1]
        with closing(self.repository.git.stream("rev-list", "--topo-order", self.tip, "--")) as lines:
            for line in lines:
                if line.strip() in splits:
                    yield ObjectId(splits[line.strip()].decode())
        for said in self._messages(self.tip, _SPLIT):
            named = said[_SPLIT].encode()
            # One that is no split of a folder may be the source itself: `git subtree add` of all of it.
            found = ObjectId(splits[named].decode()) if named in splits else self._source_commit(said[_SPLIT])
            if found is not None:
                yield found

    def _messages(self, tip: ObjectId, key: str) -> Iterator[Mapping[str, str]]:
        """Yield the lines ``key: value`` of each message that has one for `key`, newest first."""
        asked = ("rev-list", "--topo-order", "--extended-regexp", f"--grep=^{key}: [0-9a-f]{{40,64}}", tip, "--")
        with closing(self.repository.git.stream(*asked)) as lines:
            for line in lines:
                message = self.reader.read(line.strip()).data.partition(b"\n\n")[2].decode("utf-8", "replace")
                rows = (row.partition(": ") for row in message.splitlines())
                yield {name: value.split()[0] for name, _, value in rows if value.strip()}

    def _source_commit(self, named: str) -> ObjectId | None:
        """Return the commit of the source's history that a message names, None where it is not in it."""
        found = self._known(named)
        return found if found is not None and is_ancestor(self.repository, found, self.commit) else None

    def _known(self, named: str) -> ObjectId | None:
        try:
            commit = ObjectId(named)
        except NameRefused:
            return None
        found = self.reader.find(commit.encode())
        return commit if found is not None and found[1] == b"commit" else None
