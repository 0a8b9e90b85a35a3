"""Folders and files inside a repository, as people write them."""

from __future__ import annotations

import pytest

from openllm_repos.errors import NameRefused
from openllm_repos.names.path import FilePath, FolderPath

BAD_FOLDERS = [
    *("/", "/abs", "..", "a/..", "a/../b", "./a", "a//b", "a/.", "a//", ".git", "a/.git/hooks", ".GIT", "a/.Git"),
    *(
        "git~1",
        "GIT~1/x",
        "~1",
        "a\\b",
        "C:x",
        "C:/x",
        ".git ",
        "a/.git.",
        "x.",
        "x ",
        "aux",
        "NUL.txt",
        "com1",
        "COM¹",
    ),
    *("-x", "a/-x", "a\nb", "a\rb", "a\x00b", "a\x1b[31m", "a\u202eb", ".g\u200cit", "e\u0301", ".gitmodules"),
    *(".gitattributes", ".openllm/x", "a*", "a?", "a[b]", "<a>", "a|b", 'a"b', "é" * 128, "a/" * 513 + "a"),
]
BAD_FILES = ["", ".", "./", "a/", *BAD_FOLDERS]


@pytest.mark.parametrize("text", BAD_FOLDERS)
def test_a_folder_that_leaves_the_repository_or_is_misread_somewhere_is_refused(text: str) -> None:
    with pytest.raises(NameRefused):
        FolderPath(text)


@pytest.mark.parametrize("text", BAD_FILES)
def test_a_file_that_leaves_the_repository_or_is_misread_somewhere_is_refused(text: str) -> None:
    with pytest.raises(NameRefused):
        FilePath(text)


@pytest.mark.parametrize(
    ("text", "folder"), [("", ""), (".", ""), ("./", ""), ("core/src", "core/src"), ("core/src/", "core/src")]
)
def test_a_folder_is_kept_without_its_last_slash_and_the_top_is_empty(text: str, folder: str) -> None:
    assert FolderPath(text) == folder


def test_parts_and_paths_of_a_folder() -> None:
    assert FolderPath("core/src/").parts == ("core", "src")
    assert FolderPath(".").parts == ()
    assert FolderPath("core").path_to("main.py") == "core/main.py"
    assert FolderPath(".").path_to("main.py") == "main.py"


@pytest.mark.parametrize(
    "text", ["pyproject.toml", "src/app-1/x.y", "größe/Ünïcode.md", "a b", ".env", "CONTRIBUTING", "console"]
)
def test_ordinary_files(text: str) -> None:
    assert FilePath(text) == text


@pytest.mark.parametrize("text", [".github/", ".gitattributes", "a/.gitignore", ".gitmodules"])
def test_what_people_keep_for_git_may_be_named_to_keep_it_safe_but_not_to_carry_it(text: str) -> None:
    assert FolderPath(text, protective=True) == text.rstrip("/")
    with pytest.raises(NameRefused, match="steers git"):
        FolderPath(text)


@pytest.mark.parametrize("text", [".git", ".GIT/hooks", ".openllm", "git~1"])
def test_the_repository_of_git_itself_may_never_be_named(text: str) -> None:
    with pytest.raises(NameRefused):
        FolderPath(text, protective=True)
