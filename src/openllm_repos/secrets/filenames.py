"""Files that are known by their name to hold secrets."""

from __future__ import annotations

import re
from functools import cache

# In lower case, from some folder or name to the end of the path; what is sure is refused, the rest is told.
_SURE: dict[str, tuple[str, ...]] = {
    "a file of settings that mostly holds passwords": (
        r"\.env(?:\.(?!(?:example|sample|template|dist)$).+)?|.+\.env|\.envrc",
        r"secrets\.(?:toml|ya?ml|json|ini|txt)",
    ),
    "a private key": (
        r"id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?(?!.*\.pub$)(?:[-._~].*|~)?",
        r".+\.(?:pem|key|p8|p12|pfx|ppk|jks|bks|keystore|keytab|kdbx?)(?:\.bak|\.old|\.orig|~)?",
        r"secring\.(?:gpg|pgp)",
    ),
    "passwords of programs": (
        r"[._]?netrc|\.pypirc|\.npmrc|\.pgpass|pgpass\.conf|\.my\.cnf|\.mylogin\.cnf|\.htpasswd",
        r"\.git-credentials|\.gitcookies|\.s3cfg|\.boto|\.passwd-s3fs|\.msmtprc|\.esmtprc|rclone\.conf",
        r"\.dockercfg|\.dockerconfigjson|\.docker/config\.json|\.terraformrc|credentials\.tfrc\.json|\.modal\.toml",
        r"jupyter_cookie_secret|key[34]\.db|logins\.json|login data",
    ),
    "a token of a service": (
        r"\.?credentials(?:\.json|\.ya?ml|\.toml|\.ini|\.db)?|client_secret.*\.json|stored_tokens|kaggle\.json",
        r"\.vault-token|(?:\.cache/|\.)?huggingface/token|access_?tokens\.(?:json|db)|\.codex/auth\.json",
        r"(?:gh|glab-cli)/(?:hosts|config)\.yml",
    ),
    "a key of a cloud account": (
        r"(?:.*[-_.])?service[-_]?account(?:[-_.].*)?\.json|application_default_credentials\.json",
        r".*firebase-adminsdk.*\.json",
    ),
    "the state of Terraform, with every password in it": (r".+\.tfstate(?:\.backup|\.[0-9]+\.backup)?",),
    "what somebody typed": (
        r"\.[a-z0-9_]*_history|(?:ba|z|k|a|c|tc|fi|pwsh)?sh_history",
        r"(?:python|psql|mysql|sqlite|node_repl|irb)_history",
    ),
    "keys of ssh": (r"\.ssh/.+",),
    "keys of AWS": (r"\.aws/.+",),
    "keys of gpg": (r"\.gnupg/.+",),
    "keys of Kubernetes": (r"\.kube/.+",),
    "keys of Azure": (r"\.azure/.+",),
    "keys of Google's cloud": (r"gcloud/(?:legacy_credentials/.+|credentials\.db|access_tokens\.db)",),
    "keys of Oracle's cloud": (r"\.oci/.+",),
}
_PERHAPS: dict[str, tuple[str, ...]] = {
    "what somebody typed": (r"[^.]+_history",),
    "a file that holds passwords": (r".+\.tfvars(?:\.json)?|.+\.ovpn|\.yarnrc\.yml|cookies\.(?:txt|sqlite)",),
}


def known_name(path: str) -> tuple[str, bool] | None:
    """Return what a file of that path holds by its name, and whether that is sure; None for any other."""
    lower = path.lower()
    for pattern, whats, sure in _patterns():
        if (found := pattern.search(lower)) and found.lastindex:
            return whats[found.lastindex - 1], sure
    return None


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], tuple[str, ...], bool], ...]:
    return tuple(
        (
            re.compile("(?:^|/)(?:" + "|".join(f"({'|'.join(names)})" for names in table.values()) + ")$"),
            tuple(table),
            table is _SURE,
        )
        for table in (_SURE, _PERHAPS)
    )
