"""Webhooks in: checked, kept, acknowledged. What they change happens afterwards, in a job."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from opsbot.channels.dependencies import NowDep, ServicesDep
from opsbot.channels.door import at_the_door
from opsbot.connectors.inbox import keep_event
from opsbot.connectors.payloads import parse
from opsbot.connectors.signatures import LONGEST_ID, SENDERS, check_signature
from opsbot.errors import NotFoundError
from opsbot.toolkit.audit import record_audit

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

_PING = re.compile(rb"webhook_id=\d{1,20}")
"""What WooCommerce sends, unsigned, when a webhook is set up; it wants to hear 200."""


async def _raw_body(request: Request) -> bytes:
    return await request.body()


@router.post("/{source}")
def post_webhook(
    source: Annotated[str, Path(max_length=30)],
    request: Request,
    body: Annotated[bytes, Depends(_raw_body)],
    services: ServicesDep,
    now: NowDep,
) -> dict[str, str]:
    """Keep one delivery of a shop system or a carrier; the same again is acknowledged too.

    Raises:
        NotFoundError: there is no such sender, or no secret is set for it.
        NotAllowedError: it is not signed with one of the secrets.
        InvalidInputError: it is signed, and not a JSON object.
    """
    sender = SENDERS.get(source)
    secrets = services.settings.connectors.secrets_of(source)
    if sender is None or not secrets:
        raise NotFoundError("a webhook for", source)
    if source == "woocommerce" and _PING.fullmatch(body):
        return {"status": "ready"}
    headers = {name.lower(): value for name, value in request.headers.items()}
    with at_the_door(request, actor=f"webhook:{source}", kind=source):
        check_signature(sender, headers, body, secrets, now=now)
    data = parse(body)
    delivery = sender.delivery(headers, data, body)[:LONGEST_ID]
    topic = sender.topic(headers, data)[:LONGEST_ID]
    with services.database.write(durable=True) as session:
        new = keep_event(
            session,
            source,
            delivery,
            topic,
            body,
            now=now,
            happened_at=sender.happened(headers),
        )
        if new:
            record_audit(
                session,
                actor=f"webhook:{source}",
                action="received",
                subject=topic,
                at=now,
                delivery=delivery,
            )
    return {"status": "kept" if new else "known"}
