"""Reading a manifest: what it becomes, and how all that is wrong is told at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openllm_repos.errors import ManifestError, UsageError
from openllm_repos.manifest import DriftPolicy, History, Kind, Manifest, Role
from openllm_repos.manifest.model import At, LockPlace
from openllm_repos.manifest.parse import EXAMPLE

TREE = Path(__file__).parents[3]


def faults_of(text: str | bytes) -> tuple[str, ...]:
    with pytest.raises(ManifestError) as refused:
        Manifest.parse(text)
    return refused.value.faults


def test_the_family_of_openllm() -> None:
    manifest = Manifest.load(TREE / "repos.toml")
    assert manifest.schema == 1
    assert manifest.origin == "repos.toml"
    assert manifest.project.name == "openllm"
    assert manifest.project.version == ("pyproject.toml",)
    assert manifest.project.tag.tag_for("1.0") == "v1.0"
    assert [pattern.text for pattern in manifest.project.never] == ["data/", "tests/", "docs/", "exports/"]
    assert [(repo.name, repo.kind, repo.role, repo.url) for repo in manifest.repos] == [
        ("main", Kind.GITHUB, Role.SOURCE, "https://github.com/louischua/openllm"),
        ("space", Kind.SPACE, Role.TARGET, "https://huggingface.co/spaces/lemms/openllm"),
        ("small-extended-7k", Kind.MODEL, Role.MEMBER, "https://huggingface.co/lemms/openllm-small-extended-7k"),
        ("small-extended-8k", Kind.MODEL, Role.MEMBER, "https://huggingface.co/lemms/openllm-small-extended-8k"),
        ("training-data", Kind.DATASET, Role.MEMBER, "https://huggingface.co/datasets/lemms/openllm-training-data"),
    ]
    assert manifest.source is manifest.repo("main")
    assert manifest.targets == (manifest.repo("space"),)
    space = manifest.repo("space")
    assert space.repo_id == "lemms/openllm"
    assert (space.branch, space.release, space.history, space.drift) == ("main", True, History.FULL, DriftPolicy.MERGE)
    assert [pattern.text for pattern in space.owned] == ["app.py", "requirements.txt", "README.md"]
    assert [(entry.source.text, entry.to, entry.written_to) for entry in space.maps] == [
        ("core/src/*.py", "training", "training/"),
        ("configs/*.json", "configs", "configs/"),
    ]


def test_every_key_is_read() -> None:
    manifest = Manifest.load(TREE / "manifest" / "valid" / "every-key.toml")
    space, data = manifest.repo("space"), manifest.repo("data.v2")
    assert manifest.project.version == (
        "pyproject.toml",
        "src/openllm/__init__.py",
        "package.json",
        "README.md#version",
    )
    assert [(place.path, place.key) for place in manifest.project.version][-1] == ("README.md", "version")
    assert manifest.project.lock is LockPlace.TAG
    assert manifest.project.tag.version_of("release/1.0") == "1.0"
    assert manifest.source.branch == "develop"
    assert (space.release, space.history, space.drift) == (False, History.SQUASH, DriftPolicy.REFUSE)
    assert (space.at, space.version) == (At.SYNCED, ("README.md#version",))
    assert [manifest.tag_form(repo) for repo in manifest.repos] == [
        "release/{version}",
        "release/{version}",
        "code-v{version}",
        "release/{version}",
        "v2-{version}",
    ]
    assert [repo.name for repo in manifest.released] == ["model", "data", "data.v2", "main"]
    assert (data.kind, data.branch, data.role) == (Kind.DATASET, "v2", Role.MEMBER)


def test_a_repo_given_by_url_is_of_the_kind_git() -> None:
    repo = Manifest.load(TREE / "manifest" / "valid" / "every-url.toml").repo("ssh")
    assert (repo.kind, repo.repo_id, repo.url.host) == (Kind.GIT, None, "git.example.org")


def test_a_repo_that_is_not_there_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="no repo 'spcae'; did you mean 'space'") as refused:
        Manifest.load(TREE / "repos.toml").repo("spcae")
    assert "main, space, small-extended-7k" in refused.value.hint


def test_all_faults_are_told_at_once_in_the_order_of_the_file() -> None:
    text = """
        schema = 1
        [repos.space]
        spaec = "lemms/openllm"
        [[repos.space.map]]
        from = "core/../src"
        to = "/training"
        [[repos.space.map]]
        from = "configs/"
        to = 7
        [project]
        nam = "x"
        tag = "v"
        [repos.main]
        github = "openllm"
        branch = "a b"
        release = 1
    """
    assert [fault.partition(": ")[0] for fault in faults_of(text)] == [
        "repos",
        "repos.space",
        "repos.space.spaec",
        "repos.space.map[0].from",
        "repos.space.map[0].to",
        "repos.space.map[1].to",
        "repos.main.github",
        "repos.main.branch",
        "repos.main.release",
        "project.name",
        "project.nam",
        "project.tag",
    ]


def test_the_headline_counts_and_the_hint_explains_indexes() -> None:
    with pytest.raises(ManifestError, match=r"^family\.toml has 2 faults$") as refused:
        Manifest.parse('schema = 1\n[project]\nname = "x"\nnever = [1]\n', "family.toml")
    assert "Indexes count from 0" in refused.value.hint
    with pytest.raises(ManifestError, match="has 1 fault") as refused:
        Manifest.parse('schema = 1\n[project]\nname = "x"\n')
    assert "Indexes" not in refused.value.hint


def test_a_repo_that_cannot_be_read_is_not_also_blamed_for_a_missing_source() -> None:
    faults = faults_of('schema = 1\n[project]\nname = "x"\n[repos]\nmain = 3\n')
    assert [fault.partition(";")[0] for fault in faults] == ["repos.main: is a number"]


def test_a_date_where_text_belongs() -> None:
    assert faults_of('schema = 1\n[project]\nname = 2026-01-01\n[repos.a]\ngithub = "a/b"\nrole = "source"\n') == (
        "project.name: is a date or time; write text in quotes",
    )


def test_a_project_name_has_at_most_100_characters() -> None:
    text = 'schema = 1\n[project]\nname = "{}"\n[repos.a]\ngithub = "a/b"\nrole = "source"\n'
    assert Manifest.parse(text.format("x" * 100)).project.name == "x" * 100
    assert "at most 100 characters" in faults_of(text.format("x" * 101))[0]


def test_a_key_with_odd_characters_is_shown_safely() -> None:
    fault = next(fault for fault in faults_of('schema = 1\n"a\\u001b[31m\\nb" = 1\n') if "31m" in fault)
    assert fault.startswith("'a\\x1b[31m\\nb': is not a key here")


def test_a_missing_manifest_is_answered_with_an_example_that_is_sound(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"there is no manifest .*nowhere\.toml") as refused:
        Manifest.load(tmp_path / "nowhere.toml")
    assert "openllm-repos init" in refused.value.hint
    assert Manifest.parse(refused.value.hint.partition("\n\n")[2]) == Manifest.parse(EXAMPLE)


def test_a_folder_in_place_of_a_manifest_and_one_that_is_far_too_large(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read: Is a directory"):
        Manifest.load(tmp_path)
    large = tmp_path / "large.toml"
    large.write_text("#" * (1 << 20) + "\n")
    with pytest.raises(ManifestError, match="is larger than 1 MiB"):
        Manifest.load(large)


def test_text_that_is_not_utf8_is_named_with_its_line() -> None:
    with pytest.raises(ManifestError, match=r"is not UTF-8 \(at line 3\)"):
        Manifest.parse(b"schema = 1\n# fine\nname = '\xff'\n")


def test_a_byte_order_mark_is_no_fault() -> None:
    assert Manifest.parse("\ufeff" + EXAMPLE) == Manifest.parse(("\ufeff" + EXAMPLE).encode())


@pytest.mark.parametrize("text", ["x = " + "[" * 100_000, "x = " + "9" * 5000])
def test_toml_that_would_break_a_reader_is_refused(text: str) -> None:
    with pytest.raises(ManifestError, match="too long or too much nesting"):
        Manifest.parse(text)


def test_a_long_manifest_is_read_within_a_second() -> None:
    maps = "".join(f'[[repos.t.map]]\nfrom = "src/{n}/**/*.py"\nto = "out/{n}/"\n' for n in range(100))
    head = 'schema = 1\n[project]\nname = "x"\nnever = ["data/"]\n[repos.a]\ngithub = "a/b"\nrole = "source"\n'
    text = head + '[repos.t]\nspace = "a/b"\n' + maps
    before = os.times().user
    assert len(Manifest.parse(text).repo("t").maps) == 100
    assert os.times().user - before < 1
