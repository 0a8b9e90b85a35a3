"""The last checks before a push: what they refuse, on results that the rest of the code should never give."""

from __future__ import annotations

import pytest

from openllm_repos.errors import ConflictError
from openllm_repos.family.state import TargetState
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Change, FileChange
from openllm_repos.projection.changes import MappedPart
from openllm_repos.sync.checks import check_commits, check_entries, check_never, check_tree
from openllm_repos.sync.message import sync_message
from tests.support.repositories import Clone

MANIFEST = """\
schema = 1
[project]
name = "openllm"
never = ["data/"]
[repos.main]
github = "louischua/openllm"
role = "source"
[repos.space]
space = "lemms/openllm"
owned = ["app.py"]
[[repos.space.map]]
from = "core/*.py"
to = "training/"
"""


@pytest.fixture
def manifest() -> Manifest:
    return Manifest.parse(MANIFEST)


def _change(path: bytes, mode: bytes = b"100644") -> FileChange:
    return FileChange(path, Change.ADDED, None, (mode, b"1" * 40))


def test_a_result_may_change_mapped_paths_only(clone: Clone, manifest: Manifest) -> None:
    target = manifest.target("space")
    with ObjectReader(Repository.open(clone.path).git) as reader:
        part = MappedPart(reader, target.maps, "sha1")
        check_tree(part, target, (_change(b"training/x.py"),))
        for path in (b"app.py", b"training/x.txt", b".gitattributes", b"training/deep/x.py"):
            with pytest.raises(ConflictError, match="which belongs to the target"):
                check_tree(part, target, (_change(b"training/x.py"), _change(path)))


@pytest.mark.parametrize(
    ("path", "mode", "said"),
    [
        (b"training/sub", b"160000", "training/sub is a submodule"),
        (b"training/.gitmodules", b"100644", "has a name that git itself uses"),
        (b"training/.GIT/config", b"100644", "has a name that git itself uses"),
    ],
)
def test_files_that_cannot_be_carried_are_named(manifest: Manifest, path: bytes, mode: bytes, said: str) -> None:
    with pytest.raises(ConflictError, match=said):
        check_entries(manifest.target("space"), (_change(b"training/strasse.py"), _change(path, mode)))


def test_files_with_plain_names_can_be_carried(manifest: Manifest) -> None:
    names = [b"a.py", b"b.py", b"caf\xe9.py", b"caf\xc3\xa9.py", b".gitignore", b".gitattributes", b"git"]
    check_entries(manifest.target("space"), tuple(_change(name) for name in names))


def test_private_files_are_looked_for_once_more_on_the_real_files(clone: Clone, manifest: Manifest) -> None:
    commit = ObjectId(clone.commit("one", {"core/a.py": "1", "data/x.py": "1"}))
    repository = Repository.open(clone.path)
    check_never(repository, manifest, manifest.target("space"), commit)
    # No sound manifest has such a map; the check must not lean on that.
    loose = Manifest.parse(MANIFEST.replace('never = ["data/"]', "never = []").replace("core/*.py", "data/*.py"))
    private = Manifest(1, manifest.project, loose.repos)
    with pytest.raises(ConflictError, match=r"data/x\.py may never leave the source"):
        check_never(repository, private, loose.target("space"), commit)


def test_a_commit_with_more_than_mapped_folders_is_not_pushed(clone: Clone, manifest: Manifest) -> None:
    """A commit of the source itself has `core/` and the rest at its top; a projected one has `training/` alone."""
    repository, target = Repository.open(clone.path), manifest.target("space")
    projected = ObjectId(clone.commit("projected", {"training/a.py": "1"}))
    leaked = clone.commit("of the source", {"data/x.py": "1"})
    above = ObjectId(clone.commit("projected", {"data/x.py": None}))
    with ObjectReader(repository.git) as reader:
        assert check_commits(repository, reader, target, None, projected) == 1
        with pytest.raises(ConflictError, match=f"{leaked[:10]} brings data, which no map writes"):
            check_commits(repository, reader, target, projected, above)
        assert check_commits(repository, reader, target, ObjectId(leaked), above) == 1


def test_the_message_of_a_sync(manifest: Manifest) -> None:
    one, two = ObjectId("1" * 40), ObjectId("2" * 40)
    subject, _, rest = sync_message(manifest.source, TargetState.of(manifest.target("space"), one, two)).partition("\n")
    assert subject == "Sync from louischua/openllm at 1111111111"
    body, _, trailers = rest.strip("\n").rpartition("\n\n")
    assert body == "    core/*.py -> training/"
    assert dict(line.split(": ") for line in trailers.splitlines()) == {
        "Source-Repo": "https://github.com/louischua/openllm",
        "Source-Commit": one,
        "Projected-Commit": two,
        "Maps": trailers[-64:],
    }
