"""What users typed, on pages that are Markdown."""

from __future__ import annotations

import html
import re

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from fitlab.diagnosis.naming import in_markdown

typed = st.text(st.sampled_from("ab1 \n*_`~|\\[](){}<>!&;#:/\"'-.=") | st.characters(exclude_categories=["Cs", "Cc"]))


@given(typed)
@example("<script>alert(1)</script>")
@example('<img src=x onerror="alert(1)">')
@example("[click](javascript:alert(1)) ![x](http://evil.example/x.png) [a]: b [a][b]")
@example("**bold** _it_ `code` ~~gone~~ a_b_c &lt;b&gt; a | b \\*x\\*")
def test_what_was_typed_is_shown_as_it_is(text: str) -> None:
    page = MarkdownIt("commonmark").enable(["table", "strikethrough"]).renderInline(f"Said: {in_markdown(text)}.")
    assert not re.search("<.*?>", page), page
    assert html.unescape(page) == f"Said: {' '.join(text.split())}."
