"""Where articles are cut, and where never."""

from hypothesis import given, settings
from hypothesis import strategies as st

from opsbot.retrieval.articles import Article
from opsbot.retrieval.front_matter import FrontMatter
from opsbot.retrieval.models import Audience
from opsbot.retrieval.passages import MAX_WORDS, Passage, cut_article
from opsbot.retrieval.structure import find_headings


def cut(text: str) -> list[Passage]:
    about = FrontMatter(title="Halo", audience=Audience.PUBLIC)
    return cut_article(
        Article("manuals/halo.md", "halo", "md", about, text, tuple(find_headings(text)))
    )


def words(number: int) -> str:
    return " ".join(f"word{i}" for i in range(number))


def test_each_section_is_a_passage_with_its_headings_and_anchor() -> None:
    passages = cut("Intro.\n\n## Set up\n\nPush.\n\n### Oak\n\nWipe.\n")

    assert [(p.headings, p.anchor, p.text) for p in passages] == [
        ((), "", "Intro."),
        (("Set up",), "set-up", "Push."),
        (("Set up", "Oak"), "oak", "Wipe."),
    ]


def test_a_procedure_that_fits_stays_whole() -> None:
    steps = "\n".join(f"{n}. {words(12)}." for n in range(1, 11))

    passages = cut(f"## Steps\n\n{words(60)}.\n\n{steps}\n")

    assert steps in {passage.text for passage in passages}


@settings(max_examples=50)
@given(sizes=st.lists(st.integers(1, 90), min_size=2, max_size=30))
def test_a_step_is_never_cut(sizes: list[int]) -> None:
    steps = [f"{n}. {words(size)}" for n, size in enumerate(sizes, start=1)]

    passages = cut("## Steps\n\n" + "\n".join(steps) + "\n")

    lines = [line for passage in passages for line in passage.text.splitlines()]
    assert lines == steps


@settings(max_examples=50)
@given(sizes=st.lists(st.integers(1, 60), min_size=2, max_size=40))
def test_a_row_is_never_cut_and_each_piece_has_the_header(sizes: list[int]) -> None:
    rows = [f"| row{n} | {words(size)} |" for n, size in enumerate(sizes)]
    header = ["| Code | Meaning |", "|---|---|"]

    passages = cut("## Codes\n\n" + "\n".join([*header, *rows]) + "\n")

    pieces = [passage.text.splitlines() for passage in passages]
    assert all(piece[:2] == header for piece in pieces)
    assert [row for piece in pieces for row in piece[2:]] == rows


@settings(max_examples=50)
@given(sizes=st.lists(st.integers(3, 40), min_size=1, max_size=20))
def test_passages_say_where_they_stand_and_stay_small(sizes: list[int]) -> None:
    text = "## Long\n\n" + "\n\n".join(f"A{words(size)}." for size in sizes) + "\n"

    for passage in cut(text):
        assert text[passage.span.start : passage.span.end] == passage.text
        assert len(passage.text.split()) <= MAX_WORDS


def test_a_section_that_only_points_elsewhere_is_no_passage() -> None:
    text = (
        "Wipe the arm.\n\n## Related pages\n\n"
        "- [Warranty](/help/warranty)\n- [Lamp flickers](/help/flickers)\n"
    )

    assert [passage.text for passage in cut(text)] == ["Wipe the arm."]


def test_what_is_searched_begins_with_title_and_headings_in_plain_words() -> None:
    [passage] = cut("## AutoOff\n\n**Press** twice.\n")

    assert passage.searched_text("HaloMini lamp") == "Halo Mini lamp: Auto Off. Press twice."


def test_other_headings_make_another_passage_of_the_same_words() -> None:
    [one, other] = cut("## Oak\n\nWipe it.\n\n## Walnut\n\nWipe it.\n")

    assert one.content_hash != other.content_hash


def test_an_article_that_only_points_elsewhere_is_still_a_passage() -> None:
    [passage] = cut("Moved to [Lamp flickers](/help/flickers).\n")

    assert passage.text == "Moved to [Lamp flickers](/help/flickers)."
