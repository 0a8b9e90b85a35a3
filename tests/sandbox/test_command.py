"""`openllm-repos sandbox`: a person starts it in one terminal and works in another."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from openllm_repos.sandbox import Sandbox
from tests.support.inprocess import RunCli
from tests.support.process import run_git
from tests.support.repositories import Clone


@contextlib.contextmanager
def served(*args: str | Path, cwd: Path, last: str, stop: signal.Signals = signal.SIGINT) -> Iterator[str]:
    """Run the command until the block ends, then stop it; yields what it printed up to the line `last`."""
    command = [sys.executable, "-m", "openllm_repos", "sandbox", *args]
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.rstrip() == last:
                break
        try:
            yield "".join(lines)
        finally:
            process.send_signal(stop)
            try:
                out, err = process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        assert (process.returncode, out, err) == (0, "", "")


def test_what_it_prints_is_typed_in_another_terminal(tmp_path: Path) -> None:
    with served("--root", "stand", cwd=tmp_path, last="# Stop with Ctrl-C.") as printed:
        for token in ("hf_write", "hf_read", "hf_other", "hf_fine", "gh_write", "gh_read"):
            assert f"#   {token} " in printed
        (tmp_path / "env").write_text(printed)
        shell = ". ./env && echo $HF_ENDPOINT && env -0 > all"
        endpoint = subprocess.check_output(["sh", "-c", shell], cwd=tmp_path, text=True).strip()
        env = dict(one.split("=", 1) for one in (tmp_path / "all").read_text().split("\0") if one)
        assert f'#   curl -d \'{{"id": "lemms/my-code"}}\' {env["GITHUB_SERVER_URL"]}/_sandbox/repo\n' in printed
        data = json.dumps({"kind": "space", "id": "lemms/openllm"}).encode()
        with urlopen(f"{endpoint}/_sandbox/repo", data) as answer:
            assert answer.status == 200
        url = "https://huggingface.co/spaces/lemms/openllm"
        assert "refs/heads/main" in run_git("ls-remote", url, cwd=tmp_path, env=env).out
    assert (tmp_path / "stand/hub/git/spaces/lemms/openllm.git/HEAD").is_file()


@pytest.mark.slow
def test_the_family_of_the_demo_is_there_to_be_cloned(tmp_path: Path) -> None:
    with served("--seed", "openllm", "--json", cwd=tmp_path, last="}", stop=signal.SIGTERM) as printed:
        facts = json.loads(printed)
        assert set(facts) == {"schema", "hub", "github", "root", "tokens", "environment", "unset"}
        assert facts["environment"]["HF_ENDPOINT"] == facts["hub"]
        for url in (
            "https://github.com/louischua/openllm",
            "https://huggingface.co/spaces/lemms/openllm",
            "https://huggingface.co/lemms/openllm-small-extended-7k",
            "https://huggingface.co/datasets/lemms/openllm-training-data",
        ):
            assert "refs/heads/main" in run_git("ls-remote", url, cwd=tmp_path, env=facts["environment"]).out
        root = Path(facts["root"])
        assert root.is_dir()
    assert not root.exists()


@pytest.mark.slow
def test_a_clone_of_the_seeded_source_finds_its_family(tmp_path: Path, run_cli: RunCli, sandbox: Sandbox) -> None:
    from openllm_repos.demo.seed import seed

    seed(sandbox)
    seed(sandbox)  # again changes nothing
    source = Clone.of("https://github.com/louischua/openllm", tmp_path / "openllm")
    done = run_cli("status", "--json", cwd=source.path)
    assert done.code == 0, done.err
    states = {repo["name"]: repo["state"] for repo in done.json()["repos"]}
    assert states["space"] not in {"unreachable", ""}


def test_a_taken_port_is_told_in_one_sentence(tmp_path: Path, run_cli: RunCli, sandbox: Sandbox) -> None:
    port = sandbox.hub.url.rpartition(":")[2]
    done = run_cli("sandbox", "--root", tmp_path / "other", "--hub-port", port)
    assert done.code == 30
    assert done.err.startswith(f"error: Port {port} cannot be used")


def test_quoting_survives_a_folder_with_a_quote(tmp_path: Path) -> None:
    with Sandbox(tmp_path / "it's here") as running:
        running.hub.create("model", "lemms/x", empty=True)
        clone = Clone.init(tmp_path / "clone")
        clone.commit("binary", {"a.bin": b"\0"})
        url = running.hub.url.replace("://", "://x:hf_write@")
        said = clone.run("push", f"{url}/lemms/x", "HEAD:main", ok=(1,))
    assert "contains binary files" in said.err
    assert shlex.quote(str(tmp_path / "it's here"))[0] == "'"
    assert os.path.isdir(tmp_path / "it's here")


def test_plain_git_pushes_with_what_the_command_prints(tmp_path: Path) -> None:
    """Nobody has to type a user name or a token: the printed lines name a credential helper for both hosts."""
    with Sandbox(tmp_path / "remotes") as running:
        running.hub.create("space", "lemms/openllm")
        running.github.create("louischua/openllm")
        env = running.environment(plain_git=True)
        clone = Clone.init(tmp_path / "clone")
        clone.commit("one", {"a.py": "1\n"})
        for url in ("https://huggingface.co/spaces/lemms/openllm", "https://github.com/louischua/openllm"):
            assert run_git("push", url, "HEAD:refs/heads/mine", cwd=clone.path, env=env).code == 0
        wrong = running.environment("hf_read", plain_git=True)
        said = run_git(
            "push",
            "https://huggingface.co/spaces/lemms/openllm",
            "HEAD:refs/heads/other",
            cwd=clone.path,
            env=wrong,
            ok=(1, 128),
        )
        assert "not authorized" in said.err
