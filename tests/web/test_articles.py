"""The page of the articles, in a browser."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import Open, overflows, violations
from tests.web.small_shop import Site
from tests.web.test_console import MODES, sign_in

CARE = "# Care\n\nWipe the walnut stand with beeswax every spring.\n"


def upload(page: Page, file: Path, *, audience: str = "Everybody") -> None:
    """Open the form and send a file."""
    page.get_by_text("Upload an article").click()
    page.get_by_label("File").set_input_files(file)
    page.get_by_label("For whom").select_option(audience)
    page.get_by_role("button", name="Upload").click()


def test_an_uploaded_article_can_be_read_searched_and_deleted(
    open_page: Open, tmp_path: Path
) -> None:
    file = tmp_path / "Walnut stand.md"
    file.write_text(CARE, encoding="utf-8")
    watched = open_page("/console/articles")
    watched.expected.append("404")
    page = watched.page
    sign_in(page)

    upload(page, file)

    expect(page.get_by_role("status")).to_contain_text("Answers rest on it from now on.")
    row = page.get_by_role("row", name=re.compile("Walnut stand"))
    expect(row).to_contain_text("1 passage")
    expect(row).to_contain_text("Everybody")
    page.goto(re.sub("/console.*", "/help/search?q=care+for+the+walnut+stand", page.url))
    expect(page.get_by_role("link", name=re.compile("Walnut stand")).first).to_be_visible()

    page.goto(re.sub("/help.*", "/console/articles", page.url))
    page.get_by_role("link", name="Delete Walnut stand").click()
    assert violations(page) == []
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status")).to_contain_text("The article is deleted.")
    expect(page.get_by_role("row", name=re.compile("Walnut stand"))).to_have_count(0)
    assert page.goto(re.sub("/console.*", "/help/walnut-stand", page.url)).status == 404  # type: ignore[union-attr]  # it answers


@pytest.mark.parametrize("mode", MODES)
def test_what_cannot_be_read_is_said_where_one_looks(
    open_page: Open, site: Site, tmp_path: Path, mode: str
) -> None:
    file = tmp_path / "plan.pdf"
    file.write_bytes(b"%PDF-1.7 broken")
    broken = site.settings.knowledge_dir / "faqs" / "broken.md"
    broken.write_text("No front matter.\n", encoding="utf-8")
    watched = open_page("/console/articles", **MODES[mode])
    watched.expected.append("422")
    page = watched.page
    sign_in(page)
    site.app.state.services.library.follow(now=site.app.state.services.clock())

    upload(page, file)

    expect(page.get_by_role("alert")).to_contain_text("plan.pdf is not a PDF that can be read")
    expect(page.get_by_role("region", name="Not read")).to_contain_text("has no front matter")
    assert violations(page) == []
    assert not overflows(page)
    broken.unlink()
