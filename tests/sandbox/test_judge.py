"""The hook's judgement of a push, on commits that have come and that no ref holds yet."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from openllm_repos.sandbox import hook
from openllm_repos.sandbox.cards import problems
from openllm_repos.sandbox.pointer import Pointer
from openllm_repos.sandbox.refusals import VARIABLE, Push, judge
from tests.support.repositories import Bare, Clone

ZERO = "0" * 40
FACTS = {"kind": "model", "writable": True, "store": "/nowhere", "limit": 1000, "rules": []}
Judge = Callable[..., list[str]]


@pytest.fixture
def verdict(bare: Bare, clone: Clone, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Return a judge of one new commit with these files, pushed to main; it may be given other facts and lines."""
    monkeypatch.chdir(bare.path)

    def of(files: Mapping[str, str | bytes | None], lines: str = "", **facts: Any) -> list[str]:
        tip = clone.commit("new", files)
        bare.git("fetch", "-q", clone.url, "HEAD")
        said = lines or f"{ZERO} {tip} refs/heads/main\n"
        return judge(Push.read({**FACTS, **facts}, said.format(tip=tip).encode()))

    return of


def test_plain_text_is_taken(verdict: Judge) -> None:
    assert verdict({"a.txt": "a\n", "ünïcode \n name": "b\n", "empty": ""}) == []


def test_every_new_commit_is_looked_at_and_no_old_one(verdict: Judge, bare: Bare, clone: Clone) -> None:
    old = clone.commit("old", {"old.bin": b"\0"})
    bare.git("fetch", "-q", clone.url, "HEAD:refs/heads/main")
    clone.commit("a binary", {"gone.bin": b"\0\1"})
    said = verdict({"gone.bin": None}, f"{old} {{tip}} refs/heads/main\n")
    assert [line for line in said if line.startswith("  - ")] == ["  - gone.bin (ref: refs/heads/main)"]


def test_a_file_is_large_before_it_is_binary(verdict: Judge) -> None:
    assert verdict({"a.bin": b"\0" * 1000})[1] == "Your push was rejected because it contains binary files."
    assert verdict({"b.bin": b"\0" * 1001})[1].startswith("Your push was rejected because it contains files larger")


def test_a_pointer_counts_if_its_object_is_in_the_store(verdict: Judge, tmp_path: Path) -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    pointer = Pointer(digest, 7).text()
    assert verdict({"m.bin": pointer}, store=str(tmp_path))[-2:-1] == ["- m.bin"]
    place = tmp_path / digest[:2] / digest[2:4] / digest
    place.parent.mkdir(parents=True)
    place.write_bytes(b"weights")
    assert verdict({"n.bin": b"x"}, store=str(tmp_path)) == []


def test_who_may_not_write_is_told_before_anything_else(verdict: Judge) -> None:
    assert verdict({"a.bin": b"\0"}, writable=False)[1] == "You are not authorized to push to this repo."


def test_the_main_branch_stays_and_others_may_go(verdict: Judge) -> None:
    assert "Cannot delete refs/heads/main" in verdict({"a": "a"}, f"{'1' * 40} {ZERO} refs/heads/main\n")
    assert verdict({"b": "b"}, f"{'1' * 40} {ZERO} refs/heads/other\n") == []


def test_the_card_of_a_branch_is_judged_and_that_of_a_tag_is_not(verdict: Judge) -> None:
    card = {"README.md": "---\nlicense: {mit: 1}\n---\n"}
    assert '- Error: "license" must be a string' in verdict(card)
    assert verdict({"a": "a"}, f"{ZERO} {{tip}} refs/tags/v1\n") == []


def test_rules_of_github_are_told_by_ref(verdict: Judge, bare: Bare, clone: Clone) -> None:
    rules = [{"ref": "refs/tags/v*", "rules": ["creation"]}, {"ref": "refs/heads/*", "rules": ["non_fast_forward"]}]
    said = verdict({"a": "a"}, f"{ZERO} {{tip}} refs/tags/v1\n", kind="github", rules=rules)
    assert said == [
        "error: GH013: Repository rule violations found for refs/tags/v1.",
        "",
        "- Cannot create ref due to creations being restricted.",
        "",
    ]
    old = clone.tip()
    forwards = verdict({"b": "b"}, f"{old} {{tip}} refs/heads/main\n", kind="github", rules=rules)
    assert forwards == []
    clone.orphan("another")
    backwards = verdict({"c": "c"}, f"{old} {{tip}} refs/heads/main\n", kind="github", rules=rules)
    assert "- Cannot force-push to this branch" in backwards
    assert bare.tips() == {}


def test_github_takes_binaries_and_refuses_what_is_large(verdict: Judge) -> None:
    assert verdict({"a.bin": b"\0"}, kind="github") == []
    said = verdict({"a.bin": b"\0" * 1001}, kind="github")
    assert said[0] == f"error: Trace: {'0' * 64}"
    assert said[-1].startswith("error: GH001")


def test_the_hook_prints_the_refusal_and_ends_with_1(
    bare: Bare, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(bare.path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", ["pre-receive", "/nowhere"])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{ZERO} {ZERO} refs/heads/main\n".encode())))
    monkeypatch.setenv(VARIABLE, json.dumps(FACTS))
    assert hook.main() == 1
    assert "Cannot delete refs/heads/main\n" in capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    assert hook.main() == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("kind", "text", "errors", "warnings"),
    [
        ("model", "# No card\n", 0, 1),
        ("model", "---\n---\n", 0, 1),
        ("model", "---\n# nothing\n---\n", 0, 1),
        ("model", "---\n[unclosed\n---\n", 1, 0),
        ("model", "---\n- a\n- list\n---\n", 1, 0),
        ("dataset", "---\nlicense: mit\ntags: [a]\ndatasets: x\n---\n", 0, 0),
        ("dataset", "---\nlicense: [mit]\ntags: {a: 1}\nmodel-index: 3\n---\n", 2, 0),
        ("space", "---\nsdk: gradio\nemoji: \N{ROCKET}\ncolorFrom: red\n---\n", 0, 0),
        ("space", "---\nsdk: cobol\nemoji: rocket\ncolorFrom: mauve\ncolorTo: 3\n---\n", 4, 0),
        ("space", f"---\nshort_description: {'x' * 60}\n---\n", 0, 0),
    ],
)
def test_a_card_has_as_many_faults_as_the_hub_finds(kind: str, text: str, errors: int, warnings: int) -> None:
    found = problems(text, kind)
    assert (len(found.errors), len(found.warnings)) == (errors, warnings)
