"""Articles as HTML. Nothing in an article is trusted: what is not on the list is dropped."""

from collections.abc import Sequence
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_TAGS = {
    "a", "blockquote", "br", "code", "del", "div", "em", "h2", "h3", "h4", "h5", "h6", "hr", "li",
    "ol", "p", "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href"},
    "div": {"class", "tabindex", "role", "aria-label"},
    "ol": {"start"},
    "th": {"scope"},
    **{f"h{level}": {"id"} for level in range(2, 7)},
}
_DEEPEST = 6


def render_article(text: str, anchors: Sequence[str]) -> Markup:
    """Return an article's Markdown as HTML.

    Args:
        text: Markdown without the title.
        anchors: ids of the headings, in their order; citations lead to them.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    _name_headings(tokens, anchors)
    _frame_tables(tokens)
    html = parser.renderer.render(tokens, parser.options, {})
    return Markup(  # noqa: S704  (cleaned in this very line)
        nh3.clean(
            html,
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            attribute_filter=_keep,
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener",
            strip_comments=True,
        )
    )


def _keep(tag: str, name: str, value: str) -> str | None:
    """Drop a link that names a host without a scheme, as browsers read it."""
    slashes = value.strip().replace("\\", "/")
    return None if (tag, name) == ("a", "href") and slashes.startswith("//") else value


def _name_headings(tokens: Sequence[Token], anchors: Sequence[str]) -> None:
    """Give each heading its id, and a level that follows from the page's own first heading."""
    names = iter(anchors)
    shown = 1
    closing: list[str] = []
    for token in tokens:
        if token.type == "heading_open":
            level = max(2, int(token.tag[1]))
            shown = min(level, shown + 1, _DEEPEST)
            token.tag = f"h{shown}"
            closing.append(token.tag)
            if token.level == 0:
                token.attrSet("id", next(names, ""))
        elif token.type == "heading_close":
            token.tag = closing.pop()
        elif token.type == "th_open":
            token.attrSet("scope", "col")


def _frame_tables(tokens: list[Token]) -> None:
    """Let a wide table be scrolled by itself, also by keyboard."""
    attributes: dict[str, Any] = {
        "class": "table-frame",
        "tabindex": "0",
        "role": "group",
        "aria-label": "Table",
    }
    for at in range(len(tokens) - 1, -1, -1):
        if tokens[at].type == "table_open":
            tokens.insert(at, Token("div_open", "div", 1, attrs=dict(attributes), block=True))
        elif tokens[at].type == "table_close":
            tokens.insert(at + 1, Token("div_close", "div", -1, block=True))
