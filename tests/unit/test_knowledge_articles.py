"""What the articles of the sample shop promise, whichever program reads them."""

import hashlib
import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from scripts.build_documents import ARTICLES, build

ROOT = Path(__file__).parents[2]
KNOWLEDGE = ROOT / "knowledge"
FOLDERS = ("faqs", "manuals", "troubleshooting")
REQUIRED = {"title", "audience", "language", "updated"}
KNOWN = REQUIRED | {"product", "safety"}
FENCE = "---\n"

#: A figure or word that only staff may read, from each article for staff.
STAFF_FACTS = ("UN 3481", "RET-OK", "1,222 °C", "EUR 500.00", "AQL")


def list_articles(*suffixes: str) -> list[str]:
    files = (path for folder in FOLDERS for path in (KNOWLEDGE / folder).iterdir())
    return sorted(
        path.relative_to(KNOWLEDGE).as_posix() for path in files if path.suffix in suffixes
    )


MARKDOWN = list_articles(".md")
DOCUMENTS = list_articles(".pdf", ".docx")


def split(article: str) -> tuple[dict[str, Any], str]:
    """Return what is said about an article, and its body; a document has none here."""
    if article not in MARKDOWN:
        sidecar = KNOWLEDGE / f"{article}.meta.yaml"
        return yaml.safe_load(sidecar.read_text(encoding="utf-8")), ""
    before, front, body = (KNOWLEDGE / article).read_text(encoding="utf-8").split(FENCE, maxsplit=2)
    assert before == ""
    return yaml.safe_load(front), body


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def skus() -> set[str]:
    catalogue = ROOT / "src" / "opsbot" / "demo" / "catalogue.yaml"
    products = yaml.safe_load(catalogue.read_text(encoding="utf-8"))["products"]
    return {product["sku"] for product in products}


def test_the_shop_has_articles_of_every_kind() -> None:
    articles = MARKDOWN + DOCUMENTS

    kinds = Counter(Path(article).suffix for article in articles)
    audiences = Counter(split(article)[0]["audience"] for article in articles)

    assert kinds[".md"] >= 28
    assert kinds[".pdf"] >= 3
    assert kinds[".docx"] >= 1
    assert audiences["staff"] >= 4


@pytest.mark.parametrize("article", MARKDOWN + DOCUMENTS, ids=str)
def test_an_article_says_what_it_is_and_for_whom(article: str, skus: set[str]) -> None:
    about, _ = split(article)

    products = about.get("product", [])

    assert about.keys() >= REQUIRED
    assert about.keys() <= KNOWN
    assert about["title"].strip()
    assert about["audience"] in {"public", "staff"}
    assert about["language"] == "en"
    assert isinstance(about["updated"], date)
    assert about.get("safety", True) is True
    assert set(products) <= skus
    assert len(products) == len(set(products))


@pytest.mark.parametrize("article", MARKDOWN, ids=str)
def test_an_article_has_headings_and_a_readable_length(article: str) -> None:
    _, body = split(article)

    levels = {len(mark) for mark in re.findall(r"^(#+) ", body, flags=re.MULTILINE)}

    assert 2 in levels
    assert levels <= {2, 3}
    assert 250 <= len(body.split()) <= 700


def test_no_two_articles_share_a_title() -> None:
    titles = Counter(split(article)[0]["title"].casefold() for article in MARKDOWN + DOCUMENTS)

    doubled = [title for title, times in titles.items() if times > 1]

    assert doubled == []


@pytest.mark.parametrize("article", MARKDOWN, ids=str)
def test_links_of_an_article_lead_to_a_file(article: str) -> None:
    _, body = split(article)

    targets = [link for link in re.findall(r"\]\(([^)]+)\)", body) if "://" not in link]
    missing = [
        link for link in targets if not (KNOWLEDGE / article).parent.joinpath(link).is_file()
    ]

    assert missing == []


@pytest.mark.parametrize("fact", STAFF_FACTS, ids=str)
def test_a_fact_for_staff_stands_in_articles_for_staff_only(fact: str) -> None:
    holders = [article for article in MARKDOWN if fact in split(article)[1]]

    audiences = {split(article)[0]["audience"] for article in holders}

    assert audiences == {"staff"}
    assert not any(fact in words for words in ARTICLES.values())


def test_the_documents_are_what_the_generator_writes(tmp_path: Path) -> None:
    committed = [*DOCUMENTS, *(f"{document}.meta.yaml" for document in DOCUMENTS)]

    written = build(tmp_path)

    fresh = {path.relative_to(tmp_path).as_posix(): digest(path) for path in written}
    assert fresh == {name: digest(KNOWLEDGE / name) for name in committed}


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_a_document_is_small(document: str) -> None:
    path = KNOWLEDGE / document

    size = path.stat().st_size

    assert size < 100_000
