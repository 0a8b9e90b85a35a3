"""One projection at work: walk what is not known yet, decide which commits survive, write those.

The time goes into git, not into this code: one ``rev-list`` and beside it one ``cat-file`` that looks up the mapped
folders of every commit (two cores; a second ``cat-file`` would unpack most trees once more), the graph in memory, one
read of the commits that survive, and one pack.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from openllm_repos.git.objects import CHUNK_BYTES, PACK_WINDOWS, FolderReader, ObjectReader
from openllm_repos.git.pack import COMMIT, TREE, PackWriter
from openllm_repos.git.progress import Counter
from openllm_repos.git.repository import Repository
from openllm_repos.git.subtrees import is_add
from openllm_repos.manifest.maps import Map
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.cache import Memory
from openllm_repos.projection.folders import find_folders
from openllm_repos.projection.graph import Graph
from openllm_repos.projection.rewrite import rewritten
from openllm_repos.projection.subprojects import Add, Subproject
from openllm_repos.projection.trees import FOLDER_MODE, Placement, TreeProjector

_FEW_FOLDERS = 12  # git is asked for; of more, the trees are read
_MANY_COMMITS = 200  # whose trees are worth a process that reads them ahead
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
        self._known = len(memory.graph.ids)
        self._progress = Counter(repository.git.on_progress)
        self._repository = repository
        self._reader = reader
        self._folder_reader = stack.enter_context(FolderReader(repository.git, repository.id_length))
        self._ahead = stack.enter_context(ObjectReader(repository.git))
        self._writer = stack.enter_context(PackWriter(repository.git, repository.objects_dir, repository.object_format))
        self._trees = TreeProjector(reader, [Placement.of(a_map) for a_map in maps], repository.object_format)

    def covers(self, commit: ObjectId) -> bool:
        """Walk what the memory does not know yet and decide which commits survive.

        Returns:
            Whether the memory is one to build on. Its commits must still be in the clone, where git may have pruned
            them, and `git subtree` must have brought nothing more.
        """
        memory, graph = self.memory, self.memory.graph
        if not all(self._has(commit, add) for add in memory.adds):
            return False
        walk = self._walk(commit.encode(), memory.tips)
        if memory.subproject and not all(memory.subproject.isdisjoint(parents.split()) for parents in walk.above):
            return False
        added: set[bytes] = set()  # what has a parent here is not remembered: that would be, too
        if len(walk.commits) > _MANY_COMMITS:
            self._trees.read_ahead(self._ahead, (folders for _, _, folders in walk.parents_first()))
        for one, parents, folders in self._each(walk):
            if added.isdisjoint(parents) and one in graph.image:
                continue
            graph.visit(one, parents, self._trees.project(folders, self._writer, walk.folders_above(parents)))
            if one in graph.image:
                added.add(one)
        for source, folder in dict.fromkeys(self._doubtful(walk)):
            self._confirm_absence(source, folder)
        adds = self._adds(walk)
        if any(adds) and memory.tips:
            return False
        memory.tips.append(commit.encode())
        if any(adds):
            self._follow(adds, walk)
            return True
        known = self._known
        built_on = {up for number in range(known, len(graph.trees)) for up in graph.parents[number] if up < known}
        built_on.update(image for image in [graph.image.get(commit.encode(), known)] if image < known)
        return all(self._reader.find(graph.ids[number]) is not None for number in built_on)

    def finish(self, commit: ObjectId) -> tuple[ObjectId | None, int]:
        """Write what survived; return the projection of `commit` and how many commits were written."""
        graph = self.memory.graph
        self._copy()
        if graph.empty_tree in graph.trees[self._known :]:
            self._writer.add(TREE, b"")
        self._writer.finish()
        image = graph.image.get(commit.encode())
        written = len(graph.ids) - self._known - len(graph.kept)
        return None if image is None else ObjectId(graph.ids[image].decode()), written

    def _walk(self, commit: bytes, covered: Sequence[bytes]) -> _Walk:
        """Return the commits that are not covered yet.

        The folders are asked of a commit's tree, not of the commit: git then need not read every commit once more.
        """
        command = ["rev-list", "--no-commit-header", "--format=%T %H %P", "--ignore-missing", commit.decode()]
        command += [f"^{tip.decode()}" for tip in covered]
        walk = _Walk([], [], [])
        roots = self._roots(command, walk)
        bases = self._trees.folders
        if len(bases) > _FEW_FOLDERS:
            trees = list(roots)
            walk.number()
            parents = [walk.position.get(above.partition(b" ")[0]) for above in walk.above]
            walk.add(find_folders(self._reader, trees, parents, bases, self._repository.id_length // 2))
        else:
            waiting: deque[int] = deque()
            question = sum(len(base) + self._repository.id_length + 8 for base in bases)  # about one commit, of all
            while block := list(itertools.islice(roots, max(1, CHUNK_BYTES // question))):
                if len(waiting) == _IN_FLIGHT:
                    walk.add(self._answers(waiting.popleft()))
                self._folder_reader.ask(block, bases)
                waiting.append(len(block))
            while waiting:
                walk.add(self._answers(waiting.popleft()))
        walk.number()
        return walk

    def _roots(self, command: Sequence[str], walk: _Walk) -> Iterator[bytes]:
        """Fill in commits and their parents; yield the tree of each."""
        lines = self._repository.git.stream(*command, "--", settings=PACK_WINDOWS)
        expected: dict[bytes, bytes] = {}  # a parent's id is one object, there and where its own line comes
        for line in self._progress.count(lines, "Reading commits"):
            tree, commit, parents = line[:-1].split(b" ", 2)
            walk.commits.append(expected.pop(commit, commit))
            walk.above.append(expected.setdefault(parents, parents))
            yield tree

    def _each(self, walk: _Walk) -> Iterable[tuple[bytes, Sequence[bytes], tuple[bytes | None, ...]]]:
        return self._progress.count(walk.parents_first(), "Projecting commits", len(walk.commits))

    def _answers(self, count: int) -> Iterator[tuple[bytes | None, ...]]:
        return zip(*[self._folder_reader.answers(count) for _ in self._trees.folders], strict=True)

    def _has(self, commit: ObjectId, add: bytes) -> bool:
        """Whether a remembered `git subtree add` is in a commit's history."""
        return self._repository.git.run("merge-base", "--is-ancestor", add.decode(), commit, ok=(0, 1, 128)).code == 0

    def _adds(self, walk: _Walk) -> list[list[Add]]:
        """Return, for each mapped folder, each `git subtree add` of it among the commits that survive, oldest first."""
        bases = self._trees.folders
        found: list[list[Add]] = [[] for _ in bases]
        for origin in self.memory.graph.origins:
            position = walk.position[origin]
            parents = walk.above[position].split()
            if len(parents) != 2:
                continue
            mainline, split = parents
            before = walk.folders[walk.position[mainline]] if mainline in walk.position else (None,) * len(bases)
            for base, one, two, adds in zip(bases, before, walk.folders[position], found, strict=True):
                if one is None and two is not None and is_add(self._reader.read(origin).data, base):
                    adds.append(Add(origin, mainline, split))
        return found

    def _follow(self, adds: Sequence[Sequence[Add]], walk: _Walk) -> None:
        """Decide once more, with the commits of other projects that `git subtree` brought.

        Where the one map carries their folder to the root, they stand for themselves. Else they are copied, as if all
        that they have lay in the folder. Each is copied at once: what `git subtree split --rejoin` brought back is the
        copy of another commit, to the last digit.

        Args:
            adds: for each mapped folder, each `git subtree add` of it.
            walk: the source's whole history.
        """
        above = {commit: parents for commit, parents, _ in walk.parents_first()}
        projects = [Subproject.of(some, above) for some in adds]
        whole = set[bytes]().union(*(project.whole for project in projects))
        trees = {found.id: found.data[5 : 5 + self._repository.id_length] for found in self._reader.read_many(whole)}
        memory = self.memory
        memory.graph = graph = Graph(memory.graph.empty_tree)
        numbers: dict[bytes, int] = {}
        for commit, parents, folders in self._each(walk):
            if commit in whole and self._trees.is_whole_folder:
                if commit in projects[0].own:
                    graph.keep(commit, parents, trees[commit])
            elif commit in whole:
                here = tuple(trees[commit] if commit in project.whole else None for project in projects)
                graph.visit(commit, parents, self._trees.project(here, self._writer))
            else:
                merged = [project for project, folder in zip(projects, folders, strict=True) if folder is not None]
                # what was merged to another place has nothing to do with the mapped folders
                near = [one for one in parents if one not in whole or any(one in project.whole for project in merged)]
                graph.visit(commit, near, self._trees.project(folders, self._writer))
            if graph.origins:
                self._copy()
                newest = len(graph.ids) - 1
                if numbers.setdefault(graph.ids[newest], newest) != newest:
                    graph.image[commit] = numbers[graph.ids[newest]]
                    graph.forget_newest()
        memory.subproject = whole
        memory.adds = [add.commit for some in adds for add in some] if whole else []

    def _doubtful(self, walk: _Walk) -> Iterator[tuple[bytes, bytes]]:
        """Yield commit and folder wherever a folder is not there but was before, or is after, or never was.

        Where a tree is missing from the clone, git gives the same answer as where the folder is absent.
        """
        if not any(None in found for found in walk.folders):
            return
        bases = self._trees.folders
        if not self.memory.graph.trees:
            yield from ((walk.commits[0], base) for base in bases)
        for origin in self.memory.graph.origins:
            position = walk.position[origin]
            found = walk.folders[position]
            for parent in walk.above[position].split():
                # remembered: assume that all were
                above = walk.folders[walk.position[parent]] if parent in walk.position else bases
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

    def _copy(self) -> None:
        """Copy the commits that survived, parents first."""
        graph = self.memory.graph
        survived = self._progress.count(self._reader.read_many(graph.origins), "Writing commits", len(graph.origins))
        for number, found in enumerate(survived, len(graph.ids)):
            above = [graph.ids[parent] for parent in graph.parents[number]]
            copy = None if found.id in graph.kept else rewritten(found.data, graph.trees[number], above)
            graph.ids.append(found.id if copy is None else self._writer.add(COMMIT, copy))
        graph.origins.clear()


@dataclass(slots=True)
class _Walk:
    """The commits of a source that are looked at, children first except where clocks were wrong.

    Attributes:
        commits: their ids.
        above: the parents of each, as git writes them: one mostly, whose id is the same object as in `commits`.
        folders: the ids of its mapped folders; None where it has no such folder.
        position: where each stands in these lists.
    """

    commits: list[bytes]
    above: list[bytes]
    folders: list[tuple[bytes | None, ...]]
    position: dict[bytes, int] = field(default_factory=dict)

    def number(self) -> None:
        """Number the commits, when all are there."""
        self.position = {commit: number for number, commit in enumerate(self.commits)}

    def add(self, found: Iterable[tuple[bytes | None, ...]]) -> None:
        """Add the folders of the next commits; successive ones mostly have the same, which are kept once."""
        last = self.folders[-1] if self.folders else None
        for folders in found:
            if folders != last:
                last = folders
            self.folders.append(last)

    def folders_above(self, parents: Sequence[bytes]) -> tuple[bytes | None, ...] | None:
        """Return the mapped folders of a commit's first parent, None where that is not looked at."""
        position = self.position.get(parents[0]) if parents else None
        return None if position is None else self.folders[position]

    def parents_first(self) -> Iterator[tuple[bytes, Sequence[bytes], tuple[bytes | None, ...]]]:
        """Yield commit, parents and mapped folders, without recursion; the reversed list is nearly right already."""
        commits, position = self.commits, self.position
        done = bytearray(len(commits))
        for last in range(len(commits) - 1, -1, -1):
            stack = [last]
            while stack:
                number = stack[-1]
                parents = self.above[number].split()
                waiting = [at for one in parents if (at := position.get(one)) is not None and not done[at]]
                if waiting:
                    stack += waiting
                    continue
                stack.pop()
                if not done[number]:
                    done[number] = True
                    yield commits[number], parents, self.folders[number]
