import gzip
import hashlib
import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from scripts.check_assets import hash_sources

from opsbot.channels.assets import BRIEFLY, FOREVER, Assets
from opsbot.errors import InvalidInputError
from tests.web.small_shop import REPOSITORY

STATIC = REPOSITORY / "web" / "static"


def test_the_manifest_names_every_built_file_with_its_hash() -> None:
    manifest = json.loads((STATIC / "manifest.json").read_bytes())

    hashes = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for path in STATIC.iterdir()
        if path.name != "manifest.json"
    }

    assert manifest["files"] == hashes


def test_the_built_files_are_made_from_these_sources() -> None:
    manifest = json.loads((STATIC / "manifest.json").read_bytes())

    assert manifest["sources"] == hash_sources(), "run `npm ci && npm run build` in web/"


def test_the_widget_weighs_less_than_its_budget() -> None:
    assert len(gzip.compress((STATIC / "widget.js").read_bytes(), 9)) < 20_000


def test_no_built_file_of_ours_names_another_host() -> None:
    for name in ("widget.js", "site.js", "console.js", "console.css", "shop.css", "help.css"):
        text = (STATIC / name).read_text(encoding="utf-8")

        assert "https://" not in text, name
        assert text.count("http://") == text.count("http://www.w3.org/2000/svg"), name


def test_an_address_with_the_hash_is_kept_for_ever(client: TestClient) -> None:
    page = client.get("/help").text
    address = page.split('stylesheet" href="')[1].split('"')[0]

    answer = client.get(address)

    assert answer.headers["cache-control"] == FOREVER
    assert answer.headers["content-type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize("address", ["/static/help.css", "/static/help.css?v=old"])
def test_an_address_without_the_right_hash_is_kept_briefly(
    client: TestClient, address: str
) -> None:
    assert client.get(address).headers["cache-control"] == BRIEFLY


def test_a_browser_that_has_the_file_is_told_so(client: TestClient) -> None:
    etag = client.get("/widget.js").headers["etag"]

    answer = client.get("/widget.js", headers={"if-none-match": etag})

    assert (answer.status_code, answer.content) == (304, b"")


def test_any_shop_may_load_the_widget(client: TestClient) -> None:
    answer = client.get("/widget.js", headers={"accept-encoding": "gzip"})

    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == (STATIC / "widget.js").read_bytes()


@pytest.mark.parametrize("name", ["nothing.js", "manifest.json", "..%2Fpackage.json"])
def test_only_built_files_are_served(client: TestClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_a_folder_that_is_not_built_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"is not a built front end.*OPSBOT_WEB_DIR"):
        Assets(tmp_path)
