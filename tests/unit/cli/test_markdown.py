"""Foreign text in Markdown is shown as it is: a reader of Markdown finds the same text, and no markup in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from openllm_repos.cli.markdown import Part, block, code, fitted, link, plain, table

READER = MarkdownIt("commonmark").enable("table")
FOREIGN = st.lists(
    st.sampled_from(
        ["`", "``", "|", "\\", "<b>", "</details>", "[x](y)", "*", "_", "#1", "@all", "&amp;", "~~~", " ", "x"]
    ),
    max_size=12,
).map("".join)
BREAK = "\u200b"


def inline(text: str) -> list[Token]:
    """Return what a line consists of."""
    (token,) = [one for one in READER.parse(text) if one.type == "inline"]
    return token.children or []


@given(FOREIGN)
def test_prose_and_code_are_text_and_nothing_else(text: str) -> None:
    words = " ".join(text.split())
    if words:
        parts = inline(f"x {plain(text)}")
        assert {part.type for part in parts} == {"text"}
        assert "".join(part.content for part in parts).replace(BREAK, "") == f"x {words}"
    if text.strip():
        parts = inline(f"x {code(text)} y")
        assert [part.type for part in parts] == ["text", "code_inline", "text"]
        assert parts[1].content.strip() == text.replace("|", "\\x7c").strip()


@given(FOREIGN, FOREIGN)
def test_a_row_has_its_cells_whatever_stands_in_them(one: str, other: str) -> None:
    part = table(("a", "b"), [(code(one), code(other)), (plain(one), plain(other))])
    tokens = READER.parse("\n".join((*part.head, *part.lines)))
    assert [token.type for token in tokens].count("td_open") == 4
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {"text", "code_inline"}


@given(st.lists(FOREIGN, max_size=5))
def test_nothing_in_a_block_ends_it(lines: list[str]) -> None:
    part = block(lines)
    (fence,) = READER.parse("\n".join((*part.head, *part.lines, *part.foot)))
    assert (fence.type, fence.content) == ("fence", "".join(f"{line}\n" for line in lines))


def test_what_becomes_a_link_by_itself_is_broken_up() -> None:
    assert plain("@all GH-12 #7 http://x www.x.org") == (
        "@&#8203;all GH-&#8203;12 \\#&#8203;7 http:&#8203;//x www.&#8203;x.org"
    )


def test_only_a_plain_address_is_linked() -> None:
    assert link("abc", "https://huggingface.co/x/commit/abc") == "[`abc`](https://huggingface.co/x/commit/abc)"
    for url in ("javascript:x", "https://x/)[y](z", "http://x", "https://u:p@x/ "):
        assert link("abc", url) == "`abc`"
    assert code("") == "-"
    assert code("x" * 300).endswith("x…`")


def test_what_does_not_fit_is_cut_between_two_lines() -> None:
    parts = [Part(("# Title",)), block(["é" * 10] * 100, folded="All"), Part(("after",))]
    whole = fitted(parts, 1 << 20)
    assert whole.endswith("</details>\n\nafter\n")
    for room in (0, 10, 100, 150, 300, 1000):
        text = fitted(parts, room)
        assert len(text.encode()) <= room
        assert text.count("```") in (0, 2)
        assert text.count("<details>") == text.count("</details>")
    assert "The rest is left out here" in fitted(parts, 1000)
