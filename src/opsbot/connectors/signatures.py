"""Who sends webhooks, how each signs them, and what tells two deliveries apart.

Every signature is over the bytes as they came; all are compared in constant time.
"""

import hashlib
import hmac
import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from opsbot.connectors.payloads import Json, moment_of, text_of
from opsbot.errors import InvalidInputError, NotAllowedError

TOLERANCE = timedelta(minutes=5)
"""How far a signed time may be from ours."""
LONGEST_ID = 200

Headers = Mapping[str, str]
"""Names in lower case."""


@dataclass(frozen=True)
class Sender:
    """One system that sends webhooks."""

    name: str
    sign: Callable[[str, bytes, Headers], str]
    """The signature of a body with a secret, as it should stand in the header."""
    header: str
    topic: Callable[[Headers, Json], str]
    delivery: Callable[[Headers, Json, bytes], str]
    """What is the same when the same delivery is sent again, and else differs."""
    time: Callable[[Headers], datetime | None] = lambda _headers: None
    """When it was signed, where that is part of what is signed."""
    happened: Callable[[Headers], datetime | None] = lambda _headers: None
    """When it happened, where the sender says so beside the body. Nothing signs it: it orders what
    is signed, and says nothing else."""


def check_signature(
    sender: Sender, headers: Headers, body: bytes, secrets: Sequence[str], *, now: datetime
) -> None:
    """Let a body pass that one of the secrets signed, at about this time.

    Raises:
        NotAllowedError: none of them did, or it was too long ago.
    """
    given = headers.get(sender.header, "").strip().encode()
    found = False
    for secret in secrets:  # each of them, so that the time taken does not tell which one fits
        found |= hmac.compare_digest(sender.sign(secret, body, headers).encode(), given)
    signed_at = sender.time(headers)
    if signed_at is not None and abs(now - signed_at) > TOLERANCE:
        found = False
    if not found:
        raise NotAllowedError("The signature does not fit.")


def _mac(secret: str, body: bytes) -> "hmac.HMAC":
    return hmac.new(secret.encode(), body, hashlib.sha256)


def _base64(secret: str, body: bytes, _headers: Headers) -> str:
    return b64encode(_mac(secret, body).digest()).decode()


def _easypost(secret: str, body: bytes, _headers: Headers) -> str:
    return f"hmac-sha256-hex={_mac(unicodedata.normalize('NFKD', secret), body).hexdigest()}"


_SHIPPO, _OWN = "shippo-auth-signature", "x-opsbot-signature"


def _timed(header: str) -> Callable[[str, bytes, Headers], str]:
    """Return how a sender signs that puts the time before the body: `t=…,v1=…`."""

    def sign(secret: str, body: bytes, headers: Headers) -> str:
        time = _time_text(headers, header)
        return f"t={time},v1={_mac(secret, f'{time}.'.encode() + body).hexdigest()}"

    return sign


def _time_text(headers: Headers, header: str) -> str:
    found = re.match(r"t=(\d{1,12}),", headers.get(header, ""), re.ASCII)
    return found[1] if found else "0"


def _time_in(header: str) -> Callable[[Headers], datetime]:
    return lambda headers: datetime.fromtimestamp(int(_time_text(headers, header)), UTC)


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _triggered(headers: Headers) -> datetime | None:
    try:
        return moment_of(headers, "x-shopify-triggered-at")
    except InvalidInputError:
        return None


def _woo_delivery(headers: Headers, _data: Json, body: bytes) -> str:
    # Its delivery id is made from the second, so that two changes within one share it.
    return f"{headers.get('x-wc-webhook-delivery-id', '')}:{_hash(body)[:16]}"


SENDERS: Mapping[str, Sender] = {
    sender.name: sender
    for sender in (
        Sender(
            name="shopify",
            sign=_base64,
            header="x-shopify-hmac-sha256",
            topic=lambda headers, _data: headers.get("x-shopify-topic", ""),
            delivery=lambda headers, _data, body: (
                headers.get("x-shopify-webhook-id") or _hash(body)
            ),
            happened=_triggered,
        ),
        Sender(
            name="woocommerce",
            sign=_base64,
            header="x-wc-webhook-signature",
            topic=lambda headers, _data: headers.get("x-wc-webhook-topic", ""),
            delivery=_woo_delivery,
        ),
        Sender(
            name="easypost",
            sign=_easypost,
            header="x-hmac-signature",
            topic=lambda _headers, data: text_of(data, "description"),
            delivery=lambda _headers, data, body: text_of(data, "id") or _hash(body),
        ),
        Sender(
            name="aftership",
            sign=_base64,
            header="aftership-hmac-sha256",
            topic=lambda _headers, data: text_of(data, "event"),
            delivery=lambda _headers, data, body: text_of(data, "event_id") or _hash(body),
        ),
        Sender(
            name="shippo",
            sign=_timed(_SHIPPO),
            header=_SHIPPO,
            topic=lambda _headers, data: text_of(data, "event"),
            delivery=lambda _headers, _data, body: _hash(body),
            time=_time_in(_SHIPPO),
        ),
        Sender(
            name="own",
            sign=_timed(_OWN),
            header=_OWN,
            topic=lambda headers, _data: headers.get("x-opsbot-topic", ""),
            delivery=lambda headers, _data, body: headers.get("x-opsbot-delivery") or _hash(body),
            time=_time_in(_OWN),
        ),
    )
}
"""Every sender, by the last part of its address here."""
