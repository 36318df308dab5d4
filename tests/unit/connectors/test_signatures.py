"""A delivery passes with a right signature only, whatever is changed about it."""

import hashlib
import hmac
import unicodedata
from base64 import b64encode
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsbot.connectors.signatures import SENDERS, check_signature
from opsbot.errors import NotAllowedError
from tests.factories import NOON

SECRET = "käthes secret"  # noqa: S105  (of the tests)
BODY = '{"id": 7, "name": "Käthe"}'.encode()


def sign(source: str, body: bytes = BODY, secret: str = SECRET, *, late: int = 0) -> dict[str, str]:
    """Return the headers as each sender's documents describe them."""
    mac = hmac.new(secret.encode(), body, hashlib.sha256)
    if source == "easypost":
        folded = unicodedata.normalize("NFKD", secret).encode()
        digest = hmac.new(folded, body, hashlib.sha256).hexdigest()
        return {"x-hmac-signature": f"hmac-sha256-hex={digest}"}
    if source in {"shippo", "own"}:
        time = str(int(NOON.timestamp()) - late)
        digest = hmac.new(secret.encode(), time.encode() + b"." + body, hashlib.sha256).hexdigest()
        return {SENDERS[source].header: f"t={time},v1={digest}"}
    return {SENDERS[source].header: b64encode(mac.digest()).decode()}


@pytest.mark.parametrize("source", SENDERS)
def test_a_signed_delivery_passes_with_either_secret(source: str) -> None:
    for secrets in ([SECRET], ["new one", SECRET], [SECRET, "new one"]):
        check_signature(SENDERS[source], sign(source), BODY, secrets, now=NOON)


@pytest.mark.parametrize("source", SENDERS)
def test_every_flipped_byte_is_noticed(source: str) -> None:
    headers = sign(source)

    for place in range(len(BODY)):
        changed = bytearray(BODY)
        changed[place] ^= 1
        with pytest.raises(NotAllowedError):
            check_signature(SENDERS[source], headers, bytes(changed), [SECRET], now=NOON)


@pytest.mark.parametrize("source", SENDERS)
@given(forged=st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=255)))
def test_no_invented_header_passes(source: str, forged: str) -> None:
    headers = {SENDERS[source].header: forged}

    with pytest.raises(NotAllowedError):
        check_signature(SENDERS[source], headers, BODY, [SECRET], now=NOON)


@pytest.mark.parametrize("source", SENDERS)
def test_another_secret_or_none_does_not_pass(source: str) -> None:
    for secrets in (["another"], []):
        with pytest.raises(NotAllowedError):
            check_signature(SENDERS[source], sign(source), BODY, secrets, now=NOON)
    with pytest.raises(NotAllowedError):
        check_signature(SENDERS[source], {}, BODY, [SECRET], now=NOON)


TIMED = ("shippo", "own")


@pytest.mark.parametrize("source", TIMED)
@pytest.mark.parametrize("late", [-301, 301], ids=["from the future", "too old"])
def test_a_signed_time_must_be_about_now(source: str, late: int) -> None:
    check_signature(SENDERS[source], sign(source, late=299), BODY, [SECRET], now=NOON)

    with pytest.raises(NotAllowedError):
        check_signature(SENDERS[source], sign(source, late=late), BODY, [SECRET], now=NOON)


@pytest.mark.parametrize("source", TIMED)
def test_a_time_cannot_be_exchanged(source: str) -> None:
    header = SENDERS[source].header
    fresh = int(NOON.timestamp())
    forged = sign(source, late=3600)[header].replace(str(fresh - 3600), str(fresh))

    with pytest.raises(NotAllowedError):
        check_signature(SENDERS[source], {header: forged}, BODY, [SECRET], now=NOON)


def test_the_senders_own_id_tells_two_deliveries_apart() -> None:
    delivery = SENDERS["own"].delivery

    assert delivery({"x-opsbot-delivery": "7"}, {}, b"1") == "7"
    assert delivery({}, {}, b"1") != delivery({}, {}, b"2")


def test_woocommerces_ids_of_one_second_do_not_hide_a_change() -> None:
    delivery = SENDERS["woocommerce"].delivery
    headers = {"x-wc-webhook-delivery-id": "abc"}

    assert delivery(headers, {}, b"1") != delivery(headers, {}, b"2")
    assert delivery(headers, {}, b"1") == delivery(headers, {}, b"1")


def test_the_time_of_a_delivery_is_compared_in_both_directions() -> None:
    later = NOON + timedelta(minutes=6)

    with pytest.raises(NotAllowedError):
        check_signature(SENDERS["shippo"], sign("shippo"), BODY, [SECRET], now=later)
