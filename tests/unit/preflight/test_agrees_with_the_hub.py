"""Our verdict beside the host's own: each case is judged, then pushed with plain git, and both must agree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Kind, Repo, Role
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName
from openllm_repos.names.url import RepoId
from openllm_repos.plan import Rule
from openllm_repos.preflight.inspect import Inspection, inspect
from openllm_repos.preflight.push import Push
from openllm_repos.sandbox import Sandbox
from tests.support.repositories import Clone
from tests.support.sealed import SealedHome
from tests.support.served import PNG, login, pointer

MIB = 1 << 20
NAME = "lemms/openllm"
Steps = Callable[[Clone], object]


def _files(files: dict[str, str | bytes]) -> Steps:
    return lambda clone: clone.commit("Add", files)


def _card(front: str) -> Steps:
    return _files({"README.md": f"---\n{front}\n---\n# Card\n"})


def _added_and_removed(clone: Clone) -> None:
    clone.commit("Add", {"logo.png": PNG})
    clone.commit("Remove", {"logo.png": None})


def _on_a_side_branch(clone: Clone) -> None:
    clone.switch("side", at="main")
    clone.commit("Add", {"logo.png": PNG})
    clone.commit("Remove", {"logo.png": None, "b.py": "b\n"})
    clone.switch("main")
    clone.merge("side")


def _in_an_evil_merge(clone: Clone) -> None:
    clone.switch("side", at="main")
    clone.commit("Text", {"b.py": "b\n"})
    clone.switch("main")
    clone.merge("side", files={"logo.png": PNG})


def _moved(clone: Clone) -> None:
    clone.git("mv", "held.png", "elsewhere.png")
    clone.commit("Move")


def _copied_and_changed(clone: Clone) -> None:
    clone.commit("Change", {"held.png": (clone.path / "held.png").read_bytes() + b"\0"})


def _uploaded(clone: Clone) -> None:
    clone.git("lfs", "clean", data=b"content")
    clone.commit("Add", {"model.bin": pointer(b"content")})
    url = clone.git("remote", "get-url", "origin")
    clone.git("-c", f"lfs.url={url}.git/info/lfs", "lfs", "push", url, "main")


def _linked(clone: Clone) -> None:
    clone.link("link", "app.py")
    clone.commit("Add a link")


def _no_attributes(clone: Clone) -> None:
    clone.commit("Remove", {".gitattributes": None})


BINARY, SIZE, OBJECT, CARD = {Rule.BINARY}, {Rule.SIZE}, {Rule.LFS_OBJECT}, {Rule.CARD}
CASES: dict[str, tuple[Kind, Steps, set[Rule]]] = {
    "text": (Kind.SPACE, _files({"app.py": "print()\n"}), set()),
    "an empty file": (Kind.SPACE, _files({"empty": ""}), set()),
    "an empty commit": (Kind.SPACE, _files({}), set()),
    "latin-1": (Kind.SPACE, _files({"umlaut": b"\xe4\xf6\xfc\n"}), set()),
    "utf-16": (Kind.SPACE, _files({"wide": "wide\n".encode("utf-16")}), BINARY),
    "one NUL": (Kind.SPACE, _files({"nul": b"\0"}), BINARY),
    "NUL as the 8000th byte": (Kind.SPACE, _files({"late": b"a" * 7999 + b"\0"}), BINARY),
    "NUL after 8000 bytes": (Kind.SPACE, _files({"late": b"a" * 8000 + b"\0"}), set()),
    "a picture": (Kind.DATASET, _files({"logo.png": PNG}), BINARY),
    "a picture below a folder with a line end": (Kind.MODEL, _files({"a\nb/logo.png": PNG}), BINARY),
    "a picture that was removed again": (Kind.SPACE, _added_and_removed, BINARY),
    "a picture on a side branch that was merged": (Kind.SPACE, _on_a_side_branch, BINARY),
    "a picture that a merge brought": (Kind.SPACE, _in_an_evil_merge, BINARY),
    "a picture that is there already, moved": (Kind.SPACE, _moved, set()),
    "a picture that is there already, changed": (Kind.SPACE, _copied_and_changed, BINARY),
    "a binary that .gitattributes gives to LFS": (Kind.MODEL, _files({"model.bin": b"\0\1\2"}), BINARY),
    "a text that .gitattributes gives to LFS": (Kind.MODEL, _files({"model.bin": "text\n"}), set()),
    "10 MiB": (Kind.SPACE, _files({"large": b"a" * (10 * MIB)}), set()),
    "10 MiB and one byte": (Kind.SPACE, _files({"large": b"a" * (10 * MIB + 1)}), SIZE),
    "10 MiB and one byte, binary": (Kind.SPACE, _files({"large": b"\0" * (10 * MIB + 1)}), SIZE),
    "a pointer to nothing": (Kind.MODEL, _files({"model.bin": pointer(b"gone")}), OBJECT),
    "a pointer without its last line end": (Kind.MODEL, _files({"model.bin": pointer(b"gone").rstrip()}), OBJECT),
    "a pointer with an extension": (
        Kind.MODEL,
        _files({"model.bin": pointer(b"gone").replace("oid", f"ext-0-x sha256:{'0' * 64}\noid")}),
        OBJECT,
    ),
    "a pointer with more below it": (Kind.MODEL, _files({"model.bin": pointer(b"gone") + "more\n"}), set()),
    "a symbolic link": (Kind.SPACE, _linked, set()),
    "a card without front matter": (Kind.SPACE, _files({"README.md": "# Card\n"}), set()),
    "an empty front matter": (Kind.SPACE, _card(""), set()),
    "a card that is no YAML": (Kind.MODEL, _card("license: [mit"), CARD),
    "a card with a date that there is not": (Kind.MODEL, _card("date: 2024-13-45"), CARD),
    "a card with a value that is not of its type": (Kind.SPACE, _card("pinned: !!bool maybe"), CARD),
    "a card that is a list": (Kind.MODEL, _card("- mit"), CARD),
    "a good card of a Space": (Kind.SPACE, _card("title: T\nemoji: 🚀\ncolorFrom: red\nsdk: docker"), set()),
    "60 characters": (Kind.SPACE, _card(f"short_description: {'a' * 60}"), set()),
    "61 characters": (Kind.SPACE, _card(f"short_description: {'a' * 61}"), CARD),
    "61 characters in a model": (Kind.MODEL, _card(f"short_description: {'a' * 61}"), set()),
    "no such colour": (Kind.SPACE, _card("colorFrom: orange"), CARD),
    "no such sdk": (Kind.SPACE, _card("sdk: flask"), CARD),
    "an emoji of letters": (Kind.SPACE, _card("emoji: rocket"), CARD),
    "a license that is a number": (Kind.MODEL, _card("license: 3"), CARD),
    "a list of licenses": (Kind.DATASET, _card("license: [mit, apache-2.0]"), set()),
    "a model-index that is a text": (Kind.MODEL, _card("model-index: x"), CARD),
    "tags that are a number": (Kind.DATASET, _card("tags: 3"), CARD),
    "a bad card in a folder": (Kind.MODEL, _files({"docs/README.md": "---\nlicense: 3\n---\n"}), set()),
    "an old bad card that was mended": (
        Kind.MODEL,
        lambda clone: (_card("license: 3")(clone), _card("license: mit")(clone)),
        set(),
    ),
}


class Hub:
    """One sandbox for all cases of the table; each has a repository of its own."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder

    def clone(self, kind: Kind) -> Clone:
        """Make a repository that holds a picture from the days when the Hub took them, and clone it."""
        assert kind in (Kind.SPACE, Kind.MODEL, Kind.DATASET)
        target = repo(kind)
        place = self.sandbox.hub.create(kind.value, NAME)  # type: ignore[arg-type]
        clone = Clone.of(place.as_uri(), self.folder / "clone")
        clone.commit("Held", {"held.png": PNG * 2})
        clone.git("-C", str(place), "fetch", "-q", str(clone.path), "+main:main")
        clone.git("remote", "set-url", "origin", target.url)
        clone.git("fetch", "-q", "origin")
        return clone


def repo(kind: Kind) -> Repo:
    """Return the manifest's entry of a repository."""
    name = RepoId(NAME)
    url = {Kind.SPACE: name.space_url, Kind.MODEL: name.model_url, Kind.DATASET: name.dataset_url}[kind]()
    return Repo(RepoName("target"), kind, url, name, Role.TARGET)


@pytest.fixture
def hub(sandbox: Sandbox, home: SealedHome, tmp_path: Path) -> Hub:
    """Return a Hub where every git is logged in."""
    login(home, sandbox)
    return Hub(sandbox, tmp_path)


def judged(clone: Clone, kind: Kind) -> Inspection:
    """Judge a push of main to a repository of some kind."""
    target = repo(kind)
    tip = ObjectId(clone.tip("origin/main"))
    return inspect(Repository.open(clone.path), Push(target, target.url, ObjectId(clone.tip()), tip))


@pytest.mark.slow
@pytest.mark.usefixtures("git_lfs")
@pytest.mark.parametrize("case", CASES)
def test_the_hub_takes_what_we_let_through_and_nothing_else(hub: Hub, case: str) -> None:
    _agree(hub, *CASES[case])


@pytest.mark.slow
@pytest.mark.usefixtures("git_lfs")
def test_the_hub_takes_a_pointer_with_its_object(hub: Hub) -> None:
    _agree(hub, Kind.MODEL, _uploaded, set())


def _agree(hub: Hub, kind: Kind, steps: Steps, rules: set[Rule]) -> None:
    """Check that our verdict on a push is the Hub's."""
    clone = hub.clone(kind)
    steps(clone)
    found = {finding.rule for finding in judged(clone, kind).findings}
    pushed = clone.run("push", "-q", "origin", "HEAD:refs/heads/main", ok=(0, 1))
    assert found - {Rule.LFS_ATTRIBUTE} == rules
    assert (pushed.code == 0) == (not rules), pushed.err


def test_the_hub_lets_attributes_be_lost_and_we_do_not(hub: Hub) -> None:
    clone = hub.clone(Kind.MODEL)
    _no_attributes(clone)
    (finding,) = judged(clone, Kind.MODEL).findings
    assert (finding.rule, finding.path) == (Rule.GITATTRIBUTES, b".gitattributes")
    assert finding.problem == "would be deleted, and with it what says which files are in LFS"
    clone.git("push", "-q", "origin", "HEAD:refs/heads/main")
