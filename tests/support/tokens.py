"""Tokens of every public form, made at random, and the places where programs leave them.

The forms stand here as their services document them, apart from the table of the product: `{A34}` is 34 letters and
digits, `B` has `_` and `-` too, `S` those of Base64, `h` hex digits, `U` capitals and digits, `L` small letters and
digits, `d` digits, `a` letters alone. What is between `«` and `»` is the secret part, where it is not all of it.
"""

from __future__ import annotations

import json
import pickle
import random
import re
import string
import struct
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

_ALPHABETS = {
    "A": string.ascii_letters + string.digits,
    "B": string.ascii_letters + string.digits + "_-",
    "S": string.ascii_letters + string.digits + "+/",
    "h": "0123456789abcdef",
    "U": string.ascii_uppercase + string.digits,
    "V": string.ascii_uppercase + "234567",
    "L": string.ascii_lowercase + string.digits,
    "d": string.digits,
    "a": string.ascii_letters,
}
_KEY_BODY = "\n".join(["{S64}"] * 6)

FORMS: tuple[str, ...] = (
    "hf_{a34}",
    "api_org_{a34}",
    "hf_oauth_eyJ{B40}.eyJ{B90}.{B43}",
    "hf_jwt_eyJ{B33}.eyJ{B120}.{B86}",
    "sk-{A20}T3BlbkFJ{A20}",
    "sk-proj-{A74}T3BlbkFJ{A74}",
    "sk-svcacct-{A58}T3BlbkFJ{A58}",
    "sk-admin-{A58}T3BlbkFJ{A58}",
    "sk-ant-api03-{B93}AA",
    "sk-ant-admin01-{B93}AA",
    "sk-or-v1-{h64}",
    "sk-{h32}",
    "xai-{A80}",
    "gsk_{A52}",
    "r8_{A37}",
    "pplx-{A48}",
    "nvapi-{B64}",
    "fw_{A24}",
    "tvly-{A32}",
    "tvly-dev-{A32}",
    "lsv2_pt_{h32}_{h10}",
    "lsv2_sk_{h32}_{h10}",
    "pcsk_{A6}_{A63}",
    "dapi{h32}",
    "wandb_v1_{B77}",
    "KGAT_{h32}",
    "jina_{h32}{A28}",
    "ghp_{A36}",
    "gho_{A36}",
    "ghu_{A36}",
    "ghs_{A36}",
    "ghs_{d7}_eyJ{B40}.eyJ{B80}.{B86}",
    "ghr_{A76}",
    "github_pat_{A22}_{A59}",
    "glpat-{B20}",
    "glpat-{B40}.01.{L9}",
    "gldt-{B20}",
    "glrt-{B20}",
    "glcbt-64_{B20}",
    "glptt-{h40}",
    "gloas-{B64}",
    "GR1348941{B20}",
    "xoxb-{d12}-{d12}-{A24}",
    "xoxp-{d12}-{d12}-{d12}-{h32}",
    "xapp-1-{U11}-{d13}-{h64}",
    "xoxe-1-{U146}",
    "xoxe.xoxp-1-{U164}",
    "https://hooks.slack.com/services/«T{U10}/B{U10}/{A24}»",
    "https://discord.com/api/webhooks/«{d18}/{B68}»",
    "AKIA{V16}",
    "ASIA{V16}",
    "ABSK{S130}==",
    "aws_secret_access_key = «{S40}»",
    "AIza{B35}",
    "GOCSPX-{B28}",
    "ya29.{B120}",
    "1//0{B60}",
    "AccountKey=«{S86}==»",
    "https://a.blob.core.windows.net/c?sp=r&sig=«{A40}%2B3d%3D»",
    "{A3}8Q~{B34}",
    "{A52}JQQJ99{A26}",
    "pypi-AgEIcHlwaS5vcmc{B150}",
    "pypi-AgENdGVzdC5weXBpLm9yZw{B150}",
    "npm_{A36}",
    "//npm.example.org/:_authToken=«{h8}-{h4}-{h4}-{h4}-{h12}»",
    "dckr_pat_{B27}",
    "rubygems_{h48}",
    "sk_live_{A24}",
    "rk_live_{A24}",
    "whsec_{A32}",
    "sq0atp-{B22}",
    "shpat_{h32}",
    "SG.{B22}.{B43}",
    "key-{h32}",
    "{h32}-us12",
    "xkeysib-{h64}-{A16}",
    "SK{h32}",
    "{d10}:AA{B33}",
    "dop_v1_{h64}",
    "HRKU-AA{B58}",
    "fo1_{B43}",
    "nfp_{A36}",
    "sbp_{h40}",
    "pscale_pw_{A43}",
    "tskey-auth-{A16}-{A32}",
    "LTAI{A20}",
    "ntn_{d11}{A35}",
    "secret_{A43}",
    "lin_api_{A40}",
    "figd_{B40}",
    "PMAK-{h24}-{h34}",
    "pat{A14}.{h64}",
    "ATATT3xFfGF0{B180}",
    "hvs.{B95}",
    "{A14}.atlasv1.{B67}",
    "dp.pt.{A43}",
    "AGE-SECRET-KEY-1{U58}",
    "glsa_{A32}_{h8}",
    "glc_{S80}=",
    "NRAK-{U27}",
    "dt0c01.{U24}.{U64}",
    "sntryu_{h64}",
    "sqp_{h40}",
    "pul-{h40}",
    "eyJ{B33}.eyJ{B90}.{B43}",
    "postgres://admin:«{A16}»@db.internal:5432/app",
    "https://someone:«{A20}»@git.internal/a.git",
)
"""More than the 88 that public scanners and the services themselves list."""

KEY_FILES: tuple[str, ...] = (
    f"-----BEGIN RSA PRIVATE {'KEY'}-----\n«{_KEY_BODY}»\n-----END RSA PRIVATE KEY-----\n",
    f"-----BEGIN {'PRIVATE'} KEY-----\n«{_KEY_BODY}»\n-----END PRIVATE KEY-----\n",
    f"-----BEGIN OPENSSH PRIVATE {'KEY'}-----\n«{_KEY_BODY}»\n-----END OPENSSH PRIVATE KEY-----\n",
    f"-----BEGIN PGP PRIVATE {'KEY'} BLOCK-----\n\n«{_KEY_BODY}»\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----\n",
    f"PuTTY-User-Key-{'File'}-2: ssh-rsa\nEncryption: none\nPrivate-Lines: 6\n«{_KEY_BODY}»\n",
    f"---- BEGIN SSH2 ENCRYPTED PRIVATE {'KEY'} ----\n«{_KEY_BODY}»\n---- END SSH2 ENCRYPTED PRIVATE KEY ----\n",
)

NAMED: tuple[str, ...] = (
    "WANDB_API_KEY=«{h40}»",
    "OPENAI_API_KEY=«{A32}7a4»",
    "export MY_API_KEY='«{A20}7a4»'",
    'password = "«{a8}-7{a4}»"',
    "DB_PASSWORD: «{a8}77{a4}»",
    "os.environ['SERVICE_API_KEY'] = '«{A20}7a4»'",
    'client_secret="«{A20}7a4»"',
    "SESSION_TOKEN=«{A30}7a4»",
    'headers = {{"Authorization": "Bearer «{A30}7a4»"}}',
)
"""Names that say it; a person decides."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it stands in a text, and the part of it that is secret."""

    text: str
    secret: str


def make(form: str, chance: random.Random) -> Token:
    """Return a token of a form; the parts of one letter and a number are random, with a letter and a digit at least."""

    def part(found: re.Match[str]) -> str:
        letters = _ALPHABETS[found[1]]
        text = "".join(chance.choices(letters, k=int(found[2])))
        return _mixed(text, letters) if int(found[2]) >= 16 else text

    text = re.sub(r"\{([ABShUVLda])(\d+)\}", part, form).replace("{{", "{").replace("}}", "}")
    secret = re.search("«(.*)»", text, re.DOTALL)
    return Token(text.replace("«", "").replace("»", ""), secret[1] if secret else text.replace("«", ""))


def _mixed(text: str, letters: str) -> str:
    """Return the text with small letters, capitals and digits, as far as the alphabet has them; letters at its ends."""
    for place, some in ((1, "7"), (2, "k" if "k" in letters else "K"), (3, "Q"), (0, "a"), (-1, "b")):
        if some in letters:
            index = place % len(text)
            text = text[:index] + some + text[index + 1 :]
    return text


def _notebook(text: str) -> bytes:
    cell = {"cell_type": "code", "source": ["import os\n", f"login('{text}')\n"], "outputs": [{"text": [f"{text}\n"]}]}
    return json.dumps({"cells": [cell], "nbformat": 4}).encode()


def _safetensors(text: str) -> bytes:
    header = json.dumps({"__metadata__": {"hub_token": text}}).encode()
    return struct.pack("<Q", len(header)) + header + random.Random(1).randbytes(64)


def _pickled(protocol: int) -> Callable[[str], bytes]:
    return lambda text: pickle.dumps({"layers": 3, "hub_token": text, "seed": 7, "names": [text, "a"]}, protocol)


def _protobuf(text: str) -> bytes:
    data = text.encode()
    size = bytes([len(data)]) if len(data) < 128 else bytes([len(data) & 127 | 128, len(data) >> 7])
    return b"\x0a\x03abc\x12" + size + data + b"\x1a\x05hello\x00"


CONTEXTS: dict[str, Callable[[str], bytes]] = {
    "plain": lambda text: text.encode(),
    "between words": lambda text: f"the key is {text} today".encode(),
    "quoted": lambda text: f"key = '{text}'\n".encode(),
    "JSON": lambda text: json.dumps({"key": text}).encode(),
    "JSON in JSON": lambda text: json.dumps(json.dumps({"key": f"\n{text}\n"})).encode(),
    "after an escaped newline": lambda text: rf"line\n{text}\nline".encode(),
    "after an escaped tab": lambda text: rf"line\t{text}\tline".encode(),
    "after an escaped quote": lambda text: rf"\u0022{text}\u0022".encode(),
    "after a hex escape": lambda text: rf"\x22{text}\x22".encode(),
    "in a URL": lambda text: f"https://host/x?token={text}".encode(),
    "after %3D": lambda text: f"token%3D{text}%26next".encode(),
    "after %22": lambda text: f"%22{text}%22".encode(),
    "in color": lambda text: f"\x1b[32m{text}\x1b[0m".encode(),
    "in escaped color": lambda text: rf"\u001b[1;32m{text}\u001b[0m \x1b[32m{text}\x1b[0m \033[1m{text}".encode(),
    **{f"pickle {number}": _pickled(number) for number in range(6)},
    "protobuf": _protobuf,
    "glued to other strings": lambda text: b"\0\0one" + text.encode() + b"two\0\0",
    "UTF-16 LE": lambda text: f"key {text} key".encode("utf-16-le"),
    "UTF-16 BE": lambda text: f"key {text} key".encode("utf-16-be"),
    "UTF-16 LE with its mark": lambda text: b"\xff\xfe" + f"key {text} key".encode("utf-16-le"),
    "UTF-16 BE with its mark": lambda text: b"\xfe\xff" + f"key {text} key".encode("utf-16-be"),
    "UTF-8 with its mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "notebook": _notebook,
    ".env": lambda text: f"# settings\nexport SOMETHING={text}\r\n".encode(),
    "YAML": lambda text: f"on: push\nkey: {text}\nother: 1\n".encode(),
    "TOML": lambda text: f'[a]\nkey = "{text}"\n'.encode(),
    "safetensors": _safetensors,
    "CSV": lambda text: f"1,{text},2\n".encode(),
    "HTML": lambda text: f"<a title=&quot;{text}&quot;>{text}</a>".encode(),
}


def coded(token: Token) -> Token:
    """Return a token as a URL has it."""
    return Token(quote(token.text, safe=""), quote(token.secret, safe=""))
