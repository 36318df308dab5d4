"""The description of the API, for people. Its viewer is served from here."""

from fastapi import APIRouter, Request, Response

from opsbot.channels.pages import PageRoute, PagesDep

# The viewer sets `style` attributes and shows pictures that are written into its sheet.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/docs")
def get_docs(request: Request, pages: PagesDep) -> Response:
    """Show the description of the API."""
    return pages.render(
        request,
        "docs/api.html",
        headers={"content-security-policy": _POLICY},
        description=request.app.openapi_url,
    )
