"""What the Hub would refuse is refused before the push: said by the dry run, and gone after the fix that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from openllm_repos.sandbox import Sandbox
from tests.support.family import text
from tests.support.inprocess import RunCli
from tests.support.process import run_git
from tests.support.repositories import Clone
from tests.support.sealed import SealedHome
from tests.support.served import LFS_LINE, PNG, ServedFamily, login, pointer

CONFIGS = ("configs/*.json", "configs/")
WIDE = (("core/src/", "training/"), CONFIGS)
NARROW = (("core/src/*.py", "training/"), CONFIGS)
LARGE = b"0123456789abcde\n" * (1 << 16) * 10 + b"\n"  # one byte over 10 MiB


@pytest.fixture
def hub(sandbox: Sandbox, tmp_path: Path, run_cli: RunCli, home: SealedHome) -> ServedFamily:
    """Return a source and a Space on the Hub, synced once; everything below core/src/ travels."""
    login(home, sandbox)
    family = ServedFamily.on(sandbox, tmp_path / "family", run_cli)
    family.manifest(maps=WIDE)
    family.commit("Manifest")
    family.synced()
    return family


def _refused(hub: ServedFamily) -> str:
    """Sync, dry and in earnest: refused by both in the same words, and nothing was pushed. Returns those words."""
    tips, pushes = hub.space.tips(), hub.pushes()
    dry = hub.sync("--dry-run")
    done = hub.sync("--yes")
    assert (dry.code, done.code) == (3, 3), (dry.out, done.err)
    assert dry.out == done.out
    assert (hub.space.tips(), hub.pushes()) == (tips, pushes)
    return done.out


def _change_maps(hub: ServedFamily, *, settings: str = "", narrow: bool = False) -> None:
    hub.manifest(maps=NARROW if narrow else WIDE, settings=settings)
    hub.commit("As the fix says")


@pytest.mark.slow
def test_a_text_goes_through(hub: ServedFamily) -> None:
    hub.commit("More", {"core/src/model.py": text(l1="a")})
    before = hub.pushes()
    hub.synced("--yes")
    assert hub.pushes() == before + 1


@pytest.mark.slow
def test_a_binary_is_refused_and_a_narrower_pattern_helps(hub: ServedFamily) -> None:
    made = hub.commit("Logo", {"core/src/logo.png": PNG})
    hub.commit("Later", {"core/src/model.py": text(l1="a")})
    said = _refused(hub)
    assert f"  training/logo.png (in {made[:10]}, 1.0 KiB): is binary, which the Hub takes in LFS only\n" in said
    assert 'fix: Keep it out with a narrower pattern than "core/src/" (repos.space.map[0]).' in said
    _change_maps(hub, narrow=True)
    hub.synced("--yes")
    assert "training/logo.png" not in hub.space.paths()


@pytest.mark.slow
def test_a_file_over_10_mib_is_refused_and_a_narrower_pattern_helps(hub: ServedFamily) -> None:
    hub.commit("Corpus", {"core/src/corpus.txt": LARGE})
    said = _refused(hub)
    assert "training/corpus.txt" in said
    assert "10.0 MiB): is larger than 10 MiB, which the Hub takes in LFS only" in said
    _change_maps(hub, narrow=True)
    hub.synced("--yes")


@pytest.mark.slow
@pytest.mark.parametrize("content", [PNG, LARGE], ids=["binary", "large"])
def test_what_only_the_past_has_is_refused_and_a_squash_helps(hub: ServedFamily, content: bytes) -> None:
    at_fault = hub.commit("Added by mistake", {"core/src/mistake": content})
    hub.commit("Removed", {"core/src/mistake": None, "core/src/model.py": text(l1="a")})
    said = _refused(hub)
    assert f"training/mistake (in {at_fault[:10]}, " in said
    assert 'fix: Only past commits have it: set history = "squash" for space, or keep it out with a narrower' in said
    _change_maps(hub, settings='history = "squash"')
    hub.synced("--yes")
    assert hub.space.read("training/model.py") == text(l1="a").encode()


@pytest.mark.usefixtures("git_lfs")
@pytest.mark.slow
def test_a_binary_that_moves_into_lfs_goes_through_with_its_content(hub: ServedFamily) -> None:
    weights = bytes(range(256)) * 8
    hub.commit("Weights", {"core/src/weights.bin": weights})
    said = _refused(hub)
    assert "'git add --renormalize .', and commit, and set history = \"squash\" for space" in said
    hub.clone.git("lfs", "install", "--local", "--skip-repo")
    hub.clone.git("lfs", "track", "*.bin")
    hub.clone.git("add", "--renormalize", ".")
    _change_maps(hub, settings='history = "squash"')
    hub.synced("--yes")
    assert hub.space.read("training/weights.bin") == pointer(weights).encode()
    assert hub.pulled("training/weights.bin") == weights


@pytest.mark.usefixtures("git_lfs")
@pytest.mark.slow
def test_a_pointer_that_the_space_does_not_track_is_refused_until_the_line_is_there(hub: ServedFamily) -> None:
    hub.clone.git("lfs", "install", "--local", "--skip-repo")
    hub.commit("Weights", {".gitattributes": "*.weights filter=lfs diff=lfs merge=lfs -text\n"})
    hub.commit("Weights", {"core/src/small.weights": "content"})
    said = _refused(hub)
    line = "*.weights filter=lfs diff=lfs merge=lfs -text"
    assert "training/small.weights" in said
    assert "7 bytes): is an LFS pointer, but the target's .gitattributes does not give it to LFS" in said
    assert said.count(f"Add this line to .gitattributes at the top of space, in {hub.space.url} itself: {line}\n") == 1
    held = hub.space.read(".gitattributes").decode()
    hub.edit("As the fix says", {".gitattributes": f"{held}{line}\n"})
    hub.synced("--yes")
    assert hub.pulled("training/small.weights") == b"content"


@pytest.mark.usefixtures("git_lfs")
def test_a_pointer_whose_content_is_nowhere_is_refused_until_it_is_at_the_source(hub: ServedFamily) -> None:
    hub.commit("A pointer", {"core/src/model.bin": pointer(b"content")})
    said = _refused(hub)
    assert "7 bytes): is an LFS pointer whose content is nowhere: not here, not there, not at the source" in said
    assert "fix: git lfs push --all origin  # in a clone that has the content" in said
    other = Clone.of(hub.origin.url, hub.folder / "other")
    other.git("lfs", "clean", data=b"content")  # somebody's clone that has it
    other.git("lfs", "push", "--all", "origin", "main")
    hub.synced("--yes")
    assert hub.pulled("training/model.bin") == b"content"


@pytest.mark.usefixtures("git_lfs")
@pytest.mark.slow
def test_an_attributes_file_that_takes_a_file_out_of_lfs_is_refused_and_a_narrower_pattern_helps(
    hub: ServedFamily,
) -> None:
    hub.clone.git("lfs", "install", "--local", "--skip-repo")
    hub.commit("Weights", {".gitattributes": LFS_LINE, "core/src/model.bin": "content"})
    hub.synced("--yes")
    hub.clone.write({"core/src/.gitattributes": "*.bin -filter -diff -merge\n"})
    hub.clone.git("add", "core/src/.gitattributes")
    hub.clone.git("commit", "-q", "-m", "No filters here")
    hub.push()
    said = _refused(hub)
    assert "training/model.bin" in said
    assert ": is in LFS, and would not be any more" in said
    assert "fix: The push changes training/.gitattributes: keep that file out with a narrower pattern" in said
    hub.manifest(maps=(*NARROW, ("core/src/*.bin", "training/")))
    hub.commit("As the fix says")
    hub.synced("--yes")
    assert "training/.gitattributes" not in hub.space.paths()
    assert hub.pulled("training/model.bin") == b"content"


def test_a_bad_card_is_refused_and_mended_where_it_is_written(
    sandbox: Sandbox, tmp_path: Path, run_cli: RunCli, home: SealedHome
) -> None:
    login(home, sandbox)
    hub = ServedFamily.on(sandbox, tmp_path / "family", run_cli, "model")
    hub.manifest(maps=(*NARROW, ("cards/README.md", ".")), owned=["app.py"])
    hub.commit("A card", {"cards/README.md": "---\nlicense: 3\ntags: 4\n---\n# Model\n"})
    said = _refused(hub)
    assert "README.md (in " in said
    assert '): "license" must be a string\n' in said
    assert '): "tags" must be an array\n' in said
    assert said.count("fix: Mend it in the source (cards/README.md writes it).") == 2
    hub.commit("Mended", {"cards/README.md": "---\nlicense: gpl-3.0\n---\n# Model\n"})
    hub.synced("--yes")


@pytest.mark.slow
@pytest.mark.usefixtures("git_lfs")
def test_everything_is_said_at_once_and_as_json(hub: ServedFamily) -> None:
    made = hub.commit(
        "Bad", {"core/src/logo.png": PNG, "core/src/model.bin": pointer(b"gone"), "core/src/corpus.txt": LARGE}
    )
    tips = hub.space.tips()
    done = hub.sync("--dry-run", "--json")
    (space,) = done.json()["targets"]
    assert (done.code, space["action"], space["exit_code"]) == (3, "stopped", 3)
    found = {(each["rule"], each["path"], each["size"]) for each in space["findings"]}
    assert found == {
        ("binary", "training/logo.png", len(PNG)),
        ("size", "training/corpus.txt", len(LARGE)),
        ("lfs object", "training/model.bin", 4),
    }
    assert {each["commit"] for each in space["findings"]} == {made}
    assert all(each["fix"] and each["problem"] and each["in_tip"] for each in space["findings"])
    assert hub.space.tips() == tips


@pytest.mark.slow
def test_many_files_are_cut_in_the_plan_and_shown_with_v(hub: ServedFamily, run_cli: RunCli) -> None:
    hub.commit("Logos", {f"core/src/logo-{number:02}.png": PNG + bytes([number]) for number in range(30)})
    short = hub.sync("--dry-run").out
    assert short.count(": is binary") == 10
    assert "… and 20 more (-v shows all)" in short
    assert short.count("fix: ") == 1
    assert run_cli("-v", "sync", "--dry-run", cwd=hub.clone.path).out.count(": is binary") == 30


@pytest.mark.slow
def test_what_the_hub_itself_refuses_is_shown_in_its_words_with_our_advice(
    hub: ServedFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.entry = f'url = "{hub.space.url}"'  # so that nobody asks the Hub beforehand what the token may do
    hub.manifest(maps=WIDE)
    hub.commit("More", {"core/src/model.py": text(l1="a")})
    tips = hub.space.tips()
    monkeypatch.setenv("HF_TOKEN", "hf_read")
    done = hub.sync("--yes")
    assert done.code == 3
    assert "space refused the push, and nothing was changed there:" in done.out
    assert "remote: You are not authorized to push to this repo." in done.out
    assert "next: hf auth whoami  # this token may not write to" in done.out
    assert (hub.space.tips(), hub.unfinished()) == (tips, [])


@pytest.mark.slow
def test_a_target_that_is_any_git_url_is_left_to_its_server_with_the_same_advice(hub: ServedFamily) -> None:
    hub.entry = f'url = "{hub.space.url}"'
    hub.manifest(maps=WIDE)
    hub.commit("Logo", {"core/src/logo.png": PNG})
    tips = hub.space.tips()
    assert hub.sync("--dry-run").code == 0
    done = hub.sync("--yes")
    assert done.code == 3
    assert "remote: Your push was rejected because it contains binary files." in done.out
    assert "remote:   - training/logo.png (ref: refs/heads/main)" in done.out
    assert (
        "hint: Keep the files out with a narrower pattern, or keep them in LFS. If only past commits have" in done.out
    )
    assert hub.space.tips() == tips


@pytest.mark.slow
def test_a_settled_conflict_is_held_against_the_rules_too(hub: ServedFamily) -> None:
    hub.edit("Theirs", {"training/train.py": "theirs\n"})
    hub.commit("Ours", {"core/src/train.py": "ours\n", "core/src/logo.png": PNG})
    opened = hub.sync("space", "--resolve")
    worktree = Path(opened.out.splitlines()[0].removeprefix("space: the merge is open in "))
    (worktree / "training/train.py").write_text("both\n", encoding="ascii")
    run_git("add", "training/train.py", cwd=worktree)
    tips = hub.space.tips()
    done = hub.sync("space", "--continue", "--yes")
    assert done.code == 3
    assert "1 file would not get through to space; nothing was pushed." in done.out
    assert "training/logo.png" in done.out
    assert hub.space.tips() == tips


@pytest.mark.slow
@pytest.mark.parametrize("answers", [True, False], ids=["online", "no answer"])
def test_the_hub_is_asked_about_a_new_card_and_its_known_rules_serve_without_an_answer(
    sandbox: Sandbox, tmp_path: Path, run_cli: RunCli, home: SealedHome, *, answers: bool
) -> None:
    login(home, sandbox)
    hub = ServedFamily.on(sandbox, tmp_path / "family", run_cli, "model")
    hub.manifest(maps=(*NARROW, ("cards/README.md", ".")), owned=["app.py"])
    hub.commit("A card", {"cards/README.md": "---\nlicense: 3\n---\n"})
    if not answers:
        sandbox.hub.fault(match="POST /api/validate-yaml", status=503, count=None)
    assert '): "license" must be a string\n' in _refused(hub)
    assert hub.requests("/api/validate-yaml")
