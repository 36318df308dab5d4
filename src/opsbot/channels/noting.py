"""Rows of the audit for what happens in the channels themselves: pages, sign-ins, deliveries."""

from collections.abc import Mapping
from datetime import datetime

from opsbot.channels.services import Services
from opsbot.toolkit.audit import record_audit


def note(
    services: Services,
    actor: str,
    action: str,
    subject: str,
    now: datetime,
    *,
    personal: Mapping[str, object] | None = None,
    **detail: object,
) -> None:
    """Append a row in a transaction of its own.

    Args:
        services: the running parts.
        actor: see `Caller.actor`; or `webhook:SENDER`, `visitor`.
        action: see `AuditEvent.action`.
        subject: what it was about.
        now: the time.
        personal: what can be erased; see `record_audit`.
        detail: no secrets, and nothing personal.
    """
    with services.database.write() as session:
        record_audit(
            session,
            actor=actor,
            action=action,
            subject=subject,
            at=now,
            personal=personal,
            **detail,
        )
