"""A browser, and the site it looks at. Every page is watched: nothing foreign, nothing logged."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.web.small_shop import Site, make_site, serve

HERE = Path(__file__).parent
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
AXE = (HERE / "vendor" / "axe.min.js").read_text(encoding="utf-8")
PATIENCE_MS = 20_000
"""Only a failing test waits this long: on a busy machine a page may stand still for seconds."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a browser.

    On a build machine a browser shares two cores with everything else and now and then stands
    still for longer than any patience; such a test runs again, and the summary says so.
    """
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
        if os.environ.get("CI") and item.get_closest_marker("browser"):  # noqa: TID251  (not a setting of ours)
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Site]:
    """The pages with a small shop and a scripted conversation."""
    app, description = make_site(tmp_path_factory.mktemp("site"), sqlite_template)
    with serve(app) as url:
        yield replace(description, url=url)


# Not for the whole session: while it is open, this thread has a running event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """System Chromium. Without one the test is skipped; on a build machine it fails."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        reason = "needs Chromium on the PATH (apt-get install chromium)"
        if os.environ.get("CI"):  # noqa: TID251  (not a setting of ours)
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@dataclass
class Watched:
    """A page, and what it did."""

    page: Page
    allowed: set[str]
    """Origins it may call."""
    messages: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    """Parts of messages that this test provokes."""

    def check(self) -> None:
        """Fail if the page called another host, or logged something."""
        unexpected = [m for m in self.messages if not any(part in m for part in self.expected)]
        assert not unexpected, unexpected
        assert not self.foreign, self.foreign


Open = Callable[..., Watched]


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Iterator[Open]:
    """Open a page of the site; options are those of a browser context."""
    contexts: list[BrowserContext] = []
    opened: list[Watched] = []

    def go(path: str, *, width: int = 1280, height: int = 860, **options: Any) -> Watched:
        size = {"width": width, "height": height}
        context = browser.new_context(viewport=size, **options)  # type: ignore[arg-type]  # a TypedDict
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        watched = Watched(context.new_page(), {urlsplit(site.url).netloc})
        opened.append(watched)
        _watch(watched)
        watched.page.goto(path if path.startswith("http") else site.url + path)
        return watched

    yield go
    for watched in opened:
        watched.check()
    for context in contexts:
        context.close()


def _watch(watched: Watched) -> None:
    page = watched.page

    def on_request(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https", "ws"} and parts.netloc not in watched.allowed:
            watched.foreign.append(url)

    page.on("request", lambda request: on_request(request.url))
    page.on("console", lambda message: watched.messages.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: watched.messages.append(f"error: {error}"))


def violations(page: Page) -> list[str]:
    """Return what axe finds wrong on the page as it is."""
    # `evaluate` is not subject to the page's own policy; adding a script would be.
    page.evaluate(AXE)
    found = page.evaluate(
        "async tags => (await axe.run(document, {runOnly: {type: 'tag', values: tags}})).violations"
        ".map(v => v.id + ': ' + v.nodes.map(n => n.target.flat().join(' ') + ' '"
        " + (n.any[0]?.message ?? n.failureSummary)).slice(0, 3).join(' | '))",
        RULES,
    )
    return list(found)


def overflows(page: Page) -> bool:
    """Tell whether the page, or the chat's log, can be scrolled sideways."""
    return bool(
        page.evaluate(
            "() => { const chat = document.querySelector('opsbot-chat')?.shadowRoot;"
            " const log = chat?.querySelector('.log');"
            " return document.documentElement.scrollWidth > innerWidth"
            " || Boolean(log && log.scrollWidth > log.clientWidth) }"
        )
    )
