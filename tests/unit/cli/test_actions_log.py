"""The guard before the log of a job: no line that it hands on is a command, and nothing else is changed."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openllm_repos.cli.actions_log import Guarded, command, guarded_streams, without_commands
from tests.support.actions import commands
from tests.support.process import Result

MARKS = ["::", "##[", "error", "add-mask", " ", "\t", "\u00a0", "\u2003", "\ufeff", "\r", "\n", "]", ":", "#", "x", "é"]


def shown(*written: bytes) -> bytes:
    """Return what gets through of several writes."""
    below = io.BytesIO()
    guard = Guarded(below, exact=False)
    for one in written:
        assert guard.write(one) == len(one)
    guard.finish()
    return below.getvalue()


@pytest.mark.parametrize(
    ("line", "through"),
    [
        ("::error::x", "\\u003a:error::x"),
        (" \t\u00a0::error::x", " \t\u00a0\\u003a:error::x"),
        ("a\r::error::x", "a\r\\u003a:error::x"),
        ("remote: ##[add-mask]x ##[error]y", "remote: \\u0023#[add-mask]x \\u0023#[error]y"),
        ("###[group]", "#\\u0023#[group]"),
        ("a ::error::x", "a ::error::x"),
        ("std::vector", "std::vector"),
        (":", ":"),
    ],
)
def test_only_the_marks_of_a_command_are_escaped(line: str, through: str) -> None:
    assert shown(f"{line}\n".encode()) == f"{through}\n".encode()


def test_a_command_in_pieces_is_one_all_the_same() -> None:
    assert shown(b"a\n:", b":err", b"or::x", b"\n#", b"#", b"[group]y") == b"a\n\\u003a:error::x\n\\u0023#[group]y"


@given(st.lists(st.sampled_from(MARKS), max_size=30), st.integers(0, 60))
def test_no_command_gets_through(pieces: list[str], cut: int) -> None:
    text = "".join(pieces).encode()
    through = shown(text[:cut], text[cut:])
    assert commands(Result(0, through, b"")) == []
    assert through.replace(b"\\u003a", b":").replace(b"\\u0023", b"#") == text
    assert without_commands(without_commands(text)) == without_commands(text)


def test_our_own_command_gets_through_on_a_line_of_its_own() -> None:
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = out, err
    try:
        with guarded_streams():
            assert not sys.stdout.isatty()
            sys.stderr.write("half")
            command("error", "100%\n::stop-commands::x ##[group]", {"file": "a,b:c.toml", "line": "3"})
            sys.stderr.write("::error::foreign\n")
    finally:
        sys.stdout, sys.stderr = before
    assert isinstance(err.buffer, io.BytesIO)
    assert err.buffer.getvalue().decode().splitlines() == [
        "half",
        "::error file=a%2Cb%3Ac.toml,line=3::100%25%0A::stop-commands::x # #[group]",
        "\\u003a:error::foreign",
    ]


def test_outside_of_a_job_no_command_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    command("error", "x", {})
    assert capsys.readouterr() == ("", "")


def test_a_file_is_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A patch that goes into a file stays a patch; what is told beside it is guarded."""
    with (tmp_path / "patch").open("w") as file, (tmp_path / "told").open("w") as told:
        monkeypatch.setattr(sys, "stdout", file)
        monkeypatch.setattr(sys, "stderr", told)
        with guarded_streams():
            for stream in (sys.stdout, sys.stderr):
                stream.write(" ::std::move(x);\n")
            assert sys.stdout.fileno() == file.fileno()
    assert (tmp_path / "patch").read_text() == " ::std::move(x);\n"
    assert (tmp_path / "told").read_text() == " \\u003a:std::move(x);\n"


def test_a_stream_in_memory_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = io.StringIO()
    monkeypatch.setattr(sys, "stdout", kept)
    with guarded_streams():
        assert sys.stdout is kept
