"""What a copied commit says: people, dates, messages and headers, held against the installed `git subtree split`.

git subtree splits one history that has a commit for each case below; each case then compares its commit.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from openllm_repos.git.repository import Repository
from openllm_repos.manifest import Map
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.project import project
from openllm_repos.projection.rewrite import rewritten
from tests.support.needs import Hiding
from tests.support.repositories import Clone

ADA = b"Ada Lovelace <ada@example.org> 1700000000 +0100"
BOB = b"Bob <bob@example.org> 1700000060 -0330"
SIGNATURE = (
    b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQIzBAABCAAdFiEE\n encoding ISO-8859-1\n -----END PGP SIGNATURE-----\n"
)
MERGED_TAG = b"mergetag object 1111111111111111111111111111111111111111\n type commit\n tag v1\n tagger x\n \n v1\n"


@dataclass(frozen=True, slots=True)
class Case:
    """The parts of one commit, as its object has them."""

    author: bytes = ADA
    committer: bytes = BOB
    headers: bytes = b""
    message: bytes = b"\nsubject\n\nbody\n"

    def raw(self, tree: str, parent: str | None) -> bytes:
        """Return the object's content."""
        lineage = f"tree {tree}\n" + (f"parent {parent}\n" if parent else "")
        return b"%bauthor %b\ncommitter %b\n%b%b" % (
            lineage.encode(),
            self.author,
            self.committer,
            self.headers,
            self.message,
        )


def _person(name: bytes, mail: bytes = b"<ada@example.org>", when: bytes = b"1700000000 +0100") -> Case:
    return Case(author=b"%b %b %b" % (name, mail, when))


def _declared(encoding: str, text: str, codec: str | None = None) -> Case:
    return Case(headers=b"encoding %b\n" % encoding.encode(), message=b"\n%b\n" % text.encode(codec or encoding))


CASES = {
    "plain": Case(),
    # people
    "a name in UTF-8": _person("Zoë 東京 🙂".encode()),
    "a name in undeclared latin-1": _person("Zoë".encode("latin-1")),
    "backslashes in a name": _person(rb"A\da \\ Love\nlace"),
    "backslashes in an address": _person(b"Ada", rb"<a\da\\@example.org>"),
    "punctuation around a name": _person(b",:;\"'Ada Lovelace'\";:,"),
    "punctuation inside a name": _person(b'Ada "the, first" O\'Love:lace; Jr'),
    "punctuation around an address": _person(b"Ada", b"<'ada@example.org';>"),
    "blanks around a name": _person(b"  Ada  ", b"<  ada@example.org\t>"),
    "tabs and double blanks inside a name": _person(b"Ada\tLove  lace"),
    "control characters in a name": _person(b"\x01Ada\x02Love\x7flace\x1f"),
    "no blank before the address": Case(author=b"Ada<ada@example.org> 1700000000 +0100"),
    "brackets in an address": _person(b"Ada", b"<ada<at>example.org>"),
    "a closing bracket in a name": _person(b"Ada> B"),
    "an empty address": _person(b"Ada", b"<>"),
    "an address of blanks": _person(b"Ada", b"<  >"),
    "no address at all for the committer": Case(committer=b"Bob <> 1700000060 +0000"),
    # dates
    "the zone -0000": _person(b"Ada", when=b"1700000000 -0000"),
    "the zone +0545": _person(b"Ada", when=b"1700000000 +0545"),
    "the zone -1130": _person(b"Ada", when=b"1700000000 -1130"),
    "the zone +1400": _person(b"Ada", when=b"1700000000 +1400"),
    "zeros before a date": _person(b"Ada", when=b"001700000000 +0100"),
    "a zone of one digit": _person(b"Ada", when=b"1700000000 +5"),
    "a zone of three digits": _person(b"Ada", when=b"1700000000 -530"),
    "in 1971": _person(b"Ada", when=b"50000000 +0000"),
    "the first second of 1970": _person(b"Ada", when=b"0 +0000"),
    "a date after the last year": _person(b"Ada", when=b"9223372036854775807 +0000"),
    "a date of twenty digits": _person(b"Ada", when=b"99999999999999999999 +0000"),
    "just after 1973": _person(b"Ada", when=b"100000001 +0000"),
    "in the year 2099": _person(b"Ada", when=b"4070908800 +0000"),
    # messages
    "no newline at the end": Case(message=b"\nsubject"),
    "many newlines at the end": Case(message=b"\nsubject\n\n\n\n"),
    "blank lines first": Case(message=b"\n\n\n  \nsubject\n"),
    "blanks first": Case(message=b"\n   subject  \n"),
    "CRLF": Case(message=b"\nsubject\r\n\r\nbody\r\n"),
    "a lone CR": Case(message=b"\nsub\rject\n"),
    "an empty message": Case(message=b"\n"),
    "no message, not even a blank line": Case(message=b""),
    "newlines only": Case(message=b"\n\n\n"),
    "more than 70 KB": Case(message=b"\n" + b"a line of the message\n" * 4000),
    "one line of 100 KB": Case(message=b"\n" + b"x" * 100_000),
    "NUL": Case(message=b"\nbefore\0after\n"),
    "NUL first": Case(message=b"\n\0after\n"),
    "undeclared latin-1": Case(message="\ncafé naïve\n".encode("latin-1")),
    "UTF-8 and latin-1 mixed": Case(message="\ncafé ".encode() + "café\n".encode("latin-1")),
    "C1 bytes": Case(message=b"\n\x80\x85\x9f \xff\xfe\n"),
    "overlong UTF-8": Case(message=b"\n\xc0\xaf \xe0\x80\xaf \xf0\x80\x80\xaf\n"),
    "surrogates in UTF-8": Case(message=b"\n\xed\xa0\x80 \xed\xbf\xbf\n"),
    "noncharacters": Case(
        message="\nU+FFFE \ufffe U+FFFF \uffff U+FDD0 \ufdd0 U+FDEF \ufdef U+1FFFE \U0001fffe\n".encode()
    ),
    "neighbours of noncharacters": Case(message="\n\ufffd \ufdcf \ufdf0 \U0001fffd \U0010fffd\n".encode()),
    "beyond Unicode": Case(message=b"\n\xf4\x90\x80\x80 \xf5\x80\x80\x80\n"),
    "cut in the middle of a character": Case(message=b"\n\xe6\x9d"),
    "lines like headers": Case(message=b"\nencoding ISO-8859-1\nauthor me\n\ntree 1\n"),
    # declared encodings
    "ISO-8859-1": _declared("ISO-8859-1", "café ÿ"),
    "iso8859-1, lower case": _declared("iso8859-1", "café", "latin-1"),
    "latin1": _declared("latin1", "café"),
    "ISO-8859-15": _declared("ISO-8859-15", "10 € Œuvre"),
    "CP1252": _declared("CP1252", "“quoted” … 10 €"),
    "windows-1251": _declared("windows-1251", "Привет"),
    "EUC-JP": _declared("EUC-JP", "日本語 カタカナ"),
    "Shift_JIS": _declared("Shift_JIS", "日本語"),
    "Shift_JIS, where ASCII differs": Case(headers=b"encoding Shift_JIS\n", message=b"\nC:\\ ~ \x93\xfa\n"),
    "ISO-2022-JP": _declared("ISO-2022-JP", "日本語"),
    "ISO-2022-JP that holds UTF-8": Case(headers=b"encoding ISO-2022-JP\n", message="\ncafé\n".encode()),
    "KOI8-R": _declared("KOI8-R", "Привет"),
    "GB18030": _declared("GB18030", "中文 €"),
    "Big5": _declared("Big5", "中文"),
    "EUC-KR": _declared("EUC-KR", "한국어"),
    "UTF-8, declared": _declared("UTF-8", "café"),
    "utf8, declared so": _declared("utf8", "café"),
    "latin-1 declared as UTF-8": _declared("UTF-8", "café", "latin-1"),
    "bytes that the declared encoding does not have": Case(
        headers=b"encoding EUC-JP\n", message=b"\n\xff\xfe caf\xe9\n"
    ),
    "unicode_escape": Case(headers=b"encoding unicode_escape\n", message=b"\n\\u00e9 \\n\n"),
    "rot13": Case(headers=b"encoding rot13\n", message=b"\nuryyb\n"),
    "hex": Case(headers=b"encoding hex\n", message=b"\n6869\n"),
    "an unknown encoding": Case(headers=b"encoding no-such-thing\n", message=b"\ncaf\xe9\n"),
    "an encoding without a name": Case(headers=b"encoding \n", message=b"\ncaf\xe9\n"),
    "a declared encoding of the name": Case(
        author="Zoë <zoë@example.org> 1700000000 +0100".encode("latin-1"), headers=b"encoding ISO-8859-1\n"
    ),
    # headers
    "a signature": Case(headers=SIGNATURE),
    "a signature for SHA-256": Case(headers=SIGNATURE.replace(b"gpgsig", b"gpgsig-sha256")),
    "a merged tag": Case(headers=MERGED_TAG),
    "headers that git does not know": Case(headers=b"HG:extra rebase_source:123\nx-thing 1\n"),
    "an encoding and a signature": Case(headers=b"encoding ISO-8859-1\n" + SIGNATURE, message=b"\ncaf\xe9\n"),
    "a signature and an encoding": Case(headers=SIGNATURE + b"encoding ISO-8859-1\n", message=b"\ncaf\xe9\n"),
}


def _chain(clone: Clone, cases: dict[str, Case]) -> dict[str, str]:
    """Write a commit for each case, on top of each other, each with another file in `d/`; return their ids by name."""
    ids: dict[str, str] = {}
    parent = None
    for number, (name, case) in enumerate(cases.items()):
        blob = clone.git("hash-object", "-w", "--stdin", data=b"%d" % number)
        inner = clone.git("mktree", data=f"100644 blob {blob}\tf\n".encode())
        tree = clone.git("mktree", data=f"040000 tree {inner}\td\n".encode())
        parent = clone.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", data=case.raw(tree, parent))
        ids[name] = parent
    return ids


def _content(clone: Clone, commit: str) -> bytes:
    return clone.run("cat-file", "commit", commit).out_bytes


@pytest.fixture(scope="module")
def copies(
    git_subtree: None, tools: Hiding, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[bytes, bytes]]:
    """Return what each case became: git subtree's copy and ours."""
    del git_subtree
    clone = Clone.init(tmp_path_factory.mktemp("cases") / "clone")
    (clone.path / "d").mkdir()
    ids = _chain(clone, CASES)
    tip = list(ids.values())[-1]
    with pytest.MonkeyPatch.context() as patch:
        tools.set(patch, ["git_subtree"])
        theirs = clone.git("subtree", "split", "-q", "-P", "d", tip)
    ours = project(Repository.open(clone.path), ObjectId(tip), [Map.of("d/", ".")], use_cache=False).commit
    lists = [clone.git("rev-list", "--reverse", str(head)).splitlines() for head in (theirs, ours)]
    return {name: (_content(clone, their), _content(clone, our)) for name, their, our in zip(ids, *lists, strict=True)}


def _without_parents(content: bytes) -> bytes:
    """Leave out what depends on the commits before, so that one fault is told once."""
    return b"".join(line for line in content.splitlines(keepends=True) if not line.startswith(b"parent "))


@pytest.mark.parametrize("name", CASES)
def test_the_copy_says_what_git_subtree_would_say(copies: dict[str, tuple[bytes, bytes]], name: str) -> None:
    theirs, ours = copies[name]
    assert _without_parents(ours) == _without_parents(theirs)


# git subtree ends in failure for these ("can't copy commit"), asks the clock, or takes the zone of the machine.
BETTER = {
    "an author without a name": (
        Case(author=b" <ada@example.org> 1700000000 +0100"),
        b"author  <ada@example.org> 1700000000 +0100",
    ),
    "a name of punctuation only": (_person(b",;"), b"author  <ada@example.org> 1700000000 +0100"),
    "a name that ends in a backslash": (_person(b"Ada\\"), b"author Ada <ada@example.org> 1700000000 +0100"),
    "NUL in a name": (_person(b"A\0da"), b"author Ada <ada@example.org> 1700000000 +0100"),
    "no address": (Case(author=b"Ada 1700000000 +0100"), b"author Ada 1700000000 +0100 <> 0 +0000"),
    "no date": (_person(b"Ada", when=b""), b"author Ada <ada@example.org> 0 +0000"),
    "a date before 1970": (_person(b"Ada", when=b"-5 +0000"), b"author Ada <ada@example.org> 0 +0000"),
    "a date without a zone": (_person(b"Ada", when=b"1700000000"), b"author Ada <ada@example.org> 1700000000 +0000"),
    "a zone with a name": (_person(b"Ada", when=b"1700000000 CET"), b"author Ada <ada@example.org> 1700000000 +0000"),
    "a zone of six digits": (
        _person(b"Ada", when=b"1700000000 +051800"),
        b"author Ada <ada@example.org> 1700000000 +0000",
    ),
    "a zone that is none": (
        _person(b"Ada", when=b"1700000000 +9999"),
        b"author Ada <ada@example.org> 1700000000 +9999",
    ),
    "in the year 2100": (
        _person(b"Ada", when=b"4102444800 +0000"),
        b"author Ada <ada@example.org> 4102444800 +0000",
    ),
    # gits before 2.47 cut the full stop
    "a name that ends in a full stop": (
        _person(b"Ada Jr.", b"<ada@example.org.>"),
        b"author Ada Jr. <ada@example.org.> 1700000000 +0100",
    ),
}


@pytest.mark.parametrize(("case", "author"), BETTER.values(), ids=BETTER.keys())
def test_where_git_subtree_fails_the_commit_is_copied_and_sound(clone: Clone, case: Case, author: bytes) -> None:
    source = next(iter(_chain(clone, {"it": case}).values()))
    copy = project(Repository.open(clone.path), ObjectId(source), [Map.of("d/", ".")]).commit
    tree = clone.git("rev-parse", f"{source}:d").encode()
    expected = b"tree %b\n%b\ncommitter %b\n\nsubject\n\nbody\n" % (tree, author, BOB)
    assert _content(clone, str(copy)) == expected
    faults = clone.run("fsck", "--strict", "--no-dangling", ok=range(8))  # the source commits have some
    assert str(copy) not in faults.out + faults.err


def test_a_commit_that_ends_after_its_encoding_has_an_empty_message() -> None:
    """git up to 2.39 reads its message from the middle of the header."""
    raw = Case(headers=b"encoding ISO-8859-1\n", message=b"").raw("1" * 40, None)
    assert rewritten(raw, b"2" * 40, []) == b"tree %b\nauthor %b\ncommitter %b\n\n" % (b"2" * 40, ADA, BOB)


def test_a_commit_without_people_gets_empty_ones() -> None:
    assert rewritten(b"tree 1\n\nmessage", b"2", [b"3", b"4"]) == (
        b"tree 2\nparent 3\nparent 4\nauthor  <> 0 +0000\ncommitter  <> 0 +0000\n\nmessage"
    )


def test_a_date_of_thousands_of_digits_is_no_number() -> None:
    raw = _person(b"Ada", when=b"9" * 5000 + b" +0100").raw("1" * 40, None)
    assert b"author Ada <ada@example.org> 0 +0000\n" in rewritten(raw, b"2" * 40, [])


def test_the_parents_stand_in_their_order() -> None:
    parents = [b"b" * 40, b"a" * 40]
    made = rewritten(Case().raw("1" * 40, "3" * 40), b"2" * 40, parents)
    assert made.startswith(b"tree %b\nparent %b\nparent %b\nauthor " % (b"2" * 40, *parents))
