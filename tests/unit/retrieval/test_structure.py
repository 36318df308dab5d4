"""Sections, blocks and anchors of a Markdown text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsbot.retrieval.structure import Kind, find_headings, find_sections, to_anchor, to_plain

TEXT = """Before any heading.

## Set up

Push the plug in.

1. One
2. Two

   with a second paragraph

### Details

| A | B |
|---|---|
| 1 | 2 |

## Set up

> **Warning:** Hot.
"""

LINES = (
    [
        "## Heading",
        "### Sub",
        "Words. More words.",
        "1. Step",
        "- Item",
        "",
        "> quote",
        "| a | b |",
    ],
    ["|---|---|", "   indented", "```", "# Top", "***", "| only"],
)
markdown_lines = st.lists(st.sampled_from([*LINES[0], *LINES[1]]))


def test_a_section_knows_the_headings_above_it() -> None:
    sections = find_sections(TEXT)

    assert [section.headings for section in sections] == [
        (),
        ("Set up",),
        ("Set up", "Details"),
        ("Set up",),
    ]


def test_a_repeated_heading_gets_an_anchor_of_its_own() -> None:
    assert [heading.anchor for heading in find_headings(TEXT)] == ["set-up", "details", "set-up-1"]


def test_blocks_keep_their_kind_and_their_parts() -> None:
    steps = find_sections(TEXT)[1].blocks[1]

    assert steps.kind is Kind.STEPS
    assert [TEXT[part.start : part.end] for part in steps.parts] == [
        "1. One",
        "2. Two\n\n   with a second paragraph",
    ]


@given(lines=markdown_lines)
def test_sections_cover_every_word_once_and_in_order(lines: list[str]) -> None:
    text = "\n".join(lines)

    spans = [(block.start, block.end) for s in find_sections(text) for block in s.blocks]

    assert spans == sorted(spans)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    for word in ("Step", "Item", "Words"):
        inside = sum(text[start:end].count(word) for start, end in spans)
        assert inside == text.count(word)


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("Find the closed position (zero)", "find-the-closed-position-zero"),
        ("Error codes E-01 to E-17", "error-codes-e-01-to-e-17"),
        ("Größe & Gewicht", "größe-gewicht"),
    ],
)
def test_an_anchor_is_the_heading_in_lower_case_with_hyphens(heading: str, anchor: str) -> None:
    assert to_anchor(heading) == anchor


def test_plain_text_has_no_marks_left() -> None:
    text = to_plain(
        "> **Warning:** see [the *manual*](/help/manual).\n\n| A | B |\n|---|---|\n| 1 | 2 |"
    )

    assert text == "Warning: see the manual.\n\nA | B\n1 | 2"
