"""What looks like a secret, by its name or inside a text: found before a file leaves the machine.

A short list of exact forms, not a guess by entropy: a vocabulary of a tokenizer is made of what such a guess takes for
keys. Of a file's content only the place is told, never the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

RULES = 2
"""Changes whenever the lists below do: what was found clean by older ones is looked at again."""

_NAMES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (what, re.compile(form, re.IGNORECASE))
    for what, form in (
        (
            "a file of settings that mostly holds passwords",
            r"\.env(?:\.(?!example$|sample$|template$|dist$).+)?|.+\.env",
        ),
        ("a private key", r"id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|.+\.(?:pem|key|p12|pfx|ppk|jks|keystore)"),
        ("passwords of programs", r"\.netrc|_netrc|\.pypirc|\.npmrc|\.pgpass|\.my\.cnf|\.htpasswd|\.git-credentials"),
        ("a token of a service", r"credentials(?:\.json|\.ya?ml|\.toml)?|client_secret.*\.json|stored_tokens"),
        (
            "a key of a cloud account",
            r"(?:.*[-_.])?service[-_]?account(?:[-_.].*)?\.json|application_default_credentials\.json",
        ),
    )
)
_FOLDERS = {".ssh": "keys of ssh", ".aws": "keys of AWS", ".gnupg": "keys of gpg", ".kube": "keys of Kubernetes"}

_BEFORE = rb"(?<![A-Za-z0-9_])"
_AFTER = rb"(?![A-Za-z0-9_])"
_FORMS: tuple[tuple[str, tuple[bytes, ...], re.Pattern[bytes], re.Pattern[bytes]], ...] = tuple(
    # in a pickle the next letter may stand right behind, so the second one does not look there
    (what, starts, re.compile(form), re.compile(form.removesuffix(_AFTER)))
    for what, starts, form in (
        ("a token of the Hub", (b"hf_", b"api_org_"), _BEFORE + rb"(?:hf_|api_org_)[A-Za-z0-9]{34}" + _AFTER),
        ("a token of GitHub", (b"ghp_", b"gho_"), _BEFORE + rb"gh[po]_[A-Za-z0-9]{36,251}" + _AFTER),
        ("a token of GitHub", (b"ghu_", b"ghs_", b"ghr_"), _BEFORE + rb"gh[usr]_[A-Za-z0-9]{36,251}" + _AFTER),
        ("a token of GitHub", (b"github_pat_",), _BEFORE + rb"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}" + _AFTER),
        ("a token of GitLab", (b"glpat-",), _BEFORE + rb"glpat-[A-Za-z0-9_-]{20,}"),
        ("a key of AWS", (b"AKIA", b"ASIA"), _BEFORE + rb"(?:AKIA|ASIA)[A-Z2-7]{16}" + _AFTER),
        ("a key of Google", (b"AIza",), _BEFORE + rb"AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
        ("a token of Slack", (b"xox",), _BEFORE + rb"xox[abposr]-[A-Za-z0-9-]{20,}"),
        ("a token of PyPI", (b"pypi-AgEIcHlwaS",), _BEFORE + rb"pypi-AgEIcHlwaS[A-Za-z0-9_-]{50,}"),
        ("a token of npm", (b"npm_",), _BEFORE + rb"npm_[A-Za-z0-9]{36}" + _AFTER),
        ("a key of an AI service", (b"sk-ant-", b"sk-proj-"), _BEFORE + rb"sk-(?:ant|proj)-[A-Za-z0-9_-]{32,}"),
        (
            "a private key",
            (b"-----BEGIN ",),
            rb"-----BEGIN (?:(?:RSA|DSA|EC|OPENSSH|ENCRYPTED|PGP) )?PRIVATE KEY(?: BLOCK)?-----",
        ),
    )
)
_LONGEST = 320  # bytes; no form is longer than what it takes to know it
_BINARY = 8000  # as git: a NUL byte in the first 8,000 says that it is no text
_SETTINGS = 10 << 20  # bytes; a binary file up to that size may hold pickled settings, and a token among them
_ENOUGH = 10  # places of one file


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What looks like a secret.

    Attributes:
        path: of the file, from the top of the work tree.
        line: where in it, counted from 1; 0 where it is the file's name, or no text.
        what: what it looks like.
    """

    path: str
    line: int
    what: str

    @property
    def place(self) -> str:
        """Where it is, as compilers write it."""
        return f"{self.path}:{self.line}" if self.line else self.path


def suspicious_name(path: str) -> Suspicion | None:
    """Say whether a file of that name is mostly a secret."""
    *folders, name = path.split("/")
    for folder in folders:
        if what := _FOLDERS.get(folder.lower()):
            return Suspicion(path, 0, what)
    for what, form in _NAMES:
        if form.fullmatch(name):
            return Suspicion(path, 0, what)
    return None


class Search:
    """Searches the content of one file, block by block. Large binary files hold weights and are left alone.

    Args:
        path: of the file, for what is found.
        size: of the file, in bytes.
    """

    def __init__(self, path: str, size: int) -> None:
        self._path = path
        self._large = size > _SETTINGS
        self._binary = False
        self._tail = b""
        self._lines = 0  # before the tail
        self._begun = False
        self._over = False
        self._found: dict[tuple[int, str], Suspicion] = {}

    def feed(self, block: bytes) -> None:
        """Look at the next block."""
        if not self._begun:
            self._begun, self._binary = True, b"\0" in block[:_BINARY]
            self._over = self._binary and self._large
        if self._over:
            return
        text = self._tail + block
        for start, what in _places(text, binary=self._binary):
            line = 0 if self._binary else self._lines + text.count(b"\n", 0, start) + 1
            self._found.setdefault((line, what), Suspicion(self._path, line, what))
            if len(self._found) >= _ENOUGH:
                break
        self._over = len(self._found) >= _ENOUGH
        kept = max(0, len(text) - _LONGEST)
        self._lines += text.count(b"\n", 0, kept)
        self._tail = text[kept:]

    @property
    def found(self) -> tuple[Suspicion, ...]:
        """What was found, in the order of the lines."""
        return tuple(self._found[key] for key in sorted(self._found))


def _places(text: bytes, *, binary: bool) -> Iterator[tuple[int, str]]:
    """Yield where something starts, and what it is. Plain searches first: they are many times quicker than patterns."""
    for what, starts, in_text, in_binary in _FORMS:
        form = in_binary if binary else in_text
        for start in starts:
            at = text.find(start)
            while at >= 0:
                if form.match(text, at):
                    yield at, what
                at = text.find(start, at + 1)
