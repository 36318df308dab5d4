"""Errors of the core, as HTTP answers: RFC 9457 problem documents."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from opsbot.errors import (
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    NotVerifiedError,
    OpsbotError,
    RateLimitedError,
    UnavailableError,
)

STATUS: dict[type[OpsbotError], tuple[int, str]] = {
    NotVerifiedError: (403, "Not verified"),
    NotAllowedError: (403, "Not allowed"),
    NotFoundError: (404, "Not found"),
    ConflictError: (409, "Not possible now"),
    InvalidInputError: (422, "Invalid input"),
    RateLimitedError: (429, "Too many tries"),
    UnavailableError: (503, "Unavailable"),
}

_HTTP_CODES = {401: "forbidden", 403: "forbidden", 404: "not_found", 503: "unavailable"}
"""The framework's own errors by status; the rest is a request that does not fit."""


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    code: str,
    headers: dict[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> JSONResponse:
    """Return a problem document; `code` is one of `opsbot.errors.CODES`, `more` its details."""
    body: dict[str, Any] = {
        **(more or {}),
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    return JSONResponse(body, status, headers=headers, media_type="application/problem+json")


def describe(error: OpsbotError) -> JSONResponse:
    """Return a deliberate error with its status and its own words."""
    found = next((STATUS[c] for c in type(error).__mro__ if c in STATUS), (500, "Error"))
    headers = None
    if isinstance(error, RateLimitedError):
        headers = {"retry-after": str(error.retry_after)}
    return problem(*found, str(error), code=error.code, headers=headers, more=error.details())


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""
    app.add_exception_handler(OpsbotError, _deliberate)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)


def _deliberate(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, OpsbotError):
        raise error
    return describe(error)


def _validation(_request: Request, error: Exception) -> JSONResponse:
    """Name the field in words; never echo what was sent."""
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"] if part != "body") or "the body"
    detail = f"{field}: {first['msg']}."
    return problem(422, "Invalid input", detail, code="validation", more={"field": field[:40]})


def _http(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    code = _HTTP_CODES.get(error.status_code, "validation")
    return problem(error.status_code, "Error", str(error.detail), code=code)


def _bug(_request: Request, _error: Exception) -> JSONResponse:
    return problem(500, "Error", "Something went wrong on our side.", code="unavailable")
