"""One projection at work: walk what is not known yet, decide which commits survive, write those.

The time goes into git, not into this code: one ``rev-list`` and beside it one ``cat-file`` that looks up the mapped
folders of every commit (two cores; a second ``cat-file`` would unpack most trees once more), the graph in memory, one
read of the commits that survive, and one pack.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from openllm_repos.git.objects import CHUNK_BYTES, FolderReader, ObjectReader
from openllm_repos.git.pack import COMMIT, TREE, PackWriter
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.maps import Map
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.cache import Memory
from openllm_repos.projection.rewrite import rewritten
from openllm_repos.projection.trees import FOLDER_MODE, Placement, TreeProjector

_IN_FLIGHT = 3  # blocks of questions, so that git never waits for the next one


class Run:
    """One projection in progress.

    Args:
        repository: the clone of the source.
        reader: reads its objects.
        maps: the maps of one target.
        stack: closes what is opened here.
        memory: what earlier runs found; it grows.
    """

    def __init__(
        self,
        repository: Repository,
        reader: ObjectReader,
        maps: Sequence[Map],
        stack: ExitStack,
        memory: Memory,
    ) -> None:
        self.memory = memory
        self._repository = repository
        self._reader = reader
        self._folder_reader = stack.enter_context(FolderReader(repository.git, repository.id_length))
        self._writer = stack.enter_context(PackWriter(repository.git, repository.objects_dir, repository.object_format))
        self._trees = TreeProjector(reader, [Placement.of(a_map) for a_map in maps], repository.object_format)

    def covers(self, commit: ObjectId) -> bool:
        """Walk what the memory does not know yet and decide which commits survive.

        Returns:
            Whether the remembered commits that this builds on are still in the clone; git may have pruned them.
        """
        graph = self.memory.graph
        walked, parents, folders = self._walk(commit.encode(), self.memory.tips)
        added: set[bytes] = set()  # what has a parent here is not remembered: that would be, too
        for number in _parents_first(walked, parents):
            if added.isdisjoint(parents[number]) and walked[number] in graph.image:
                continue
            graph.visit(walked[number], parents[number], self._trees.project(folders[number], self._writer))
            if walked[number] in graph.image:
                added.add(walked[number])
        for source, folder in dict.fromkeys(self._doubtful(walked, parents, folders)):
            self._confirm_absence(source, folder)
        self.memory.tips.append(commit.encode())
        known = len(graph.ids)
        built_on = {up for number in range(known, len(graph.trees)) for up in graph.parents[number] if up < known}
        built_on.update(image for image in [graph.image.get(commit.encode(), known)] if image < known)
        return all(self._reader.find(graph.ids[number]) is not None for number in built_on)

    def finish(self, commit: ObjectId) -> tuple[ObjectId | None, int]:
        """Write what survived; return the projection of `commit` and how many commits were written."""
        graph = self.memory.graph
        known = len(graph.ids)
        self._write()
        image = graph.image.get(commit.encode())
        return None if image is None else ObjectId(graph.ids[image].decode()), len(graph.ids) - known

    def _walk(
        self, commit: bytes, covered: Sequence[bytes]
    ) -> tuple[list[bytes], list[list[bytes]], list[tuple[bytes | None, ...]]]:
        """Return the commits that are not covered yet, their parents, and the ids of their mapped folders.

        The folders are asked of a commit's tree, not of the commit: git then need not read every commit once more.
        """
        command = ["rev-list", "--no-commit-header", "--format=%T %H %P", "--ignore-missing", commit.decode()]
        command += [f"^{tip.decode()}" for tip in covered]
        walked: list[bytes] = []
        parents: list[list[bytes]] = []
        folders: list[tuple[bytes | None, ...]] = []
        waiting: deque[int] = deque()
        bases = self._trees.folders
        question = sum(len(base) + self._repository.id_length + 8 for base in bases)  # about one commit, of all folders
        lines = self._repository.git.stream(*command, "--")
        while block := [line.split() for line in itertools.islice(lines, max(1, CHUNK_BYTES // question))]:
            walked += [fields[1] for fields in block]
            parents += [fields[2:] for fields in block]
            if len(waiting) == _IN_FLIGHT:
                folders += self._answers(waiting.popleft())
            self._folder_reader.ask([fields[0] for fields in block], bases)
            waiting.append(len(block))
        while waiting:
            folders += self._answers(waiting.popleft())
        return walked, parents, folders

    def _answers(self, count: int) -> Iterator[tuple[bytes | None, ...]]:
        return zip(*[self._folder_reader.answers(count) for _ in self._trees.folders], strict=True)

    def _doubtful(
        self,
        walked: Sequence[bytes],
        parents: Sequence[Sequence[bytes]],
        folders: Sequence[tuple[bytes | None, ...]],
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield commit and folder wherever a folder is not there but was before, or is after, or never was.

        Where a tree is missing from the clone, git gives the same answer as where the folder is absent.
        """
        if not any(None in found for found in folders):
            return
        bases = self._trees.folders
        if not self.memory.graph.trees:
            yield from ((walked[0], base) for base in bases)
        position = {commit: number for number, commit in enumerate(walked)}
        for origin in self.memory.graph.origins:
            found = folders[position[origin]]
            for parent in parents[position[origin]]:
                above = folders[position[parent]] if parent in position else bases  # remembered: assume that all were
                for base, one, two in zip(bases, found, above, strict=True):
                    if one is None and two is not None:
                        yield origin, base
                    elif two is None and one is not None:
                        yield parent, base

    def _confirm_absence(self, commit: bytes, folder: bytes) -> None:
        """Look for a folder step by step.

        Raises:
            MissingObject: a tree on the way, or the folder's own, is not in the clone.
        """
        tree = self._reader.read(commit).data[5 : 5 + self._repository.id_length]
        for name in folder.split(b"/") if folder else []:
            below = {one: item for mode, one, item in self._trees.entries(tree) if mode == FOLDER_MODE}
            if name not in below:
                return
            tree = below[name]
        self._reader.read(tree)

    def _write(self) -> None:
        """Copy the commits that survived, parents first, and hand the pack to git."""
        graph = self.memory.graph
        start = len(graph.ids)
        for number, found in enumerate(self._reader.read_many(graph.origins), start):
            above = [graph.ids[parent] for parent in graph.parents[number]]
            graph.ids.append(self._writer.add(COMMIT, rewritten(found.data, graph.trees[number], above)))
        graph.origins.clear()
        if graph.empty_tree in graph.trees[start:]:
            self._writer.add(TREE, b"")
        self._writer.finish()


def _parents_first(commits: Sequence[bytes], parents: Sequence[Sequence[bytes]]) -> Iterator[int]:
    """Yield the positions of `commits` so that parents come before children, without recursion.

    git lists children before parents except where clocks were wrong, so the reversed list is nearly right already.
    """
    position = {commit: number for number, commit in enumerate(commits)}
    open_ = set(commits)
    for last in range(len(commits) - 1, -1, -1):
        if commits[last] in open_ and open_.isdisjoint(parents[last]):
            open_.remove(commits[last])
            yield last
            continue
        stack = [last]
        while stack:
            number = stack[-1]
            waiting = open_.intersection(parents[number])
            if waiting:
                stack.extend(position[parent] for parent in waiting)
                continue
            stack.pop()
            if commits[number] in open_:
                open_.remove(commits[number])
                yield number
