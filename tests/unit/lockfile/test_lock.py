"""Locks: written, read back, held against their schema, and refused where they are not sound."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.strategies as st
import jsonschema
import pytest

from openllm_repos.lockfile import schema as schema_module
from openllm_repos.lockfile.model import Lock, LockedRepo, lock_path
from openllm_repos.lockfile.schema import lock_schema_text
from openllm_repos.lockfile.text import LockUnsound, format_lock, lock_in_message, message_with_lock, parse_lock
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import BranchName, RepoName, TagName
from openllm_repos.names.url import RepoId, RepoUrl

SOURCE = LockedRepo(
    RepoName("main"),
    "source",
    "github",
    RepoId("louischua/openllm"),
    RepoUrl("https://github.com/louischua/openllm"),
    BranchName("main"),
    TagName("v1.2.0"),
    ObjectId("a" * 40),
    ObjectId("b" * 40),
)
SPACE = replace(
    SOURCE,
    name=RepoName("space"),
    role="target",
    kind="space",
    repo_id=RepoId("lemms/openllm"),
    url=RepoUrl("https://huggingface.co/spaces/lemms/openllm"),
    commit=ObjectId("c" * 40),
    source=ObjectId("a" * 40),
)
MIRROR = LockedRepo(
    RepoName("data.v2"),
    "member",
    "git",
    None,
    RepoUrl("ssh://git@example.org/data.git"),
    BranchName("v2"),
    TagName("code-v1.2.0"),
    ObjectId("d" * 64),
)
LOCK = Lock("openllm", "1.2.0", TagName("v1.2.0"), "sha256:" + "0" * 64, (SOURCE, SPACE, MIRROR))

TEXT = f"""\
# openllm 1.2.0: the commit of every repo of the family. Written by a release;
# nobody edits it.
schema = 1
project = "openllm"
version = "1.2.0"
tag = "v1.2.0"
manifest = "sha256:{"0" * 64}"

[repos.main]
role = "source"
kind = "github"
id = "louischua/openllm"
url = "https://github.com/louischua/openllm"
branch = "main"
tag = "v1.2.0"
commit = "{"a" * 40}"
tree = "{"b" * 40}"

[repos.space]
role = "target"
kind = "space"
id = "lemms/openllm"
url = "https://huggingface.co/spaces/lemms/openllm"
branch = "main"
tag = "v1.2.0"
commit = "{"c" * 40}"
tree = "{"b" * 40}"
source = "{"a" * 40}"

[repos."data.v2"]
role = "member"
kind = "git"
url = "ssh://git@example.org/data.git"
branch = "v2"
tag = "code-v1.2.0"
commit = "{"d" * 64}"
"""


@pytest.fixture(scope="module")
def schema() -> Any:
    loaded = json.loads(lock_schema_text())
    jsonschema.Draft202012Validator.check_schema(loaded)
    return jsonschema.Draft202012Validator(loaded)


def test_a_lock_reads_like_this(schema: Any) -> None:
    assert format_lock(LOCK) == TEXT
    assert parse_lock(TEXT, "here") == LOCK
    assert parse_lock(TEXT.encode(), "here") == LOCK
    assert [error.message for error in schema.iter_errors(tomllib.loads(TEXT))] == []


def test_its_parts_are_found_by_name() -> None:
    assert (LOCK.source, LOCK.others) == (SOURCE, (SPACE, MIRROR))
    assert (LOCK.repo("space"), LOCK.repo("gone")) == (SPACE, None)
    assert lock_path("release/1.0") == "manifest/releases/release/1.0.toml"


def test_a_tag_carries_a_lock_in_its_message() -> None:
    message = message_with_lock("openllm 1.2.0", LOCK)
    assert lock_in_message(message + "-----BEGIN PGP SIGNATURE-----\nx\n", "here") == LOCK
    assert lock_in_message("openllm 1.2.0\n", "here") is None
    with pytest.raises(LockUnsound):
        lock_in_message(message.replace("schema = 1", "schema = 0"), "here")


NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True)


@hypothesis.given(
    project=st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z", "M"]), min_size=1, max_size=20).filter(
        lambda text: text[0] != "-" and text.isascii()
    ),
    names=st.lists(NAMES.filter(lambda name: name not in {"con", "prn", "aux", "nul"}), min_size=1, unique=True),
    ids=st.lists(st.from_regex(r"[0-9a-f]{40}", fullmatch=True), min_size=3, max_size=3),
)
def test_any_lock_comes_back_as_it_was(schema: Any, project: str, names: list[str], ids: list[str]) -> None:
    hypothesis.assume(not any(name[:3] in {"com", "lpt"} for name in names))
    first, *rest = (RepoName(name) for name in names)
    commit, tree, source = map(ObjectId, ids)
    repos = (
        replace(SOURCE, name=first, commit=commit, tree=tree),
        *(replace(SPACE, name=name, commit=tree, source=source, tree=None) for name in rest),
    )
    lock = replace(LOCK, project=project, repos=repos)
    text = format_lock(lock)
    assert parse_lock(text, "here") == lock
    assert format_lock(parse_lock(text, "here")) == text
    assert schema.is_valid(tomllib.loads(text))


SPACE_TABLE = TEXT[TEXT.index("[repos.space]") : TEXT.index('[repos."data')]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "does not say schema = 1"),
        ("[", "is not TOML that can be read"),
        (b"\xff", "is not TOML that can be read"),
        ("#" * (1 << 20) + "\n", "is larger than 1 MiB"),
        (TEXT.replace("schema = 1", "schema = 2"), "its schema 2 is newer than this openllm-repos, which reads 1"),
        (TEXT.replace("schema = 1", "schema = true"), "does not say schema = 1"),
        (TEXT.replace('project = "openllm"\n', ""), "project is missing, or not text"),
        (TEXT.replace('version = "1.2.0"', 'version = "latest"'), "version is not one"),
        (TEXT.replace("sha256:", "md5:"), "manifest is not the digest of one"),
        (TEXT[: TEXT.index("[repos.main]")], "it has no repos"),
        (TEXT.replace('tag = "v1.2.0"\nmanifest', 'tag = "v1.3.0"\nmanifest'), "the source's tag is v1.2.0"),
        (TEXT.replace('role = "target"', 'role = "source"'), "its first repo, and no other, must be the source"),
        (TEXT.replace('role = "source"', 'role = "member"'), "its first repo, and no other, must be the source"),
        (TEXT.replace('kind = "space"', 'kind = "spaec"'), "repos.space has a role or kind that is not known"),
        (TEXT.replace('id = "lemms/openllm"\n', ""), "repos.space needs an id unless its kind is git"),
        (TEXT.replace("a" * 40, "a" * 39), "is not an object id"),
        (TEXT.replace("https://huggingface", "ext::sh https://huggingface"), "'ext::sh"),
        (TEXT.replace('branch = "v2"', 'branch = "--force"'), "starts with '-'"),
        (TEXT.replace(SPACE_TABLE, "").replace("[repos.main]", "[repos]\nx = 1\n[repos.main]"), "a repo is no table"),
    ],
)
def test_a_lock_that_is_not_sound_is_refused(text: str | bytes, why: str) -> None:
    with pytest.raises(LockUnsound) as refused:
        parse_lock(text, "manifest/releases/v1.2.0.toml")
    assert "The lock in manifest/releases/v1.2.0.toml is not sound" in refused.value.message
    assert why in refused.value.message
    assert refused.value.exit_code == 3


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("schema = 1", "schema = 2"),
        ('kind = "space"', 'kind = "spaec"'),
        ('id = "lemms/openllm"\n', ""),
        ("a" * 40, "a" * 39),
        ("sha256:", "md5:"),
        ('branch = "v2"', 'branch = "--force"'),
    ],
)
def test_the_schema_refuses_it_too(schema: Any, old: str, new: str) -> None:
    assert not schema.is_valid(tomllib.loads(TEXT.replace(old, new)))


def test_an_installed_package_brings_the_schema_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "openllm_repos"
    (package / "lockfile").mkdir(parents=True)
    (package / "release.schema.json").write_text('{"packed": true}')
    monkeypatch.setattr(schema_module, "__file__", str(package / "lockfile" / "schema.py"))
    assert json.loads(lock_schema_text()) == {"packed": True}
