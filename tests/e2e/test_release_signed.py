"""Tags are signed as the person's git is set to sign them, and a signature is made only once."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.inprocess import RunCli
from tests.support.releases import ORDER, Releases
from tests.support.sealed import SealedHome


@pytest.fixture
def releases(tmp_path: Path, run_cli: RunCli) -> Releases:
    """Return a family that is ready for its first release."""
    return Releases.make(tmp_path / "family", run_cli)


@pytest.fixture
def ssh_key(home: SealedHome) -> Path:
    """Let git sign tags with an ssh key of this test's own, and trust it."""
    key = home.folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True)
    signers = home.folder / "signers"
    signers.write_text(f"test@example.org {key.with_suffix('.pub').read_text()}")
    home.set("gpg.format", "ssh")
    home.set("user.signingKey", str(key))
    home.set("gpg.ssh.allowedSignersFile", str(signers))
    home.set("tag.gpgSign", "true")
    return key


@pytest.fixture
def gpg_key(home: SealedHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let git sign tags with an OpenPGP key of this test's own."""
    if shutil.which("gpg") is None:
        pytest.skip("gpg is not installed")
    folder = Path("/tmp") / f"gpg-{tmp_path.parent.name[-12:]}-{tmp_path.name[-8:]}"  # noqa: S108 - its socket's path must be short
    folder.mkdir(mode=0o700, exist_ok=True)
    monkeypatch.setenv("GNUPGHOME", str(folder))
    made = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", "Test User <test@example.org>"]
    subprocess.run([*made, "ed25519", "sign", "never"], check=True, capture_output=True)
    home.set("user.signingKey", "test@example.org")
    home.set("tag.gpgSign", "true")
    return str(folder)


@pytest.mark.slow
def test_ssh_signatures_verify_in_every_repo(releases: Releases, ssh_key: Path) -> None:
    assert ssh_key.exists()
    done = releases.released("1.0.0")
    assert ", signed" in done.out.splitlines()[0]
    for bare in releases.remotes.values():
        bare.git("verify-tag", "v1.0.0")
    assert releases.release("verify").out.startswith("v1.0.0: complete, 5 repos")
    assert releases.release("verify", "--signed").code == 0


@pytest.mark.slow
def test_openpgp_signatures_verify_in_every_repo(releases: Releases, gpg_key: str) -> None:
    try:
        releases.released("1.0.0")
        for bare in releases.remotes.values():
            bare.git("verify-tag", "v1.0.0")
        assert releases.release("verify", "--signed").code == 0
    finally:
        subprocess.run(["gpgconf", "--homedir", gpg_key, "--kill", "all"], check=False)
        shutil.rmtree(gpg_key)


@pytest.mark.slow
def test_a_release_that_goes_on_uses_the_signatures_it_has(releases: Releases, ssh_key: Path) -> None:
    hook = releases.remotes["small-7k"].refuse()
    assert releases.release("1.0.0").code == 3
    begun = (releases.clone.path / ".git/openllm-repos/operations.jsonl").read_text()
    hook.unlink()
    ssh_key.unlink()
    releases.released("1.0.0")
    for name in ORDER:
        assert f'"{releases.remotes[name].tips()["refs/tags/v1.0.0"]}"' in begun


def test_a_key_that_cannot_sign_stops_a_release_before_anything_is_pushed(releases: Releases, ssh_key: Path) -> None:
    ssh_key.unlink()
    done = releases.release("1.0.0")
    assert done.code == 30
    assert "main: Your git is set to sign tags (tag.gpgSign), but it cannot:" in done.err
    assert "next: git config tag.gpgSign false  # or fix your signing key" in done.err
    assert not any(bare.tips().keys() - {"refs/heads/main"} for bare in releases.remotes.values())
    assert releases.remotes["space"].tips() == {}


@pytest.mark.slow
def test_the_locks_commit_is_signed_where_commits_are(releases: Releases, home: SealedHome, ssh_key: Path) -> None:
    assert ssh_key.exists()
    home.set("commit.gpgSign", "true")
    releases.released("1.0.0")
    releases.remotes["main"].git("verify-commit", "v1.0.0^{commit}")


def test_a_release_without_a_name_is_refused(
    releases: Releases, home: SealedHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.config.write_text("[user]\n\tuseConfigOnly = true\n")
    for name in ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    done = releases.release("1.0.0")
    assert done.code == 30
    assert "git does not know who you are" in done.err
    assert "git config --global user.name" in done.err
