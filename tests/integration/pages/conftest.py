"""The pages with a small shop behind them, asked without a browser."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.web.small_shop import PASSWORD, STAFF, Site, make_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Site:
    """A shop of this module's own."""
    return make_site(tmp_path_factory.mktemp("site"), sqlite_template)[1]


@pytest.fixture
def client(site: Site) -> TestClient:
    """A browser without a memory, that follows no redirect."""
    url = "http://shop.example"
    return TestClient(site.app, base_url=url, follow_redirects=False, headers={"origin": url})


@pytest.fixture
def staff(client: TestClient) -> TestClient:
    """The same, signed in."""
    form = {"email": STAFF, "password": PASSWORD, "next": "/console"}
    assert client.post("/console/sign-in", data=form).status_code == 303
    return client


@pytest.fixture
def csrf(staff: TestClient) -> Callable[[str], str]:
    """Return the hidden field of a page's form."""

    def read(path: str) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', staff.get(path).text)
        assert found is not None
        return found[1]

    return read
