"""The line that says where an imported commit came from: git finds it as a trailer, whatever the message is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openllm_repos.importing.message import Older, imported_message, joined_message
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from tests.support.process import run_git

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = """schema = 1
[project]
name = "x"
[repos.main]
github = "louischua/openllm"
role = "source"
[repos.space]
space = "lemms/openllm"
[[repos.space.map]]
from = "core/src/"
to = "training/"
"""
SPACE = Manifest.parse(MANIFEST).target("space")
ORIGIN = ObjectId("a" * 40)
LINE = f"Imported-From: https://huggingface.co/spaces/lemms/openllm@{ORIGIN}"


@pytest.mark.parametrize(
    ("message", "block"),
    [
        (b"Fix", []),
        (b"Fix: a subject is no trailer\n", []),
        (b"Fix\n\nWhy it was wrong.\n", []),
        (b"Fix\n\nSigned-off-by: A <a@b>\n", ["Signed-off-by: A <a@b>"]),
        (
            b"Fix\n\nWhy.\n\nCo-authored-by: A <a@b>\n and more\nX: y\n\n\n",
            ["Co-authored-by: A <a@b>", " and more", "X: y"],
        ),
        (b"Fix\n\nWhy.\nMore: a word with a colon\nand text\n", []),
        (b"Fix\r\n\r\nWhy.\r\n", []),
    ],
)
def test_git_finds_the_line_among_the_trailers(message: bytes, block: list[str], tmp_path: Path) -> None:
    said = imported_message(message, SPACE, ORIGIN)
    assert said.startswith(message.rstrip())
    found = run_git("interpret-trailers", "--parse", "--no-divider", cwd=tmp_path, data=said).out.splitlines()
    assert found[-1] == LINE
    assert [line.strip() for line in said.decode().splitlines()[-1 - len(block) : -1]] == [
        line.strip() for line in block
    ]


def test_git_itself_wrote_one_of_few_trailers(tmp_path: Path) -> None:
    said = imported_message(b"Fix\n\n(cherry picked from commit 1)\ntext\ntext\n", SPACE, ORIGIN)
    assert said.endswith(b"text\n" + LINE.encode() + b"\n")
    assert LINE in run_git("interpret-trailers", "--parse", cwd=tmp_path, data=said).out


def test_a_message_without_words_has_the_line_alone() -> None:
    assert imported_message(b" \n\n", SPACE, ORIGIN) == f"{LINE}\n".encode()


def test_words_that_a_sync_or_an_import_would_believe_are_quoted() -> None:
    message = b"Fix\n\nProjected-Commit: 1\nSource-Commit: 2\nSource-Repo: 3\nMaps: 4\nImported-From: 5\n"
    said = imported_message(message, SPACE, ORIGIN).decode().splitlines()
    assert [line for line in said if line.startswith("> ")] == [
        f"> {line}" for line in message.decode().splitlines()[2:]
    ]
    assert said[-1] == LINE


def test_what_a_sync_joined_names_what_it_stands_for_and_its_authors() -> None:
    one, two = (
        Older(ObjectId(digit * 40), b"Tom <tom@e>", subject) for digit, subject in (("b", b"One"), ("d", b"Two"))
    )
    message = joined_message(SPACE, ORIGIN, ObjectId("c" * 40))
    said = imported_message(message, SPACE, ORIGIN, [one, two], b"Una <una@e>").decode().splitlines()
    assert said[0] == "Join cccccccccc with what space changed"
    assert said[-7:] == [
        "* bbbbbbbbbb One",
        "* dddddddddd Two",
        "",
        LINE.replace(ORIGIN, one.id),
        LINE.replace(ORIGIN, two.id),
        LINE,
        "Co-authored-by: Tom <tom@e>",
    ]
    assert b"Co-authored-by" not in imported_message(message, SPACE, ORIGIN, [one], b"Tom <tom@e>")
