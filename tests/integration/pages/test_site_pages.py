"""The shop's page, the help centre and the description of the API."""

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from opsbot.channels import pages, shop
from opsbot.channels.identity import verify_customer
from tests.factories import NOON
from tests.web.small_shop import Site

PUBLIC = ["/", "/help", "/help/halo-desk-lamp", "/help/search?q=lamp", "/console/sign-in"]


@pytest.mark.parametrize("path", PUBLIC)
def test_a_page_allows_nothing_foreign_and_nothing_inline(client: TestClient, path: str) -> None:
    answer = client.get(path)

    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", answer.text)
    assert not re.search(r'(src|href)="(https?:)?//', answer.text)


def test_each_heading_of_an_article_has_the_id_that_citations_use(
    client: TestClient, site: Site
) -> None:
    article = site.app.state.services.knowledge.article("halo-desk-lamp", audience="customer")

    html = client.get("/help/halo-desk-lamp").text

    ids = re.findall(r'<h[2-6] id="([^"]+)">', html.split('class="prose"')[1])
    assert ids[: len(article.headings)] == [heading.anchor for heading in article.headings]


def test_what_is_for_staff_is_not_shown_to_customers(client: TestClient) -> None:
    assert client.get("/help/packing-guide").status_code == 404
    assert "packing-guide" not in client.get("/help").text
    assert "packing-guide" not in client.get("/help/search?q=packing+guide+bubble+wrap").text


def test_staff_read_what_is_for_them(staff: TestClient) -> None:
    answer = staff.get("/help/packing-guide")

    assert answer.status_code == 200
    assert "For staff only" in answer.text


def test_what_is_searched_for_stays_words(client: TestClient) -> None:
    text = client.get("/help/search", params={"q": '"><script>alert(1)</script>'}).text

    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("query", ["", "   ", "x" * 5000, "\x00\x01", "(((", "ß" * 300])
def test_any_search_gets_a_page(client: TestClient, query: str) -> None:
    assert client.get("/help/search", params={"q": query}).status_code == 200


def test_a_missing_page_says_so_in_words(client: TestClient) -> None:
    answer = client.get("/help/no-such-article")

    assert answer.status_code == 404
    assert "This page does not exist" in answer.text


def test_the_sample_shop_signs_a_token_for_its_customer(client: TestClient, site: Site) -> None:
    client.post("/demo/sign-in", data={"customer": "C-1002"})

    token = client.get("/demo/token").json()["token"]

    assert verify_customer(site.settings, token, now=NOON) == "C-1002"


@pytest.mark.parametrize("who", ["visitor", "C-9999", "<b>"])
def test_a_visitor_gets_no_token(client: TestClient, who: str) -> None:
    client.post("/demo/sign-in", data={"customer": who})

    assert client.get("/demo/token").status_code == 404


def test_a_real_shop_has_no_sample_pages(site: Site) -> None:
    settings = site.settings.model_copy(update={"demo": False})
    app = FastAPI()
    app.state.services = type(site.app.state.services)(
        **{**vars(site.app.state.services), "settings": settings}
    )
    pages.install(app, settings)
    app.include_router(shop.router)
    client = TestClient(app, follow_redirects=False)

    home = client.get("/")

    assert (home.status_code, home.headers["location"]) == (303, "/help")
    assert client.get("/demo/token").status_code == 404
    assert client.post("/demo/sign-in", data={"customer": "C-1001"}).status_code == 404


def test_the_api_viewer_loads_its_own_files_alone(client: TestClient) -> None:
    answer = client.get("/docs")

    assert "script-src 'self';" in answer.headers["content-security-policy"]
    assert re.findall(r'src="([^"?]+)', answer.text) == ["/static/swagger-ui.js", "/static/docs.js"]
