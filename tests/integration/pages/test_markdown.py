import re
from urllib.parse import urljoin, urlsplit

import pytest

from opsbot.channels.markdown import render_article


def test_headings_get_the_anchors_that_citations_lead_to() -> None:
    html = render_article("## One\n\ntext\n\n### Two\n\n## One\n", ["one", "two", "one-1"])

    assert '<h2 id="one">One</h2>' in html
    assert '<h3 id="two">Two</h3>' in html
    assert '<h2 id="one-1">One</h2>' in html


def test_no_level_of_headings_is_left_out() -> None:
    html = render_article("# Big\n\n#### Small\n\n##### Smaller\n", ["a", "b", "c"])

    assert '<h2 id="a">' in html
    assert '<h3 id="b">' in html
    assert '<h4 id="c">' in html


def test_a_table_can_be_scrolled_by_keyboard() -> None:
    html = render_article("| A | B |\n|---|---|\n| 1 | 2 |\n", [])

    frame = '<div class="table-frame" tabindex="0" role="group" aria-label="Table"><table>'
    assert frame in html.replace("\n", "")
    assert '<th scope="col">A</th>' in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "![x](https://elsewhere.example/x.png)",
        "## a\n\n<h2 onclick=alert(1) style=x>b</h2>",
        "<div class=x><iframe src=//elsewhere.example></iframe></div>",
    ],
)
def test_nothing_that_an_article_says_can_run_or_load(text: str) -> None:
    html = render_article(text, ["a"])

    for markup in ("<script", "<img", "<iframe", "<h2 on", 'href="javascript', 'href="data'):
        assert markup not in html


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example/x",
        "</\\\\evil.example>",
        "\\\\evil.example",
        "<	//evil.example>",
        "&#10;//evil.example",
        "/&#9;/evil.example",
    ],
)
def test_a_link_without_a_scheme_stays_on_this_site(target: str) -> None:
    html = render_article(f"[x]({target})", [])

    for link in re.findall(r'href="([^"]*)"', html):
        assert urlsplit(urljoin("https://shop.example/help/", link)).hostname == "shop.example"


def test_links_within_the_site_and_to_others_stay() -> None:
    html = render_article("[a](/help/x) [b](#b) [c](https://shop.example//x)", [])

    for target in ("/help/x", "#b", "https://shop.example//x"):
        assert f'href="{target}"' in html
