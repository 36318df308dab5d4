"""What every page of ours shares: templates, headers, forms, and errors a person can read."""

import re
from collections.abc import Callable, Coroutine, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException

from opsbot.channels.assets import Assets
from opsbot.channels.problems import describe
from opsbot.channels.throttle import Throttle
from opsbot.errors import InvalidInputError, NotFoundError, OpsbotError
from opsbot.formats import format_day, format_moment
from opsbot.settings import Settings

SAMPLE_COOKIE = "opsbot_sample_customer"
SAMPLE_CUSTOMERS = {"C-1001": "Ada Brandt", "C-1002": "Ben Okafor", "C-1003": "Clara Dubois"}
"""People of the sample shop whom its page can sign in."""
VISITOR = "visitor"

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}

_CHARSET = re.compile(r"""charset[\s*0-9]*=[\s"']*([^\s"';]*)""", re.IGNORECASE)
_CHARSETS = frozenset({"utf-8", "utf8"})
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


class Pages:
    """Renders the templates of `web/templates`."""

    def __init__(self, settings: Settings) -> None:
        """Read the assets; templates are read when they are first needed.

        Raises:
            InvalidInputError: `settings.web_dir` holds no built front end.
        """
        self._settings = settings
        self.assets = Assets(settings.web_dir / "static")
        self._environment = Environment(
            loader=FileSystemLoader(settings.web_dir / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {"day": self._day, "moment": self._moment}
        self._environment.globals |= {
            "asset": self.assets.url,
            "shop": settings.shop_name,
            "language": settings.locale,
            "demo": settings.demo,
        }

    def render(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """Return a page. `headers` replace those that every page gets."""
        text = self._environment.get_template(template).render(
            **{"path": request.url.path, "token_url": self._token_url(request), **values}
        )
        return HTMLResponse(text, status, headers={**_HEADERS, **(headers or {})})

    def sample_customer(self, request: Request) -> str:
        """Return the number of the sample customer who is signed in, or `visitor`."""
        chosen = request.cookies.get(SAMPLE_COOKIE, next(iter(SAMPLE_CUSTOMERS)))
        return chosen if chosen in SAMPLE_CUSTOMERS else VISITOR

    def _token_url(self, request: Request) -> str:
        """Return where the page's script fetches the customer's token; empty for a visitor."""
        if not self._settings.demo or self.sample_customer(request) == VISITOR:
            return ""
        return "/demo/token"

    def _day(self, moment: date | datetime) -> str:
        return format_day(moment, zone=self._settings.time_zone, locale=self._settings.locale)

    def _moment(self, moment: datetime) -> str:
        return format_moment(moment, zone=self._settings.time_zone, locale=self._settings.locale)


class PageRoute(APIRoute):
    """A route whose errors are pages: a person reads them, not a program."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except (OpsbotError, RequestValidationError) as error:
                return self.describe(request, error)

        return answer

    def describe(self, request: Request, error: OpsbotError | RequestValidationError) -> Response:
        """Return the page for an error."""
        return render_error(request, error)


def render_error(request: Request, error: OpsbotError | RequestValidationError) -> Response:
    """Return an error as a page, with the status its kind has in the API."""
    if isinstance(error, NotFoundError):
        title, text, status = "This page does not exist", "Check the address, or go on below.", 404
    elif isinstance(error, OpsbotError):
        title, text, status = "This did not work", str(error), describe(error).status_code
    else:
        title, text, status = "This did not work", "The form was not filled in as expected.", 422
    return pages_of(request).render(
        request, "site/error.html", status=status, title=title, text=text
    )


def install(app: FastAPI, settings: Settings) -> None:
    """Give `app` what the pages need: templates, assets, and the count of tries to sign in.

    Raises:
        InvalidInputError: `settings.web_dir` holds no built front end.
    """
    app.state.pages = Pages(settings)
    app.state.sign_ins = Throttle(window=timedelta(minutes=15))


def pages_of(request: Request) -> Pages:
    """Return the application's pages."""
    pages: Pages = request.app.state.pages
    return pages


async def _read_form(request: Request) -> dict[str, str]:
    """Return the fields of a posted form; of a repeated one, the last. Files are left out.

    Raises:
        InvalidInputError: it is no form, or holds what is no text.
    """
    charsets = _CHARSET.findall(request.headers.get("content-type", ""))
    if not _CHARSETS.issuperset(charset.lower() for charset in charsets):
        raise InvalidInputError("A form must be sent as UTF-8.")
    try:
        form = await request.form(max_files=0, max_fields=100)
    except (HTTPException, UnicodeError, IndexError) as error:
        raise InvalidInputError("The form cannot be read. Go back and send it again.") from error
    fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    for text in (*fields, *fields.values()):
        if _NO_TEXT.search(text):
            raise InvalidInputError("The form holds characters that are not text.")
    return fields


PagesDep = Annotated[Pages, Depends(pages_of)]
FormDep = Annotated[dict[str, str], Depends(_read_form)]
