"""GitHub's path filters, read as its documentation says: the other side of what the workflow's filters are made for.

The rules are those of "Workflow syntax for GitHub Actions", filter pattern cheat sheet: ``*`` any characters but ``/``,
``**`` any characters (``**/`` also no folder at all), ``?`` and ``+`` how often the character before may stand, ``[]``
one letter or digit of a set, a backslash before a character that is meant itself, ``!`` at the start excludes.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\\(?P<literal>.)|(?P<deep>\*\*/?)|(?P<star>\*)|(?P<often>[?+])|\[(?P<set>[^\]]+)\]|(?P<char>.)")


def lets_through(filter_: str, path: str) -> bool:
    """Tell whether a filter that stands alone lets a path through."""
    assert not filter_.startswith("!"), "it would exclude"
    return re.fullmatch(_regex(filter_), path, re.DOTALL) is not None


def _regex(filter_: str) -> str:
    said, at = "", 0
    while at < len(filter_):
        found = _TOKEN.match(filter_, at)
        assert found is not None, filter_
        at = found.end()
        if found["deep"]:
            said += "(?:.+/)?" if found["deep"].endswith("/") else ".*"
        elif found["star"]:
            said += "[^/]*"
        elif found["often"]:
            said += found["often"]
        elif found["set"]:
            assert re.fullmatch("(?:[a-zA-Z0-9](?:-[a-zA-Z0-9])?)+", found["set"]), filter_
            said += f"[{found['set']}]"
        else:
            said += re.escape(found["literal"] or found["char"])
    return said
