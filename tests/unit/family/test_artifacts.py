"""The files of the work tree that a publish takes, and those that it refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openllm_repos.errors import UsageError
from openllm_repos.family.artifacts import Unpublishable, find_files
from openllm_repos.manifest import Manifest
from openllm_repos.manifest.model import Repo

HEAD = """
schema = 1
[project]
name = "openllm"
[repos.main]
github = "a/b"
role = "source"
[repos.m]
space = "a/m"
owned = ["app.py", "own/"]
"""


def repo(*entries: tuple[str, str]) -> Repo:
    tables = "".join(f'[[repos.m.publish]]\nfrom = "{source}"\nto = "{to}"\n' for source, to in entries)
    return Manifest.parse(HEAD + tables).repo("m")


def write(top: Path, *names: str) -> None:
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(name)


def taken(top: Path, *entries: tuple[str, str]) -> dict[str, str]:
    return {file.target: file.source for file in find_files(top, repo(*entries)).files}


def problems(top: Path, *entries: tuple[str, str]) -> list[str]:
    with pytest.raises(Unpublishable) as refused:
        find_files(top, repo(*entries))
    return list(refused.value.problems)


def test_patterns_take_what_they_take_in_maps(tmp_path: Path) -> None:
    write(tmp_path, "x/a.png", "x/b.txt", "x/deep/c.png", "y/d.txt", "y/e/f.txt", "one.md")
    assert taken(tmp_path, ("x/*.png", "pictures/")) == {"pictures/a.png": "x/a.png"}
    assert taken(tmp_path, ("x/**/*.png", ".")) == {"a.png": "x/a.png", "deep/c.png": "x/deep/c.png"}
    assert taken(tmp_path, ("y/", "data/"), ("one.md", "README.md")) == {
        "data/d.txt": "y/d.txt",
        "data/e/f.txt": "y/e/f.txt",
        "README.md": "one.md",
    }


def test_each_entry_must_find_something(tmp_path: Path) -> None:
    write(tmp_path, "x/a.txt", "y/b.txt")
    with pytest.raises(UsageError, match=r"publish\[1\]\.from: y/\*\.png finds no file"):
        find_files(tmp_path, repo(("x/", "x/"), ("y/*.png", "y/")))
    with pytest.raises(UsageError, match="there is no folder z"):
        find_files(tmp_path, repo(("z/", ".")))


def test_a_folder_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, "elsewhere/a.txt", "x/b.txt")
    (tmp_path / "exports").symlink_to(tmp_path / "elsewhere")
    assert problems(tmp_path, ("exports/", ".")) == [
        "exports is a symbolic link that git tracks; put the folder itself there"
    ]
    (tmp_path / "x/inside").symlink_to(tmp_path / "elsewhere")
    assert problems(tmp_path, ("x/**/*.md", ".")) == ["x/inside is a symbolic link; put the file itself there"]
    assert taken(tmp_path, ("x/*.txt", ".")) == {"b.txt": "x/b.txt"}


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "x/a.txt")
    os.mkfifo(tmp_path / "x/pipe")
    assert problems(tmp_path, ("x/", ".")) == ["x/pipe is neither a file nor a folder"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (b"nul.txt", "is a device on Windows"),
        (b"a:b.txt", "is not inside the repository"),
        (b"dot.", "ends in a dot or blank"),
        (b"-option", "starts with '-'"),
        (b"caf\xe9.txt", "holds a control or invisible character"),
        (b"new\nline", "holds a control or invisible character"),
        (b".openllm-x", "is kept for this tool"),
        (b".gitmodules", "steers git"),
        (b"what?.txt", "without wildcards"),
    ],
)
def test_a_name_that_would_be_misread_is_refused(tmp_path: Path, name: bytes, why: str) -> None:
    write(tmp_path, "x/a.txt")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/x/" + name)).write_text("x")
    (problem,) = problems(tmp_path, ("x/", "."))
    assert problem.isprintable()
    assert why in problem


def test_names_that_differ_in_capitals_alone_are_one_on_windows(tmp_path: Path) -> None:
    write(tmp_path, "x/Model.bin", "x/model.bin")
    assert problems(tmp_path, ("x/", ".")) == [
        "x/model.bin and x/Model.bin differ only in upper and lower case, and are one path on Windows or macOS"
    ]


def test_what_the_repo_owns_is_left_to_it(tmp_path: Path) -> None:
    write(tmp_path, "x/app.py", "x/own/a.txt", "x/b.txt")
    assert problems(tmp_path, ("x/", ".")) == [
        "x/app.py would be written to app.py, which m owns (app.py)",
        "x/own/a.txt would be written to own/a.txt, which m owns (own/)",
    ]


def test_what_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "x/a.txt", "x/closed/b.txt")
    real = os.scandir

    def scandir(path: bytes) -> object:
        if path.endswith(b"/closed"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    # a test that runs as root could read everything
    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "access", lambda path, _: not path.endswith(b"a.txt"))
    assert problems(tmp_path, ("x/", ".")) == [
        "x/a.txt cannot be read: its permissions forbid it",
        "x/closed cannot be read: Permission denied",
    ]


def test_gits_own_files_and_what_programs_keep_for_themselves_are_left_out(tmp_path: Path) -> None:
    kept = (
        ".cache/huggingface/download/a.txt.metadata",
        ".DS_Store",
        "sub/__pycache__/a.pyc",
        ".openllm/published.json",
    )
    write(tmp_path, "x/.gitattributes", "x/a.txt", *(f"x/{name}" for name in kept))
    found = find_files(tmp_path, repo(("x/", ".")))
    assert [file.target for file in found.files] == ["a.txt"]
    assert sorted(found.left_out) == sorted(f"x/{name}" for name in (".gitattributes", *kept))


def test_a_card_in_other_letters_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "x/a.txt", "x/Readme.md", "x/docs/readme.md")
    why = "would be no card: the Hub reads README.md alone, a file in these letters; rename it"
    assert problems(tmp_path, ("x/", ".")) == [f"x/Readme.md {why}"]
    write(tmp_path, "y/README.md/a.txt")
    assert problems(tmp_path, ("y/", ".")) == [f"y/README.md/a.txt {why}"]
    assert "to/Readme.md" in taken(tmp_path, ("x/", "to/"))
