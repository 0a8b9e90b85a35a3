"""Takes secrets out of texts that are shown, logged or written down."""

from __future__ import annotations

import re

from openllm_repos.secrets.find import find

# A password in any URL; in http and https the user part alone may be a token, in ssh it is just a name.
_USER = re.compile(r"(?<=://)[^/\s]+@")
_HIDDEN = "***"
_PERHAPS = re.compile(r"[:=]|[A-Za-z0-9_+/-]{8}")  # most of what is said has none of these


def hide(text: str) -> str:
    """Return `text` without the user parts of URLs and without what has a form of the table, over its whole length."""
    if not _PERHAPS.search(text) and "\0" not in text:
        return text
    if "://" in text:
        text = _USER.sub(_hide_user, text)
    data = text.encode("utf-8", "surrogatepass")
    spans = sorted({(hit.start, hit.end) for hit in find(data, binary=b"\0" in data, cut_off=True)})
    if not spans:
        return text
    parts, done = [], 0
    for start, end in spans:
        if start >= done:
            parts += [data[done:start], _HIDDEN.encode()]
        done = max(done, end)
    return b"".join((*parts, data[done:])).decode("utf-8", "surrogatepass")


def _hide_user(found: re.Match[str]) -> str:
    web = found.string.endswith(("http://", "https://"), 0, found.start())
    return f"{_HIDDEN}@" if web or ":" in found.group() else found.group()
