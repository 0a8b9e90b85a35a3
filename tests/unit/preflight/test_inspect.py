"""A push held against the rules of its host: what is looked at, what is found, and what is advised."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from openllm_repos.git.objects import MissingObject
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.maps import Map
from openllm_repos.manifest.model import History, Kind, Repo, Role
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName
from openllm_repos.names.url import RepoId
from openllm_repos.plan import Finding, Rule
from openllm_repos.preflight.inspect import WouldBeRefused, inspect, require_accepted
from openllm_repos.preflight.push import Push
from tests.support.repositories import Bare, Clone
from tests.support.served import LFS_LINE, PNG, pointer

NAME = RepoId("lemms/openllm")
SPACE = Repo(RepoName("space"), Kind.SPACE, NAME.space_url(), NAME, Role.TARGET)
GITHUB = Repo(RepoName("mirror"), Kind.GITHUB, NAME.github_url(), NAME, Role.TARGET)
MAPPED = replace(SPACE, maps=(Map.of("core/src/", "training/"),))
BAD_CARD = "---\nsdk: flask\n---\n"


def _push(clone: Clone, target: Repo = SPACE, *, tip: str | None = None, known: Sequence[str] = ()) -> Push:
    there = tuple(ObjectId(commit) for commit in known)
    return Push(target, target.url, ObjectId(clone.tip()), None if tip is None else ObjectId(tip), there)


def _found(clone: Clone, target: Repo = SPACE, *, tip: str | None = None, known: Sequence[str] = ()) -> list[Finding]:
    return list(inspect(Repository.open(clone.path), _push(clone, target, tip=tip, known=known)).findings)


def test_each_finding_names_commit_path_and_size(clone: Clone) -> None:
    clone.commit("First", {"app.py": "app\n"})
    at_fault = clone.commit("Logo", {"logo.png": PNG})
    clone.commit("Later", {"app.py": "later\n"})
    (finding,) = _found(clone)
    assert (finding.rule, finding.commit, finding.path, finding.size) == (
        Rule.BINARY,
        at_fault,
        b"logo.png",
        len(PNG),
    )
    assert finding.in_tip


def test_one_content_at_two_paths_is_named_twice_each_with_its_first_commit(clone: Clone) -> None:
    first = clone.commit("One", {"one.png": PNG})
    second = clone.commit("Two", {"two.png": PNG})
    clone.commit("One again", {"one.png": None})
    clone.commit("One again", {"one.png": PNG})
    found = {(finding.path, finding.commit) for finding in _found(clone)}
    assert found == {(b"one.png", first), (b"two.png", second)}


def test_what_the_remote_has_is_not_looked_at(clone: Clone) -> None:
    held = clone.commit("Held", {"logo.png": PNG})
    clone.commit("More", {"app.py": "app\n"})
    assert _found(clone, tip=held) == []
    tagged = clone.commit("Tagged", {"old.png": PNG + b"old"})
    clone.commit("After", {"old.png": None})
    assert _found(clone, tip=held, known=[tagged]) == []
    assert [finding.path for finding in _found(clone, tip=held)] == [b"old.png"]


def test_a_plain_git_remote_has_no_rules(clone: Clone) -> None:
    clone.commit("Logo", {"logo.png": PNG})
    assert _found(clone, replace(SPACE, kind=Kind.GIT)) == []


def test_github_takes_binaries_and_bad_cards(clone: Clone) -> None:
    clone.commit("Logo", {"logo.png": PNG, "README.md": BAD_CARD, "large": b"\0" * (11 << 20)})
    assert _found(clone, GITHUB) == []


@pytest.mark.slow
def test_github_takes_100_mib_and_not_a_byte_more(clone: Clone) -> None:
    clone.commit("Large", {"ok": b"\0" * (100 << 20), "large": b"\0" * ((100 << 20) + 1)})
    (finding,) = _found(clone, GITHUB)
    assert (finding.rule, finding.path) == (Rule.SIZE, b"large")
    assert finding.problem == "is larger than 100 MiB, which GitHub takes in LFS only"


def test_the_validator_is_asked_and_what_it_says_counts(clone: Clone) -> None:
    clone.commit("Card", {"README.md": BAD_CARD})
    asked = []

    def validate(text: str, kind: Kind) -> list[str]:
        asked.append((text, kind))
        return ["the Hub's own words"]

    findings = inspect(Repository.open(clone.path), _push(clone), validate=validate).findings
    assert [finding.problem for finding in findings] == ["the Hub's own words"]
    assert asked == [(BAD_CARD, Kind.SPACE)]
    held = clone.tip()
    clone.commit("Plain", {"README.md": "# No front matter\n"})
    assert inspect(Repository.open(clone.path), _push(clone), validate=validate).findings == ()
    sound = clone.commit("Sound", {"README.md": "---\nsdk: docker\n---\n"})
    clone.commit("Same card", {"app.py": "app\n"})
    assert inspect(Repository.open(clone.path), _push(clone, tip=sound), validate=validate).findings == ()
    assert len(asked) == 1  # nothing to ask about
    clone.git("reset", "-q", "--hard", held)
    assert inspect(Repository.open(clone.path), _push(clone), validate=lambda *_: []).findings == ()


def test_where_the_validator_has_no_answer_the_known_rules_count(clone: Clone) -> None:
    clone.commit("Card", {"README.md": BAD_CARD})
    (finding,) = inspect(Repository.open(clone.path), _push(clone), validate=lambda *_: None).findings
    assert finding.problem == '"sdk" must be one of [gradio, streamlit, docker, static]'
    assert finding.fix == "Mend it in space itself: https://huggingface.co/spaces/lemms/openllm/edit/main/README.md"


def test_a_card_with_an_impossible_date_is_said_to_be_no_yaml(clone: Clone) -> None:
    clone.commit("Card", {"README.md": "---\ndate: 2024-13-45\n---\n"})
    (finding,) = _found(clone)
    assert finding.problem == "it is not YAML: month must be in 1..12"


@pytest.mark.parametrize("value", ["!!bool maybe", "!!int ''", "!!timestamp soon", "[" * 500], ids=range(4))
def test_a_card_that_the_yaml_library_stumbles_over_is_a_finding_like_any_other(clone: Clone, value: str) -> None:
    clone.commit("Card", {"README.md": f"---\nemoji: {value}\n---\n"})
    (finding,) = _found(clone)
    assert (finding.rule, finding.problem.startswith("it is not YAML: ")) == (Rule.CARD, True)


def test_a_card_whose_aliases_would_fill_the_memory_is_read_all_the_same(clone: Clone) -> None:
    nest = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    clone.commit("Card", {"README.md": f"---\na0: &a0 x\n{nest}short_description: *a11\nemoji: *a11\n---\n"})
    assert [finding.problem for finding in _found(clone)] == ['"emoji" must be an emoji']


@pytest.mark.parametrize(
    ("target", "in_tip", "advised"),
    [
        (MAPPED, True, 'git add --renormalize .\', and commit, and set history = "squash" for space'),
        (MAPPED, False, 'Only past commits have it: set history = "squash" for space, or keep it out with a narrower'),
        (replace(MAPPED, history=History.SQUASH), True, "git add --renormalize .', and commit."),
        (replace(MAPPED, history=History.SQUASH), False, "Only past commits have it: keep it out with a narrower"),
        (SPACE, True, "Keep it in LFS with 'git lfs track \"*.png\"', in every commit that is not pushed yet."),
        (SPACE, False, "take it out of what is not pushed yet, with 'git rebase --interactive'"),
    ],
)
def test_the_fix_suits_the_target(clone: Clone, target: Repo, *, in_tip: bool, advised: str) -> None:
    clone.commit("Logo", {"training/logo.png": PNG})
    clone.commit("Later", {"training/a.py": "a\n"} if in_tip else {"training/logo.png": None})
    (finding,) = _found(clone, target)
    assert finding.in_tip is in_tip
    assert advised in finding.fix


def test_a_binary_that_should_have_been_in_lfs_says_so(clone: Clone) -> None:
    clone.commit("Weights", {".gitattributes": LFS_LINE, "model.bin": b"\0\1"})
    (finding,) = _found(clone)
    assert finding.problem.endswith("; .gitattributes gives it to LFS, but it was committed without git-lfs")


@pytest.mark.usefixtures("git_lfs")
@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("training/model.weights", "*.weights "),
        ("training/with blank/model", "training/with[[:space:]]blank/model "),
        ("model", "/model "),
        (".hidden", "/.hidden "),
    ],
)
def test_the_line_for_an_untracked_pointer_tracks_it(clone: Clone, path: str, line: str) -> None:
    clone.commit("Pointer", {path: pointer(b"content")})
    clone.git("lfs", "clean", data=b"content")
    (finding,) = _found(clone)
    assert (finding.rule, finding.size) == (Rule.LFS_ATTRIBUTE, 7)
    told = finding.fix.rpartition(": ")[2]
    assert told.startswith(line)
    clone.commit("As the fix says", {".gitattributes": f"{told}\n"})
    assert _found(clone) == []


def test_attributes_that_keep_no_line_for_lfs_are_named(clone: Clone) -> None:
    tip = clone.commit("Attributes", {".gitattributes": LFS_LINE})
    clone.commit("Emptied", {".gitattributes": "# nothing\n"})
    (finding,) = _found(clone, tip=tip)
    assert (finding.rule, finding.path, finding.size) == (Rule.GITATTRIBUTES, b".gitattributes", len("# nothing\n"))
    assert finding.problem == "would keep none of its lines for LFS"


def test_a_line_may_go_that_covers_no_file(clone: Clone) -> None:
    tip = clone.commit("Attributes", {".gitattributes": LFS_LINE + "*.h5 filter=lfs\n", "text.h5": "no pointer\n"})
    clone.commit("One less", {".gitattributes": LFS_LINE})
    assert _found(clone, tip=tip) == []


@pytest.mark.usefixtures("git_lfs")
def test_attributes_of_the_person_do_not_count(clone: Clone) -> None:
    (clone.path / ".git/info/attributes").write_text(LFS_LINE, encoding="ascii")
    clone.commit("Pointer", {"model.bin": pointer(b"content")})
    clone.git("lfs", "clean", data=b"content")
    assert [finding.rule for finding in _found(clone)] == [Rule.LFS_ATTRIBUTE]


@pytest.mark.usefixtures("git_lfs")
def test_a_clone_that_ignores_case_does_not_take_a_pattern_for_another(clone: Clone) -> None:
    clone.git("config", "core.ignoreCase", "true")
    clone.commit("Pointer", {".gitattributes": LFS_LINE, "model.BIN": pointer(b"content")})
    clone.git("lfs", "clean", data=b"content")
    assert [(finding.rule, finding.path) for finding in _found(clone)] == [(Rule.LFS_ATTRIBUTE, b"model.BIN")]


@pytest.mark.usefixtures("git_lfs")
def test_a_sha256_clone_is_inspected_like_any_other(tmp_path: Path) -> None:
    clone = Clone.init(tmp_path / "sha256", object_format="sha256")
    clone.commit("Some", {"logo.png": PNG, "README.md": BAD_CARD, "model.bin": pointer(b"content")})
    clone.git("lfs", "clean", data=b"content")
    assert {finding.rule for finding in _found(clone)} == {Rule.BINARY, Rule.CARD, Rule.LFS_ATTRIBUTE}


def test_findings_are_a_refusal(clone: Clone) -> None:
    clone.commit("Logo", {"logo.png": PNG, "large": b"a" * (11 << 20)})
    inspection = inspect(Repository.open(clone.path), _push(clone))
    with pytest.raises(WouldBeRefused) as caught:
        require_accepted(SPACE, inspection)
    assert caught.value.message == "2 files would not get through to space; nothing was pushed."
    assert caught.value.findings == inspection.findings


def test_a_partial_clone_fetches_what_it_lacks_with_one_question(tmp_path: Path, bare: Bare) -> None:
    full = Clone.init(tmp_path / "full")
    for number in range(20):
        full.commit(f"Step {number}", {"app.py": f"{number}\n", "logo.png": PNG + bytes([number])})
    full.push(bare.url)
    bare.git("config", "uploadpack.allowAnySHA1InWant", "true")
    partial = Clone.of(bare.url, tmp_path / "partial", "--filter=blob:none", "--no-checkout")
    found = inspect(Repository.open(partial.path), _push(partial)).findings
    assert {finding.commit for finding in found} == set(full.git("rev-list", "main").split())
    assert {finding.path for finding in found} == {b"logo.png"}
    packs = len(list((partial.path / ".git/objects/pack").glob("*.pack")))
    assert packs == 2  # the clone's, and one fetch


def test_a_blob_that_nobody_promised_is_named(clone: Clone) -> None:
    clone.commit("Some", {"app.py": "app\n"})
    blob = clone.git("rev-parse", "HEAD:app.py")
    (clone.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(MissingObject, match=blob):
        _found(clone)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_files(clone: Clone) -> None:
    clone.commit("Large", {f"{number}.txt": bytes([97 + number]) * (9 << 20) for number in range(8)})
    tracemalloc.start()
    assert _found(clone) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 << 20  # 72 MiB were read
