"""One commit copied the way ``git subtree split`` of a current git copies it.

git subtree pipes ``git log --pretty=format:%an%n%ae%n%aD%n%cn%n%ce%n%cD%n%B`` into ``git commit-tree``
(contrib/subtree/git-subtree.sh, ``copy_commit``). What that does to a commit is written out here: people and dates are
kept, the message becomes UTF-8, signatures and other headers are dropped because they no longer hold.
"""

from __future__ import annotations

import codecs
import re

# ident.c, crud(): what git cuts from both ends of names and addresses. Gits before 2.47 also cut a full stop.
_CRUD = bytes(range(33)) + b",:;<>\"\\'"
# A name or address that git would not change, in ASCII; and a commit with two of them and no header that matters.
_CLEAN = rb"""(?: [^\x00-\x20,:;<>"\\'\x7f-\xff] (?: [^\x00-\x1f<>\\\x7f-\xff]* [^\x00-\x20,:;<>"\\'\x7f-\xff] )? )?"""
_PERSON = rb"\x20" + _CLEAN + rb"\x20<" + _CLEAN + rb">\x20(?:0|[1-9]\d{0,15})\x20(?!-0000)[+-]\d{4}"
_CLEAN_PERSON = rb"(?:author|committer)" + _PERSON
# Only this one is needed by every run; the others are compiled when a commit needs them, and kept by `re` itself.
_CLEAN_HEAD = re.compile(
    rb"tree\x20[0-9a-f]+\n (?:parent\x20[0-9a-f]+\n)*"
    rb"(author" + _PERSON + rb"\ncommitter" + _PERSON + rb"\n) (?:gpgsig\x20[^\n]*\n(?:\x20[^\n]*\n)*)?\n",
    re.VERBOSE,
)
_DATE = rb"\s*(\d{1,20})(?:\s+([+-]\d{1,20}))?"
_LAST_ZONE = 9999  # git refuses more than four digits
_LAST_SECOND = 67_768_036_191_676_799  # of the last year in C's struct tm; git prints later dates as 1970

# utf8.c, pick_one_utf8_char(): Python accepts these code points, git does not (U+FDD0..U+FDEF, U+xxFFFE, U+xxFFFF).
_NONCHARACTER = rb"\xef\xb7[\x90-\xaf]|\xef\xbf[\xbe\xbf]|[\xf0-\xf4][\x8f\x9f\xaf\xbf]\xbf[\xbe\xbf]"
_UTF8_CHARACTER = rb"""[\x00-\x7f]+ | [\xc2-\xdf][\x80-\xbf]
    | \xe0[\xa0-\xbf][\x80-\xbf] | [\xe1-\xec\xee][\x80-\xbf]{2} | \xed[\x80-\x9f][\x80-\xbf]
    | \xef (?! \xb7[\x90-\xaf] | \xbf[\xbe\xbf] ) [\x80-\xbf]{2}
    | (?! [\xf0-\xf4][\x8f\x9f\xaf\xbf]\xbf[\xbe\xbf] )
      (?: \xf0[\x90-\xbf][\x80-\xbf]{2} | [\xf1-\xf3][\x80-\xbf]{3} | \xf4[\x80-\x8f][\x80-\xbf]{2} )"""

# Encodings that people declare in commits, in the spellings that the iconv of Linux knows: Python knows more, some of
# them (unicode_escape, rot13) no character sets at all. An unknown one leaves the bytes as they are, as with git.
_CHARACTER_SETS = r"""
    (?:us-)?ascii | utf-?8 | latin-?1 | latin(?:[2-9]|10) | iso[_-]?8859-(?:[1-9]|1[013-6]) | koi8-[ru]
    | windows-125[0-8] | cp125[0-8] | (?:cp|ibm)(?:437|737|775|85[02578]|86[0-69]) | cp874 | cp9(?:32|36|49|50)
    | euc-?(?:jp|kr|cn) | ujis | shift[_-]jis | sjis | iso-2022-(?:jp|kr) | gb2312 | gbk | gb18030 | big5 | big5-?hkscs
    | uhc | johab | macintosh | tis-?620"""
# Shift_JIS has a yen sign and an overline where ASCII has these; Python's codec reads them as ASCII, iconv does not.
_SHIFT_JIS = {ord("\\"): "¥", ord("~"): "‾"}


def rewritten(raw: bytes, tree: bytes, parents: list[bytes]) -> bytes:
    """Return the projected commit's content.

    Args:
        raw: the source commit's content.
        tree: hex id of the projected tree.
        parents: hex ids of the projected parents.
    """
    lineage = b"tree %b\n%b" % (tree, b"".join([b"parent %b\n" % parent for parent in parents]))
    clean = _CLEAN_HEAD.match(raw) if b"\0" not in raw else None
    if clean is not None:
        return valid_utf8(b"%b%b\n%b" % (lineage, clean[1], raw[clean.end() :]))
    head, _, message = raw.partition(b"\n\n")
    declared = _header(head, b"encoding ")
    if declared is not None:
        recoded = _recoded(raw, declared[9:])
        if recoded is not None:
            head, _, message = recoded.partition(b"\n\n")
    author = _person(_header(head, b"author "), b"author")
    committer = _person(_header(head, b"committer "), b"committer")
    return valid_utf8(b"%b%b\n%b\n\n%b" % (lineage, author, committer, message.partition(b"\0")[0]))


def _header(head: bytes, name: bytes) -> bytes | None:
    """Return the first header line of that name; continuation lines begin with a blank and never match."""
    start = head.find(b"\n" + name)
    if start < 0:
        return None
    end = head.find(b"\n", start + 1)
    return head[start + 1 :] if end < 0 else head[start + 1 : end]


def _recoded(raw: bytes, declared: bytes) -> bytes | None:
    """Return the whole commit in UTF-8, or None where the declared encoding is unknown or does not fit."""
    try:
        name = declared.decode("ascii")
        if re.fullmatch(_CHARACTER_SETS, name, re.VERBOSE | re.IGNORECASE) is None:
            return None
        if name.lower().startswith("iso-2022") and not raw.isascii():
            return None  # seven bits only; Python takes the eighth for Latin-1
        text = raw.decode(name)
    except (LookupError, UnicodeError):
        return None
    return (text.translate(_SHIFT_JIS) if codecs.lookup(name).name == "shift_jis" else text).encode()


def _person(line: bytes | None, role: bytes) -> bytes:
    """Return an author or committer line as ``git commit-tree`` would write it."""
    if line is None:
        return role + b"  <> 0 +0000"
    if re.fullmatch(_CLEAN_PERSON, line, re.VERBOSE):
        return line
    who = line[len(role) + 1 :]
    name, opened, rest = who.partition(b"<")
    mail, closed, _ = rest.partition(b">")
    when = re.match(_DATE, who.rpartition(b">")[2]) if opened and closed else None
    seconds, zone = (0, 0) if when is None else (int(when[1]), int(when[2] or b"0"))
    if seconds > _LAST_SECOND:
        seconds, zone = 0, 0
    if abs(zone) > _LAST_ZONE:
        zone = 0  # the moment stays
    return b"%b %b <%b> %d %+05d" % (role, _without_crud(name), _without_crud(mail), seconds, zone)


def _without_crud(text: bytes) -> bytes:
    """Cut what the shell's ``read`` and then git cut: backslashes anywhere, crud at the ends, delimiters inside."""
    unescaped = re.sub(rb"\\(.?)", rb"\1", text, flags=re.DOTALL)
    return unescaped.strip(_CRUD).translate(None, b"\0\n<>")


def valid_utf8(data: bytes) -> bytes:
    """Return `data` with each byte that is no UTF-8 read as Latin-1 (commit.c, ``verify_utf8``)."""
    if data.isascii():
        return data
    try:
        data.decode("utf-8")
        if not re.search(_NONCHARACTER, data):
            return data
    except UnicodeDecodeError:
        pass
    character = re.compile(_UTF8_CHARACTER, re.VERBOSE)
    out, at = bytearray(), 0
    while at < len(data):
        good = character.match(data, at)
        if good is not None:
            out += good[0]
            at = good.end()
        else:
            out += bytes((0xC0 | data[at] >> 6, 0x80 | data[at] & 0x3F))
            at += 1
    return bytes(out)
