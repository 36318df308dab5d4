"""The articles, for those who look after them: list, upload and delete, for programs and people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from opsbot.channels.console import render_console
from opsbot.channels.dependencies import NowDep, ServicesDep, StaffDep, StaffVisit
from opsbot.channels.noting import note
from opsbot.channels.pages import FormDep, Pages, PagesDep
from opsbot.channels.services import Services
from opsbot.channels.sign_in import ConsoleRoute, check_form
from opsbot.errors import ConflictError, InvalidInputError, NotAllowedError
from opsbot.retrieval.library import UPLOADABLE, Entry, Uploaded
from opsbot.staff import WRITERS
from opsbot.toolkit.audit import record_audit

MOST_LISTED = 1000
"""Articles on one page of the console."""

_FIELDS = (
    "title",
    "audience",
    "language",
    "product",
    "model",
    "revision",
    "safety",
    "updated",
)
_YES = {"true", "on", "yes", "1"}
_DONE = {
    "uploaded": "The article is there. Answers rest on it from now on.",
    "replaced": "The article is replaced. Answers rest on the new version from now on.",
    "deleted": "The article is deleted. No answer rests on it any more.",
}

api = APIRouter(prefix="/v1/knowledge", tags=["knowledge"])
router = APIRouter(route_class=ConsoleRoute, include_in_schema=False)


class ArticleOut(BaseModel):
    """An article, as those see it who look after the articles."""

    slug: str
    url: str
    path: str
    title: str
    status: str
    reason: str
    """Why it cannot be read, or what of it was left out; empty when all is well."""
    language: str
    audience: str
    version: int
    products: list[str]
    safety: bool
    format: str
    passages: int
    uploaded: bool
    updated_on: date | None
    ingested_at: datetime

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Describe an entry."""
        return cls.model_validate({**vars(entry), "uploaded": entry.uploaded})


class ArticleList(BaseModel):
    """Some of the articles."""

    articles: list[ArticleOut]
    next: str | None
    """Where the rest begins: give it as `after`."""


class UploadOut(BaseModel):
    """What was read from a file: one article, or some from a table for several readers."""

    articles: list[ArticleOut]
    replaced: bool


@dataclass(frozen=True)
class UploadForm:
    """A file, and what was said about it."""

    name: str
    content: bytes
    stated: Mapping[str, object]
    """Fields of the front matter."""
    csrf: str


def _writer(staff: StaffDep, services: ServicesDep, now: NowDep) -> StaffVisit:
    """Tell who changes the articles.

    Raises:
        NotAllowedError: it is not among this person's tasks.
    """
    if not staff.staff.has_role(*WRITERS):
        roles = ", ".join(WRITERS)
        note(services, staff.caller.actor, "refused", "articles", now, code="forbidden")
        raise NotAllowedError(f"Only staff with one of these roles change articles: {roles}.")
    return staff


WriterDep = Annotated[StaffVisit, Depends(_writer)]


async def _read_upload(request: Request, _writer: WriterDep) -> UploadForm:
    """Return the uploaded file; nothing is read for whom it is not allowed to.

    Raises:
        InvalidInputError: the form cannot be read, or holds no file.
    """
    try:
        async with request.form(max_files=1, max_fields=20, max_part_size=20_000) as form:
            file = form.get("file")
            content = await file.read() if isinstance(file, UploadFile) else b""
    except (HTTPException, UnicodeError, IndexError, KeyError) as error:
        raise InvalidInputError("The form cannot be read; send it as multipart/form-data.") from (
            error
        )
    if not isinstance(file, UploadFile) or not file.filename:
        raise InvalidInputError("file: choose a file.")
    fields = {name: form.getlist(name) for name in (*_FIELDS, "csrf")}
    texts = {
        name: [value.strip() for value in values if isinstance(value, str)]
        for name, values in fields.items()
    }
    csrf = "".join(texts.pop("csrf")[:1])
    return UploadForm(file.filename, content, _state(texts), csrf)


UploadDep = Annotated[UploadForm, Depends(_read_upload)]


@api.get("/articles")
def list_articles(
    services: ServicesDep,
    _staff: StaffDep,
    after: Annotated[str, Query(max_length=1000)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ArticleList:
    """List the articles by path, also those that cannot be read, with the reason."""
    entries = services.library.list_entries(after=after, limit=limit + 1)
    shown = [ArticleOut.of(entry) for entry in entries[:limit]]
    return ArticleList(articles=shown, next=shown[-1].path if len(entries) > limit else None)


@api.post(
    "/articles",
    status_code=201,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file"],
                        "properties": {
                            "file": {"type": "string", "format": "binary"},
                            **{name: {"type": "string"} for name in _FIELDS},
                        },
                    }
                }
            },
        }
    },
)
def post_article(
    response: Response, services: ServicesDep, staff: WriterDep, form: UploadDep, now: NowDep
) -> UploadOut:
    """Upload an article; a file of the same name is replaced.

    `audience` is `public` or `staff`. The fields may be left out for Markdown with front matter.
    """
    done = _upload(services, staff, form, now)
    if done.replaced:
        response.status_code = 200
    return UploadOut(
        articles=[ArticleOut.of(entry) for entry in done.entries], replaced=done.replaced
    )


@api.delete("/articles/{slug}", status_code=204)
def delete_article(slug: str, services: ServicesDep, staff: WriterDep, now: NowDep) -> None:
    """Delete an uploaded article: it is hidden at once, and its file is gone."""
    _remove(services, staff, slug, now)


@router.get("/console/articles")
def get_articles(
    request: Request, staff: StaffDep, services: ServicesDep, pages: PagesDep, done: str = ""
) -> Response:
    """Show all articles, and the form for another one."""
    return _render(request, pages, services, staff, done=_DONE.get(done, ""))


@router.post("/console/articles")
def post_articles(
    request: Request,
    staff: WriterDep,
    services: ServicesDep,
    pages: PagesDep,
    form: UploadDep,
    now: NowDep,
) -> Response:
    """Upload an article from the page's form."""
    check_form(request, {"csrf": form.csrf}, staff.session)
    try:
        uploaded = _upload(services, staff, form, now)
    except (InvalidInputError, ConflictError) as error:
        status = 409 if isinstance(error, ConflictError) else 422
        return _render(
            request, pages, services, staff, status=status, error=str(error), stated=form.stated
        )
    done = "replaced" if uploaded.replaced else "uploaded"
    return RedirectResponse(f"/console/articles?done={done}", status_code=303)


@router.get("/console/articles/{slug}/delete")
def get_delete_article(
    request: Request, slug: str, staff: WriterDep, services: ServicesDep, pages: PagesDep
) -> Response:
    """Ask whether an article is to be deleted."""
    entry = services.library.find_upload(slug)
    return render_console(
        request, pages, services, staff, "console/article_delete.html", entry=entry, page="articles"
    )


@router.post("/console/articles/{slug}/delete")
def post_delete_article(
    request: Request, slug: str, form: FormDep, staff: WriterDep, services: ServicesDep, now: NowDep
) -> Response:
    """Delete an uploaded article."""
    check_form(request, form, staff.session)
    _remove(services, staff, slug, now)
    return RedirectResponse("/console/articles?done=deleted", status_code=303)


def _upload(services: Services, staff: StaffVisit, form: UploadForm, now: datetime) -> Uploaded:
    done = services.library.upload(form.name, form.content, form.stated, now=now)
    action = "article_replaced" if done.replaced else "article_uploaded"
    for entry in done.entries:
        detail = {"version": entry.version, "audience": entry.audience}
        _note(services, staff, action, entry.path, now, **detail)
    return done


def _remove(services: Services, staff: StaffVisit, slug: str, now: datetime) -> None:
    for path in services.library.remove(slug, now=now):
        _note(services, staff, "article_deleted", path, now)


def _note(
    services: Services, staff: StaffVisit, action: str, path: str, now: datetime, **detail: Any
) -> None:
    with services.database.write(durable=True) as session:
        record_audit(
            session, actor=staff.caller.actor, action=action, subject=path, at=now, **detail
        )


def _state(texts: Mapping[str, list[str]]) -> dict[str, object]:
    """Return the fields of a form as front matter has them."""
    stated: dict[str, object] = {
        name: values[0] for name, values in texts.items() if values and name != "product"
    }
    stated["safety"] = str(stated.get("safety", "")).lower() in _YES
    products = [name.strip() for text in texts["product"] for name in text.split(",")]
    return {**stated, "product": [name for name in products if name]}


def _render(
    request: Request,
    pages: Pages,
    services: Services,
    staff: StaffVisit,
    *,
    status: int = 200,
    done: str = "",
    error: str = "",
    stated: Mapping[str, Any] | None = None,
) -> Response:
    entries = services.library.list_entries(limit=MOST_LISTED)
    return render_console(
        request,
        pages,
        services,
        staff,
        "console/articles.html",
        status=status,
        entries=entries,
        unreadable=[entry for entry in entries if entry.status == "unreadable"],
        most=MOST_LISTED,
        may_write=staff.staff.has_role(*WRITERS),
        suffixes=",".join(UPLOADABLE),
        stated=stated or {},
        done=done,
        error=error,
        page="articles",
    )
