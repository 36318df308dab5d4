"""Is the process up, and can it do its work?"""

from fastapi import APIRouter, Response
from sqlalchemy import text

from opsbot import __version__
from opsbot.channels.dependencies import ServicesDep
from opsbot.errors import OpsbotError

router = APIRouter(tags=["health"])


@router.get("/healthz")
def get_health(services: ServicesDep, response: Response) -> dict[str, str | int]:
    """Tell whether the database answers, and which version of the index is in use."""
    try:
        with services.database.read() as session:
            session.execute(text("SELECT 1"))
        index = services.knowledge.version()
    except OpsbotError as error:
        response.status_code = 503
        return {"status": "failing", "reason": str(error), "version": __version__}
    return {"status": "ok", "index": index, "version": __version__}
