"""What the hook's sh looks for, held against the sh itself, and against what the gate understands."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from openllm_repos.git.repository import Repository
from openllm_repos.hooks.destination import Addresses
from openllm_repos.hooks.place import shipped
from openllm_repos.hooks.watch import Watch, facts_of
from openllm_repos.manifest import Manifest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.repositories import Clone

MANIFEST = Manifest.parse("""
schema = 1
[project]
name = "openllm"
tag = "core/v{version}+x"
[repos.main]
github = "acme/openllm"
role = "source"
[repos.space]
space = "lemms/openllm"
[[repos.space.map]]
from = "core/*.py"
to = "training/"
[repos.model]
model = "acme/openllm"
[[repos.model.map]]
from = "core/*.py"
to = "training/"
[repos.mirror]
github = "Acme/Mirror"
[[repos.mirror.map]]
from = "core/*.py"
to = "training/"
[repos.disk]
url = "file:///srv/a [1]/disk.git"
[[repos.disk.map]]
from = "core/*.py"
to = "training/"
""")
SPACE = (
    "https://huggingface.co/spaces/lemms/openllm",
    "https://huggingface.co/spaces/lemms/openllm.git",
    "https://huggingface.co/spaces/lemms/openllm.git/",
    "https://HuggingFace.co/spaces/lemms/openllm//",
    "https://user:hf_token@huggingface.co/spaces/lemms/openllm",
    "https://hf.co:443/spaces/lemms/openllm",
    "ssh://git@hf.co/spaces/lemms/openllm",
    "git@hf.co:spaces/lemms/openllm",
    "hf.co:/spaces/lemms/openllm.git",
    "work:spaces/lemms/openllm",
    "hf",
)
OTHERS = {
    "model": ("https://huggingface.co/acme/openllm", "git@hf.co:acme/openllm.git"),
    "mirror": (
        "https://github.com/acme/MIRROR",
        "git@github.com:ACME/mirror.git",
        "ssh://git@github.com:22/Acme/Mirror",
    ),
    "disk": ("file:///srv/a [1]/disk.git", "/srv/a [1]/disk", "/srv/b/../a [1]/disk.git", "../srv/a [1]/disk.git"),
    "main": (
        "https://github.com/acme/openllm",
        "https://github.com/Acme/OpenLLM.git",
        "git@github.com:acme/openllm.git",
        "ssh://git@ssh.github.com:443/acme/openllm.git",
    ),
    "": (
        "https://example.org/x",
        "/srv/other",
        "https://github.com/lemms/openllm",
        "https://hf.co/spaces/x/lemms",
        "up",
    ),
}


@pytest.fixture
def hook(tmp_path: Path, clone: Clone) -> Path:
    """Return the hook with its facts, in a folder of its own; a Python that it would have to ask is not there."""
    clone.git("remote", "add", "hf", "https://huggingface.co/spaces/lemms/openllm")
    clone.git("remote", "add", "up", "https://example.org/up")
    folder = tmp_path / "hooks"
    folder.mkdir()
    addresses = Addresses.read(Repository.open(clone.path))
    watch = Watch("/gone", "1", sections={".": facts_of(MANIFEST, addresses)})
    (folder / "pre-push.openllm-repos").write_text(watch.text())
    (folder / "pre-push").write_bytes(shipped())
    return folder / "pre-push"


def asks(hook: Path, clone: Clone, *where: str, ref: str = "refs/heads/topic") -> bool:
    """Whether the hook does not decide alone."""
    line = f"HEAD {'1' * 40} {ref} {'0' * 40}\n"
    remote, url = where if len(where) == 2 else (where[0], where[0])
    command = ["sh", str(hook), remote, url]
    done = subprocess.run(command, input=line, text=True, capture_output=True, cwd=clone.path, check=False)
    assert done.returncode == (1 if "/gone" in done.stderr else 0)
    return done.returncode == 1


def named(clone: Clone, *where: str) -> str:
    """Return the repo that the gate takes a push for."""
    addresses = Addresses.read(Repository.open(clone.path))
    remote, url = where if len(where) == 2 else (where[0], where[0])
    return ",".join(repo.name for repo in addresses.find(MANIFEST, remote, url))


@pytest.mark.parametrize("url", SPACE[:-1])
def test_every_spelling_of_a_target_is_known(url: str, hook: Path, clone: Clone) -> None:
    assert asks(hook, clone, url)
    assert named(clone, url) == "space"
    assert asks(hook, clone, "some-name", url)


def test_the_name_of_a_remote_is_known_where_its_url_is_led_elsewhere(hook: Path, clone: Clone) -> None:
    clone.git("config", "url./srv/stand-in/.insteadOf", "https://huggingface.co/")
    assert asks(hook, clone, "hf", "/srv/stand-in/spaces/lemms/openllm")
    assert named(clone, "hf", "/srv/stand-in/spaces/lemms/openllm") == "space"
    assert named(clone, "/srv/stand-in/spaces/lemms/openllm") == "space"
    assert named(clone, "hf", "/srv/quite/another") == ""


@pytest.mark.parametrize(("name", "url"), [(name, url) for name, urls in OTHERS.items() for url in urls])
def test_other_repos_are_told_apart(name: str, url: str, hook: Path, clone: Clone) -> None:
    relative = "../" if url.startswith("../") else ""
    if relative:
        url = "../" * len(clone.path.parts) + url.removeprefix("../")
    if name in {"model", "mirror", "disk"}:
        assert asks(hook, clone, url)
    if name == "main":
        assert not asks(hook, clone, url)
    if url != "up":
        assert named(clone, url) == name


def test_a_remote_may_be_reached_by_a_helper_that_nobody_knows(hook: Path, clone: Clone) -> None:
    assert not asks(hook, clone, "persistent-https://example.org/x")
    assert named(clone, "codecommit::eu://x") == ""
    assert named(clone, "persistent-https://example.org/x") == ""


def test_a_push_elsewhere_is_not_asked_about(hook: Path, clone: Clone) -> None:
    assert not asks(hook, clone, "up", "https://example.org/up")
    assert not asks(hook, clone, "https://example.org/x")
    assert not asks(hook, clone, "/srv/other")


@pytest.mark.parametrize(
    ("ref", "asked"),
    [
        ("refs/tags/core/v1.0.0+x", True),
        ("refs/tags/core/v1.0.0-rc.1+x", True),
        ("refs/tags/core/v1.0.0", False),
        ("refs/tags/v1.0.0+x", False),
        ("refs/tags/core/version+x", False),
        ("refs/heads/core/v1.0.0+x", False),
    ],
)
def test_release_tags_are_known_by_their_form(ref: str, asked: bool, hook: Path, clone: Clone) -> None:
    assert asks(hook, clone, "https://github.com/acme/openllm", ref=ref) is asked
    line = ref.removeprefix("refs/tags/")
    if ref.startswith("refs/tags/"):
        assert (MANIFEST.project.tag.version_of(line) is not None) is asked


def test_the_file_of_facts_reads_back_as_it_was_written() -> None:
    watch = Watch("/usr/bin/python 3", "1.0", made_folder=True, sections={".": ("tag v*", "x y"), "/srv/b c": ()})
    assert Watch.parse(watch.text()) == watch
    assert Watch.parse("") == Watch("", "")
