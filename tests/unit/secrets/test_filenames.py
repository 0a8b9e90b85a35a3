"""Files that are refused, or asked about, for their names alone."""

from __future__ import annotations

import pytest

from openllm_repos.secrets.search import suspicious_name


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        ".env.production",
        "prod.env",
        ".envrc",
        "id_rsa",
        "id_ed25519",
        "id_ed25519.bak",
        "id_rsa~",
        "server.pem",
        "TLS.KEY",
        "passwords.kdbx",
        "netrc",
        ".netrc",
        "_netrc",
        ".pgpass",
        ".pypirc",
        ".git-credentials",
        ".docker/config.json",
        "credentials.json",
        "credentials",
        ".credentials.json",
        "kaggle.json",
        ".vault-token",
        "client_secret_1.apps.json",
        "stored_tokens",
        ".cache/huggingface/token",
        ".cache/huggingface/stored_tokens",
        ".streamlit/secrets.toml",
        "secrets.yaml",
        "my-service-account.json",
        "app-1a2b3-firebase-adminsdk-x1y2z-0123456789.json",
        ".azure/accessTokens.json",
        ".azure/msal_token_cache.json",
        ".aws/config",
        "home/.ssh/known_hosts",
        ".config/gcloud/credentials.db",
        ".config/gh/hosts.yml",
        "terraform.tfstate",
        "terraform.tfstate.backup",
        ".bash_history",
        ".python_history",
        "zsh_history",
        "rclone.conf",
    ],
)
def test_a_name_that_secrets_have(name: str) -> None:
    for path in (name, f"exports/{name}", f"exports/{name.upper()}"):
        found = suspicious_name(path)
        assert found is not None
        assert found.sure


@pytest.mark.parametrize("name", ["training_history", "prod.tfvars", "cookies.txt", "office.ovpn"])
def test_a_name_that_secrets_may_have(name: str) -> None:
    found = suspicious_name(f"exports/{name}")
    assert found is not None
    assert not found.sure


@pytest.mark.parametrize(
    "name",
    [
        ".env.example",
        "config.json",
        "tokenizer.json",
        "id_rsa.pub",
        "id_ed25519.pub",
        "keys.txt",
        "model.safetensors",
        "env/a.py",
        "history.json",
        "token/a.txt",
        "netrc.py",
        "secrets.py",
        "special_tokens_map.json",
        "docker/config.json",
    ],
)
def test_a_name_that_artifacts_have(name: str) -> None:
    assert suspicious_name(f"exports/{name}") is None
