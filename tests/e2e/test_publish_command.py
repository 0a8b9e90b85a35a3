"""`openllm-repos publish`: artifacts that git does not track, to a model and a dataset on the Hub."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from openllm_repos import __version__
from tests.support.fingerprint import fingerprint
from tests.support.process import run_tool
from tests.support.published import DATASET, MANIFEST, MODEL, SOURCE, WEIGHTS, Publishing
from tests.support.repositories import Clone
from tests.support.terminal import run_on_terminal
from tests.support.tokens import CONTEXTS, make

if TYPE_CHECKING:
    from pathlib import Path

    from openllm_repos.sandbox import Sandbox
    from tests.support.canary import Canary
    from tests.support.inprocess import RunCli
    from tests.support.process import RunTool

RECORD = ".openllm/published.json"
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{hashlib.sha256(WEIGHTS).hexdigest()}\nsize 8000\n"


NAMES = {"README.md", "config.json", "model.safetensors"}


def by_hand(publishing: Publishing, files: dict[str, str]) -> None:
    """Commit files to the model, as somebody does on the website."""
    folder = publishing.top.parent / "by-hand"
    shutil.rmtree(folder, ignore_errors=True)
    work = Clone.of(publishing.model.url, folder)
    work.commit("By hand", files)
    work.push(publishing.model.url)


@pytest.fixture
def publishing(sandbox: Sandbox, tmp_path: Path, run_cli: RunCli) -> Publishing:
    return Publishing.on(sandbox, tmp_path / "family", run_cli)


@pytest.mark.slow
def test_a_model_and_its_data_arrive_and_say_where_they_come_from(publishing: Publishing) -> None:
    done = publishing.publish()
    assert "small-7k: published, now at" in done.out
    files = publishing.model.files()
    assert sorted(files) == [".gitattributes", RECORD, "README.md", "config.json", "model.safetensors"]
    assert files["model.safetensors"] == POINTER.encode()
    assert files["config.json"] == b'{"layers": 12}\n'
    source, data = publishing.family.clone.tip(), publishing.dataset.tip("main")
    assert publishing.model.trailers() == {
        "Source-Repo": f"https://github.com/{SOURCE}",
        "Source-Commit": source,
        "Dataset-Commit": f"{DATASET}@{data}",
        "Published-With": f"openllm-repos {__version__}",
    }
    card = files["README.md"].decode()
    assert card.startswith("# openllm-small-extended-7k\n")
    assert f"https://github.com/{SOURCE}/commit/{source}" in card
    assert f"https://huggingface.co/datasets/{DATASET}/tree/{data}" in card
    assert publishing.dataset.read("data/train.jsonl") == b'{"text": "once"}\n'
    assert "Dataset-Commit" not in publishing.dataset.trailers()

    again = publishing.publish()
    assert again.out.splitlines() == ["training-data: up to date (1 file)", "small-7k: up to date (2 files)"]
    assert len(publishing.model.log()) == 2


def test_what_changed_is_sent_and_what_is_gone_is_deleted_and_nothing_else(publishing: Publishing) -> None:
    publishing.publish("small-7k")
    by_hand(publishing, {"eval.json": "{}\n"})
    (publishing.top / "exports/small/config.json").unlink()
    publishing.write({"exports/small/vocab.txt": b"a\nb\n"})
    sent = publishing.uploads()

    plan = publishing.publish("small-7k", "--dry-run", "--json").json()["repos"][0]
    assert [(file["path"], file["change"]) for file in plan["files"]] == [
        (RECORD, "modified"),
        ("README.md", "modified"),
        ("config.json", "deleted"),
        ("vocab.txt", "added"),
    ]
    publishing.publish("small-7k")
    assert publishing.model.paths() == [
        ".gitattributes",
        RECORD,
        "README.md",
        "eval.json",
        "model.safetensors",
        "vocab.txt",
    ]
    assert publishing.uploads() == sent
    assert json.loads(publishing.model.read(RECORD))["files"].keys() == {"model.safetensors", "vocab.txt"}


def test_what_was_uploaded_before_there_was_a_manifest_counts_as_published_where_it_is_the_same(
    publishing: Publishing,
) -> None:
    publishing.write({"exports/small/README.md": b"# Small\n"})
    by_hand(publishing, {name: (publishing.top / "exports/small" / name).read_text() for name in NAMES})
    uploads = publishing.uploads()
    first = publishing.publish("small-7k")
    assert "note: 3 files on the Hub, the same as here, came there by other means" in first.out
    assert json.loads(publishing.model.read(RECORD))["files"].keys() == NAMES
    assert publishing.uploads() == uploads
    assert publishing.publish("small-7k").out == "small-7k: up to date (3 files)\n"
    publishing.write({"exports/small/config.json": b'{"layers": 24}\n'})
    publishing.publish("small-7k")
    assert publishing.model.read("config.json") == b'{"layers": 24}\n'


def test_a_dry_run_changes_nothing_here_or_there(publishing: Publishing) -> None:
    before = fingerprint(publishing.top), publishing.model.tips()
    done = publishing.publish("--dry-run")
    assert "  A model.safetensors  7.8 KiB" in done.out.splitlines()
    assert (fingerprint(publishing.top), publishing.model.tips()) == before
    assert publishing.uploads() == []


def test_a_file_that_somebody_changed_on_the_hub_is_not_overwritten_unless_told(publishing: Publishing) -> None:
    publishing.publish("small-7k")
    by_hand(publishing, {"config.json": "{}\n"})
    theirs = publishing.model.tip("main")
    publishing.write({"exports/small/config.json": b'{"layers": 24}\n'})

    stopped = publishing.publish("small-7k", code=3)
    assert "  config.json: changed here, changed on the Hub" in stopped.out.splitlines()
    assert publishing.model.tip("main") == theirs

    assert f"next: hf download {MODEL} config.json" in stopped.out

    publishing.write({"exports/small/vocab.txt": b"ours\n"})
    meanwhile = lambda: by_hand(publishing, {"vocab.txt": "theirs\n"})  # noqa: E731
    publishing.sandbox.hub.fault(match="POST */commit/main", before=meanwhile)
    done = publishing.publish("small-7k", "--overwrite", code=3)
    assert "  vocab.txt: present here, changed meanwhile on the Hub" in done.out.splitlines()
    assert "  config.json: replaced, though no publish left it so" in done.out.splitlines()
    assert publishing.model.read("config.json") == b"{}\n", (
        "what nobody was shown is not replaced, and all is one commit"
    )

    theirs = publishing.model.tip("main")
    publishing.publish("small-7k", "--overwrite")
    assert publishing.model.read("config.json") == b'{"layers": 24}\n'
    assert publishing.model.parents() == [theirs]


@pytest.mark.slow
def test_the_persons_own_card_keeps_its_front_matter_and_words(publishing: Publishing) -> None:
    card = b"---\nlicense: gpl-3.0\ndatasets:\n- lemms/openllm-training-data\n---\n\n# Small\n"
    publishing.write({"exports/small/README.md": card})
    publishing.publish("small-7k")
    first = publishing.model.read("README.md")
    assert first.startswith(card + b"\n<!-- openllm-repos: published -->\n")
    assert publishing.publish("small-7k").out == "small-7k: up to date (3 files)\n"

    publishing.write({"exports/small/README.md": card + b"\nMore.\n"})
    publishing.publish("small-7k")
    assert publishing.model.read("README.md").startswith(card + b"\nMore.\n\n<!-- openllm-repos: published -->\n")
    assert publishing.model.read("README.md").count(b"openllm-repos: published") == 1


def test_a_card_that_the_hub_would_refuse_stops_before_anything_is_sent(publishing: Publishing) -> None:
    publishing.write({"exports/small/README.md": b"---\nlicense: [a\n---\n"})
    done = publishing.publish("small-7k", code=3)
    assert "The Hub would refuse README.md of small-7k" in done.out
    assert publishing.uploads() == []


def test_what_looks_like_a_secret_is_refused_with_its_place_and_without_its_value(publishing: Publishing) -> None:
    token = "hf_" + "aB3" * 11 + "x"
    publishing.write({"exports/small/train.log": b"epoch 1\nlogin " + token.encode() + b"\n"})
    done = publishing.publish("small-7k", code=3)
    assert "  exports/small/train.log:2 looks like a token of the Hub" in done.out.splitlines()
    assert token not in done.out + done.err
    assert publishing.model.paths() == [".gitattributes"]

    publishing.publish("small-7k", "--allow", "exports/small/train.log")
    assert "train.log" in publishing.model.paths()

    publishing.write({"exports/small/.env": b"A=1\n"})
    assert "exports/small/.env looks like" in publishing.publish("small-7k", code=3).out
    allowing = MANIFEST.replace('to = "."\n', 'to = "."\nallow = ["exports/small/.env", "exports/small/*.log"]\n')
    publishing.write({"repos.toml": allowing.encode()})
    publishing.publish("small-7k")
    assert ".env" in publishing.model.paths()


def test_tokens_in_a_notebook_a_pickle_and_a_large_file_are_refused_and_a_kaggle_key_too(
    publishing: Publishing,
) -> None:
    token = make("hf_{a34}", random.Random(3)).text
    publishing.write(
        {
            "exports/small/train.ipynb": CONTEXTS["notebook"](token),
            "exports/small/training_args.bin": CONTEXTS["pickle 4"](token),
            "exports/small/optimizer.bin": bytes(11 << 20) + token.encode(),
            "exports/small/notes.txt": b"\xff\xfe" + f"one\n{token}".encode("utf-16-le"),
        }
    )
    done = publishing.publish("small-7k", code=3)
    assert [line.split(" looks like ")[0].strip() for line in done.out.splitlines() if "looks like" in line] == [
        "exports/small/notes.txt:2",
        "exports/small/optimizer.bin",
        "exports/small/train.ipynb:1",
        "exports/small/training_args.bin",
    ]
    assert token not in done.out + done.err
    publishing.write({"exports/small/kaggle.json": b"{}"})
    assert "exports/small/kaggle.json looks like a token of a service" in publishing.publish("small-7k", code=3).out


def test_a_password_with_its_name_and_an_archive_are_told_in_the_plan_and_again_in_the_next(
    publishing: Publishing,
) -> None:
    value = make("{A20}", random.Random(3)).text
    publishing.write(
        {
            "exports/small/train.py": f"import os\nos.environ['WANDB_API_KEY'] = '{value}'\n".encode(),
            "exports/small/data.jsonl.gz": gzip.compress(b"{}"),
        }
    )
    for _ in range(2):
        done = publishing.publish("small-7k", "--dry-run")
        assert [line.strip() for line in done.out.splitlines() if "secret" in line or "train.py:" in line] == [
            "note: exports/small/train.py:2 may be a password or a key with its name; look before you publish it.",
            "note: Compressed, so not searched for secrets: exports/small/data.jsonl.gz (gzip).",
        ]
        assert value not in done.out + done.err
    told = json.loads(publishing.publish("small-7k", "--dry-run", "--json").out)["repos"][0]["notes"]
    assert len([note for note in told if "WANDB" in note or "train.py" in note or "gzip" in note]) == 2
    assert "train.py:2" not in publishing.publish("small-7k", "--dry-run", "--allow", "exports/small/train.py").out


@pytest.mark.slow
def test_the_branch_moves_while_files_are_sent(publishing: Publishing) -> None:
    work = Clone.of(publishing.model.url, publishing.top.parent / "work")

    def move() -> None:
        work.commit("Meanwhile", {"eval.json": "{}\n"})
        work.push(publishing.model.url)

    publishing.sandbox.hub.fault(match="POST */commit/main", before=move)
    done = publishing.publish("small-7k")
    assert "small-7k: published after 2 attempts" in done.out
    assert publishing.model.read("eval.json") == b"{}\n"
    assert len(publishing.uploads()) == 1


@pytest.mark.slow
def test_two_people_publish_at_once_and_neither_takes_back_unseen_what_the_other_brought(
    publishing: Publishing,
) -> None:
    publishing.publish("small-7k")
    other = publishing.top.parent / "other"
    shutil.copytree(publishing.top, other)
    (other / "exports/small/gguf.bin").write_bytes(b"\0theirs")
    publishing.write({"exports/small/config.json": b'{"layers": 24}\n'})
    meanwhile = lambda: run_tool("publish", "--yes", "small-7k", cwd=other)  # noqa: E731
    publishing.sandbox.hub.fault(match="POST */commit/main", before=meanwhile)
    done = publishing.publish("small-7k", code=3)
    assert "  gguf.bin: missing here, changed meanwhile on the Hub" in done.out.splitlines()
    assert "gguf.bin" in publishing.model.paths()
    assert "  D gguf.bin" in publishing.publish("small-7k", "--dry-run").out.splitlines()

    note = "note: 1 file is deleted because it was published from another clone and cannot be found in this one."
    assert note not in publishing.publish("small-7k", "--dry-run").out
    third = publishing.top.parent / "third"
    shutil.copytree(publishing.top, third)
    assert note in publishing.run("publish", "small-7k", "--dry-run", cwd=third).out


def test_a_log_that_cannot_be_written_stops_no_other_repo(publishing: Publishing) -> None:
    log = publishing.top / ".git/openllm-repos/operations.jsonl"
    log.mkdir(parents=True)
    done = publishing.publish()
    assert "training-data: published, but not written into the log of operations." in done.err
    assert "small-7k: published, now at" in done.out


def test_an_answer_that_is_lost_is_asked_for_and_not_sent_twice(publishing: Publishing) -> None:
    publishing.sandbox.hub.fault(match="POST */commit/main", lose_answer=True)
    done = publishing.publish("small-7k")
    assert f"small-7k: published, now at {publishing.model.tip('main')[:10]}" in done.out
    assert len(publishing.model.log()) == 2


def test_a_commit_that_never_arrived_is_told_and_the_same_command_finishes(publishing: Publishing) -> None:
    publishing.sandbox.hub.fault(match="POST */commit/main", cut=True)
    stopped = publishing.publish("small-7k", "--patience", "0", code=30)
    assert "openllm-repos publish small-7k" in stopped.out
    assert len(publishing.uploads()) == 1
    publishing.publish("small-7k")
    assert len(publishing.uploads()) == 1
    assert "model.safetensors" in publishing.model.paths()


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "headers": {"Retry-After": "1"}},
        {"cut": True},
        pytest.param({"status": 503}, marks=pytest.mark.slow),
        pytest.param({"reset": True}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_a_commit_of_which_the_hub_has_nothing_is_made_again(publishing: Publishing, fault: dict[str, Any]) -> None:
    publishing.sandbox.hub.fault(match="POST */commit/main", **fault)
    done = publishing.publish("small-7k")
    assert "waiting 1 s: " in done.err
    assert len(publishing.uploads()) == 1
    assert len(publishing.model.log()) == 2


def test_a_commit_whose_answer_was_lost_is_not_made_again(publishing: Publishing) -> None:
    publishing.sandbox.hub.fault(match="POST */commit/main", lose_answer=True)
    done = publishing.publish("small-7k")
    assert "small-7k: published" in done.out
    assert len(publishing.model.log()) == 2
    assert len([seen for seen in publishing.sandbox.hub.log if seen.path.endswith("/commit/main")]) == 1


@pytest.mark.slow
def test_a_file_that_is_written_while_it_is_sent_is_not_committed(publishing: Publishing) -> None:
    def write() -> None:
        publishing.write({"exports/small/model.safetensors": WEIGHTS[::-1]})

    publishing.sandbox.hub.fault(match="POST */objects/batch", before=write)
    done = publishing.publish("small-7k", code=30)
    assert "exports/small/model.safetensors changes while it is being published" in done.out
    assert len(publishing.model.log()) == 1
    publishing.publish("small-7k")
    assert "model.safetensors" in publishing.model.paths()


@pytest.mark.slow
def test_files_that_the_repo_ignores_are_told_and_left_out(publishing: Publishing) -> None:
    by_hand(publishing, {".gitignore": "*.log\n"})
    publishing.write({"exports/small/train.log": b"epoch 1\n", "exports/small/.gitattributes": b"* text\n"})
    done = publishing.publish("small-7k")
    assert "  train.log: left out by the repo's own .gitignore" in done.out.splitlines()
    assert "  exports/small/.gitattributes: left out: no artifact" in done.out.splitlines()
    assert "train.log" not in publishing.model.paths()
    assert publishing.publish("small-7k").out.splitlines()[0] == "small-7k: up to date (2 files)"


def test_nothing_to_publish_deletes_nothing(publishing: Publishing) -> None:
    publishing.publish("small-7k")
    before = publishing.model.tip("main")
    for file in (publishing.top / "exports/small").iterdir():
        file.unlink()
    assert "finds no file here" in publishing.publish("small-7k", code=2).out
    (publishing.top / "exports/small").rmdir()
    assert "there is no folder exports/small here" in publishing.publish("small-7k", code=2).out
    assert publishing.model.tip("main") == before


def test_links_and_names_that_windows_would_misread_are_refused_all_at_once(publishing: Publishing) -> None:
    small = publishing.top / "exports/small"
    publishing.write({"exports/small/nul.txt": b"", "exports/small/Config.json": b"", "exports/small/sub/.git/x": b""})
    (small / "link.bin").symlink_to("model.safetensors")
    (small / "folder").symlink_to(small / "sub")
    done = publishing.publish("small-7k", code=3)
    assert [line.split(" ")[2] for line in done.out.splitlines() if line.startswith("  exports/")] == [
        "exports/small/folder",
        "exports/small/link.bin",
        "exports/small/nul.txt",
        "exports/small/sub/.git",
        "exports/small/config.json",
    ]


def test_a_folder_may_lead_to_a_larger_disk_but_not_by_a_link_of_the_history(publishing: Publishing) -> None:
    disk = publishing.top.parent / "disk"
    (publishing.top / "exports").rename(disk)
    (publishing.top / "exports").symlink_to(disk)
    publishing.publish("small-7k")
    assert "model.safetensors" in publishing.model.paths()
    publishing.family.clone.git("add", "-f", "exports")
    done = publishing.publish("small-7k", code=3)
    assert "  exports is a symbolic link that git tracks; put the folder itself there" in done.out.splitlines()

    git, module = publishing.family.clone.git, publishing.top / "module"
    module.mkdir()
    (module / "exports").symlink_to(disk)
    git("update-index", "--add", "--cacheinfo", f"160000,{publishing.family.clone.tip()},Module")
    publishing.write({"repos.toml": MANIFEST.replace('"exports/small/"', '"module/exports/small/"').encode()})
    assert "  module/exports is a symbolic link that git tracks" in publishing.publish("small-7k", code=3).out


def test_only_repos_with_artifacts_are_published_to(publishing: Publishing) -> None:
    assert "Nothing is published to main" in publishing.publish("main", code=2).err
    publishing.write({"repos.toml": MANIFEST.split("[[")[0].encode()})
    assert "publishes nothing" in publishing.publish(code=2).err


def test_a_token_that_can_only_read_is_refused_before_anything_is_sent(
    publishing: Publishing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_read")
    done = publishing.publish("small-7k", code=3)
    assert "small-7k: stopped\n  The token of lemms can only read." in done.out
    assert publishing.uploads() == []


def test_a_job_publishes_as_a_trusted_publisher_of_each_repo(
    publishing: Publishing, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = {"repository": SOURCE, "ref": "refs/heads/main"}
    publishing.sandbox.hub.trust(MODEL, claims)
    monkeypatch.delenv("HF_TOKEN")
    for name, value in publishing.sandbox.hub.job_environment("", claims).items():
        if name != "HF_OIDC_RESOURCE":
            monkeypatch.setenv(name, value)
    done = publishing.publish(code=3)
    assert "small-7k: published" in done.out
    assert f"The Hub does not take this CI job for a trusted publisher of the dataset {DATASET}" in done.out
    assert publishing.dataset.paths() == [".gitattributes"]


@pytest.mark.slow
def test_tokens_stand_nowhere(
    sandbox: Sandbox, canary: Canary, tmp_path: Path, run_cli: RunCli, run_tool: RunTool
) -> None:
    publishing = Publishing.on(sandbox, tmp_path / "family", run_cli)
    said = [
        run_tool("-v", *args, cwd=publishing.top) for args in (("publish", "-n"), ("publish", "--yes"), ("status",))
    ]
    assert [done.code for done in said] == [0, 0, 0]
    assert {seen.user for seen in sandbox.hub.log if "/commit/" in seen.path} == {"lemms"}
    assert canary.leaks(publishing.top, sandbox.root, said=said) == []


@pytest.mark.slow
def test_a_release_records_and_tags_what_was_published(publishing: Publishing, run_cli: RunCli) -> None:
    publishing.publish()
    tips = {"small-7k": publishing.model.tip("main"), "training-data": publishing.dataset.tip("main")}
    publishing.write({"exports/small/new.txt": b"new\n"})
    done = run_cli("release", "1.0.0", "--yes", cwd=publishing.top)
    assert done.code == 0, (done.out, done.err)
    note = "note: small-7k has artifacts here that are not published."
    assert note in done.out.splitlines()
    for name, remote in (("small-7k", publishing.model), ("training-data", publishing.dataset)):
        assert remote.tip("v1.0.0^{commit}") == tips[name]
    lock = publishing.family.origin.read("manifest/releases/v1.0.0.toml").decode()
    for tip in tips.values():
        assert tip in lock


def test_the_commit_says_what_was_not_committed_and_not_pushed(publishing: Publishing) -> None:
    publishing.family.clone.commit("Not pushed", {"later.py": "1\n"})
    publishing.write({"VERSION": b"2.0.0\n"})
    publishing.sandbox.hub.fault(match="GET /api/datasets/*/refs", status=404, count=None)
    done = publishing.publish("small-7k")
    assert "is on no remote that this clone knows of" in done.out
    assert "The commit of training-data is not named" in done.out
    assert publishing.model.trailers()["Source-Changes"] == "1 changed file not committed"
    assert "with 1 changed file not committed |" in publishing.model.read("README.md").decode()
    assert "Dataset-Commit" not in publishing.model.trailers()


@pytest.mark.slow
def test_a_card_is_never_deleted(publishing: Publishing) -> None:
    publishing.write({"exports/small/README.md": b"# Mine\n"})
    publishing.publish("small-7k")
    (publishing.top / "exports/small/README.md").unlink()
    assert publishing.publish("small-7k").out == "small-7k: up to date (2 files)\n"
    by_hand(publishing, {"README.md": "# On the website\n"})
    publishing.write({"exports/small/new.txt": b"new\n"})
    publishing.publish("small-7k")
    assert publishing.model.read("README.md").startswith(b"# On the website\n\n<!-- openllm-repos")


@pytest.mark.slow
def test_what_the_repo_owns_by_now_is_not_taken_back(publishing: Publishing) -> None:
    publishing.publish("small-7k")
    there = f'model = "{MODEL}"\n'
    publishing.write({"repos.toml": MANIFEST.replace(there, there + 'owned = ["config.json"]\n').encode()})
    (publishing.top / "exports/small/config.json").unlink()
    publishing.write({"exports/small/new.txt": b"new\n"})
    publishing.publish("small-7k")
    assert {"config.json", "new.txt"} <= set(publishing.model.paths())
    assert "config.json" not in json.loads(publishing.model.read(RECORD))["files"]


@pytest.mark.slow
def test_what_another_source_published_is_somebody_elses(publishing: Publishing) -> None:
    publishing.publish("small-7k")
    there = json.loads(publishing.model.read(RECORD))
    there["source"]["url"] = "https://github.com/somebody/else"
    by_hand(publishing, {RECORD: json.dumps(there), "theirs.txt": "1\n"})
    publishing.write({"exports/small/config.json": b"{}\n"})
    done = publishing.publish("small-7k", code=3)
    assert "  config.json: new here, put there by somebody else on the Hub" in done.out.splitlines()
    assert "What is there was published from https://github.com/somebody/else." in done.out


@pytest.mark.slow
def test_a_record_that_is_not_ours_stops(publishing: Publishing) -> None:
    by_hand(publishing, {RECORD: "{"})
    assert "is not as a publish leaves it" in publishing.publish("small-7k", code=3).out


def test_a_branch_or_a_repo_that_is_not_there_is_told(publishing: Publishing) -> None:
    there = f'model = "{MODEL}"\n'
    publishing.write({"repos.toml": MANIFEST.replace(there, there + 'branch = "next"\n').encode()})
    assert "has no branch next on the Hub" in publishing.publish("small-7k", code=2).out
    publishing.write({"repos.toml": MANIFEST.encode()})
    shutil.rmtree(publishing.dataset.path)
    done = publishing.publish("training-data", code=3)
    (make,) = re.findall(r"next: openllm-repos (.*?)  # makes the dataset ", done.out)
    made = publishing.run(*make.split(), "--yes", cwd=publishing.top)
    assert made.code == 0, (made.out, made.err)
    assert "training-data: published" in publishing.publish("training-data").out


@pytest.mark.slow
def test_a_branch_that_never_stands_still_is_given_up(publishing: Publishing) -> None:
    publishing.sandbox.hub.fault(match="POST */commit/main", status=412, count=None)
    done = publishing.publish("small-7k", code=30)
    assert "moves faster than it can be written" in done.out


def test_whether_a_commit_arrived_may_not_be_known(publishing: Publishing) -> None:
    def silence() -> None:
        publishing.sandbox.hub.fault(match="GET /api/models/*/refs", status=500, count=None)

    publishing.sandbox.hub.fault(match="POST */commit/main", lose_answer=True, before=silence)
    done = publishing.publish("small-7k", "--json", "--patience", "2", code=30)
    assert "is not known" in done.json()["repos"][0]["outcome"]["reason"]
    publishing.sandbox.hub.faults.clear()
    assert publishing.publish("small-7k").out == "small-7k: up to date (2 files)\n"


@pytest.mark.slow
def test_the_hub_asks_to_wait_longer_than_anybody_would(publishing: Publishing) -> None:
    publishing.sandbox.hub.fault(
        match="POST */commit/main", status=429, message="128 commits per hour", headers={"Retry-After": "3000"}
    )
    done = publishing.publish("small-7k", code=30)
    assert "takes no more requests about the model" in done.out
    assert "128 commits per hour" in done.out
    assert "asks to wait 3000 s" in done.out


@pytest.mark.slow
def test_somebody_else_brings_the_same_meanwhile(publishing: Publishing) -> None:
    other = publishing.top.parent / "other"
    shutil.copytree(publishing.top, other)

    def bring() -> None:
        assert run_tool("publish", "--yes", "small-7k", cwd=other).code == 0

    publishing.sandbox.hub.fault(match="POST */commit/main", before=bring)
    done = publishing.publish("small-7k")
    assert "small-7k: up to date; somebody else brought the same meanwhile" in done.out
    assert len(publishing.model.log()) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code", "published"), [(b"n\n", 1, False), (b"y\n", 0, True)])
def test_the_person_decides_on_a_terminal(publishing: Publishing, answer: bytes, code: int, published: bool) -> None:
    done = run_on_terminal("publish", "small-7k", cwd=publishing.top, typed=answer)
    assert "Publish to 1 repo? [y/N]" in done.out
    assert (done.code, "model.safetensors" in publishing.model.paths()) == (code, published)
    assert ("Nothing was published." in done.out) is not published


def test_a_status_says_what_is_not_published_where_a_look_is_enough(
    publishing: Publishing, run_cli: RunCli, tmp_path: Path
) -> None:
    def problems() -> list[tuple[str, str, str]]:
        found = run_cli("status", "--json", cwd=publishing.top).json()["problems"]
        return [(one["repo"], one["message"], one["next"]) for one in found]

    assert problems() == []  # never published from here: not clear
    publishing.publish()
    assert problems() == []
    publishing.write({"exports/small/config.json": b'{"layers": 24}\n'})  # of the same size: not clear without reading
    assert problems() == []
    publishing.write({"exports/small/new.txt": b"new\n"})
    (publishing.top / "exports/small/model.safetensors").unlink()
    message = "lags behind: 2 artifacts were made, changed or deleted here since this clone published last."
    assert problems() == [("small-7k", message, "openllm-repos publish small-7k")]
    publishing.family.clone.git("worktree", "add", "-q", str(tmp_path / "linked"))
    assert not run_cli("status", "--json", cwd=tmp_path / "linked").json()["problems"]  # its artifacts are others
    shutil.rmtree(publishing.top / "exports")
    assert problems() == []


@pytest.mark.slow
def test_a_bare_clone_has_no_artifacts(publishing: Publishing, run_cli: RunCli) -> None:
    bare = publishing.top.parent / "bare.git"
    publishing.family.clone.git("clone", "-q", "--bare", str(publishing.top), str(bare))
    done = run_cli("publish", "--yes", cwd=bare)
    assert (done.code, "This clone is bare" in done.err) == (2, True)


@pytest.mark.parametrize("asked", ["POST */objects/batch", "POST */commit/main"])
def test_a_full_storage_is_no_fault_of_the_token(publishing: Publishing, asked: str) -> None:
    full = "Private repository storage limit reached, please upgrade your plan to increase your private storage limit."
    publishing.sandbox.hub.fault(match=asked, status=403, message=full)
    done = publishing.publish("small-7k", code=3)
    assert "The token may write to the model" in done.out
    assert full.rstrip(".") in done.out
    assert "hint: Free storage of lemms, or get more" in done.out
    assert "settings/tokens" not in done.out
    assert "HF_TOKEN" not in done.out
