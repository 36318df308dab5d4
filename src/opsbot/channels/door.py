"""What is refused before a tool hears of it: forged proofs, other sites, other people's records.

Each refusal is audited, but a flood of them must not fill the audit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock

from fastapi import Request

from opsbot.channels.networks import network_of
from opsbot.channels.noting import note
from opsbot.channels.services import Services
from opsbot.channels.throttle import Throttle
from opsbot.errors import NotAllowedError, NotFoundError, OpsbotError, RateLimitedError

MOST_NOTED = 20
"""Refusals of one kind that are audited within a quarter of an hour."""
_LOCK = Lock()


@contextmanager
def at_the_door(request: Request, *, actor: str = "visitor", kind: str = "") -> Iterator[None]:
    """Audit that somebody was refused, and let the refusal go on its way.

    Args:
        request: what is refused; the audit names its route, never what its address holds.
        actor: who asks, as far as it is known; see `Caller.actor`.
        kind: what is counted together; else the requests of one network.
    """
    try:
        yield
    except (NotAllowedError, NotFoundError) as error:
        _note(request, actor, kind, error)
        raise


def _note(request: Request, actor: str, kind: str, error: OpsbotError) -> None:
    services: Services = request.app.state.services
    now = services.clock()
    network = network_of(request.client.host) if request.client else ""
    try:
        _gate(request).take({kind or f"{actor} {network}": MOST_NOTED}, now=now)
    except RateLimitedError:
        return
    where = getattr(request.scope.get("route"), "path", "/mcp")
    subject = f"{request.method} {where}"
    personal = {"from": network} if network else None
    note(services, actor, "refused", subject, now, personal=personal, code=error.code)


def _gate(request: Request) -> Throttle:
    state = request.app.state
    with _LOCK:
        if not hasattr(state, "refusals"):
            state.refusals = Throttle(window=timedelta(minutes=15))
        gate: Throttle = state.refusals
    return gate
