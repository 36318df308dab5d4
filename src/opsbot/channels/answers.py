"""Check an answer again, later."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request

from opsbot.channels.dependencies import NowDep, ReaderDep, ServicesDep
from opsbot.channels.door import at_the_door
from opsbot.channels.noting import note

router = APIRouter(prefix="/v1/answers", tags=["chat"])


@router.get("/{message_id}/verify")
def get_verification(
    request: Request, message_id: str, reader: ReaderDep, services: ServicesDep, now: NowDep
) -> dict[str, Any]:
    """Hold each sentence of an answer against the version of the article that it quotes.

    For whoever may read the conversation, and for staff. `state` tells whether the article has
    been changed or deleted since.
    """
    with at_the_door(request, actor=reader.actor):
        checked = asdict(services.conversations.verify(reader, message_id))
    if reader.is_staff:
        note(services, reader.actor, "read", f"answer {message_id[:40]}", now)
    return checked
