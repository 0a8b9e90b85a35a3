"""A sync asks before its first push whoever can be asked; who cannot be asked says --yes."""

from __future__ import annotations

import json
import os
import random
import re
from typing import TYPE_CHECKING

import pytest

from tests.support.fingerprint import listing
from tests.support.process import REAL_GIT
from tests.support.terminal import run_on_terminal

if TYPE_CHECKING:
    from tests.support.family import Family

QUESTION = "Push to 1 target? [y/N]:"


@pytest.mark.parametrize(("answer", "code", "pushed"), [(b"n\n", 1, False), (b"\n", 1, False), (b"y\n", 0, True)])
def test_the_person_decides(family: Family, answer: bytes, code: int, pushed: bool) -> None:
    done = run_on_terminal("sync", cwd=family.clone.path, typed=answer)
    assert QUESTION in done.out
    assert (done.code, bool(family.space.tips())) == (code, pushed)
    assert ("Nothing was pushed." in done.out) is not pushed


@pytest.mark.slow
def test_yes_is_an_answer_given_before(family: Family) -> None:
    done = run_on_terminal("sync", "--yes", cwd=family.clone.path)
    assert (done.code, "Push to" in done.out) == (0, False)


@pytest.mark.slow
def test_there_is_nothing_to_ask_when_nothing_would_be_pushed(family: Family) -> None:
    family.synced()
    done = run_on_terminal("sync", cwd=family.clone.path)
    assert (done.code, "Push to" in done.out) == (0, False)


@pytest.mark.slow
@pytest.mark.parametrize("args", [(), ("--json",), ("--quiet",)])
@pytest.mark.parametrize("answer", [b"y\n", b"n\n"])
def test_who_pipes_the_output_is_asked_all_the_same(family: Family, args: tuple[str, ...], answer: bytes) -> None:
    done = run_on_terminal("sync", *args, cwd=family.clone.path, typed=answer, piped=True)
    assert QUESTION in done.err
    assert QUESTION not in done.out
    assert bool(family.space.tips()) == (answer == b"y\n")
    assert done.code == (0 if answer == b"y\n" else 1)


@pytest.mark.slow
def test_who_wants_json_sees_the_plan_beside_the_question(family: Family) -> None:
    done = run_on_terminal("sync", "--json", cwd=family.clone.path, typed=b"y\n", piped=True)
    assert "A training/model.py" in done.err.partition(QUESTION)[0]
    assert json.loads(done.out)["targets"][0]["outcome"]["pushed"] is True


@pytest.mark.parametrize("args", [(), ("--json",), ("--quiet",), ("space",)])
def test_without_a_terminal_nothing_is_pushed_that_nobody_agreed_to(family: Family, args: tuple[str, ...]) -> None:
    before = listing(family.clone.path)
    done = family.run("sync", *args, cwd=family.clone.path)
    assert (done.code, family.space.tips(), listing(family.clone.path)) == (2, {}, before)
    assert done.err.splitlines() == [
        "error: Nothing was pushed: standard input is no terminal to ask on, so it takes --yes.",
        f"next: openllm-repos {' '.join(('sync', *args, '--yes'))}",
    ]


def test_without_a_terminal_there_is_nothing_to_agree_to_where_nothing_would_be_pushed(family: Family) -> None:
    family.synced()
    done = family.run("sync", cwd=family.clone.path)
    assert (done.code, done.err) == (0, "")


@pytest.mark.slow
def test_the_end_of_the_input_is_no_answer(family: Family) -> None:
    done = run_on_terminal("sync", cwd=family.clone.path, typed=b"\x04", at=QUESTION.encode())
    assert (done.code, family.space.tips()) == (2, {})
    assert "Nothing was pushed: the question got no answer, so it takes --yes." in done.out


@pytest.mark.slow
def test_ctrl_c_at_the_question_changes_nothing(family: Family) -> None:
    done = run_on_terminal("sync", cwd=family.clone.path, typed=b"\x03", at=QUESTION.encode())
    assert (done.code, family.space.tips(), family.unfinished()) == (130, {}, [])
    assert "stopped: Interrupted." in done.out


@pytest.mark.slow
def test_a_long_projection_and_a_large_push_show_their_progress_on_a_terminal_only(family: Family) -> None:
    """In git's style on one line that is gone at the end; nothing with --quiet, on a dumb terminal or in a pipe."""
    rand = random.Random(7)
    slow = family.folder / "slow/git"
    slow.parent.mkdir()
    slow.write_text(
        f'#!/bin/sh\ncase " $* " in *" rev-list "*" --format=%T "*) sleep 1.2 ;; esac\nexec {REAL_GIT} "$@"\n'
    )
    slow.chmod(0o755)
    terminal = {"TERM": "xterm", "PATH": f"{slow.parent}:{os.environ['PATH']}"}
    family.commit("Large", {"core/src/data.py": rand.randbytes(16 << 20)})
    shown = run_on_terminal("sync", "--yes", cwd=family.clone.path, env=terminal).err
    assert re.search(r"\rReading commits: 1 *\r +\r", shown)
    assert re.search(r"\rWriting objects: 100% [^\r]* 16\.0[^\r]*, done\. *\r +\rspace: synced", shown)
    for number, (args, env) in enumerate([(("--quiet",), terminal), ((), {**terminal, "TERM": "dumb"})]):
        family.commit("More", {"core/src/model.py": f"{number}\n"})
        shown = run_on_terminal("sync", "--yes", *args, cwd=family.clone.path, env=env).err
        assert not re.search("objects|Reading commits", shown)
    family.commit("More", {"core/src/model.py": "more\n"})
    assert "objects" not in family.sync("--yes").err
