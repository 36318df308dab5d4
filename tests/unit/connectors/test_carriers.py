"""Every word of every sender about a parcel is folded as the common vocabulary says."""

from datetime import timedelta
from typing import Any

import pytest

from opsbot.commerce.shipments import NeededAction as N
from opsbot.commerce.shipments import ShipmentState as S
from opsbot.connectors.carriers import (
    Tracking,
    read_aftership,
    read_easypost,
    read_own,
    read_shippo,
    read_shopify_event,
)
from tests.factories import NOON

EASYPOST = [
    ("unknown", "", None),
    ("pre_transit", "", S.PRE_TRANSIT),
    ("in_transit", "", S.IN_TRANSIT),
    ("in_transit", "arrived_at_facility", S.IN_TRANSIT),
    ("out_for_delivery", "", S.OUT_FOR_DELIVERY),
    ("available_for_pickup", "", S.READY_FOR_PICKUP),
    ("in_transit", "arrived_at_pickup_location", S.READY_FOR_PICKUP),
    ("delivered", "", S.DELIVERED),
    ("failure", "delivery_attempted", S.ATTEMPT_FAILED),
    ("in_transit", "delayed", S.DELAYED),
    ("in_transit", "held", S.DELAYED),
    ("in_transit", "weather_delay", S.DELAYED),
    ("return_to_sender", "", S.RETURNING),
    ("failure", "", S.EXCEPTION),
    ("error", "", S.EXCEPTION),
    ("cancelled", "", S.CANCELLED),
]
SHIPPO = [
    ("UNKNOWN", "", None),
    ("PRE_TRANSIT", "information_received", S.PRE_TRANSIT),
    ("TRANSIT", "package_accepted", S.IN_TRANSIT),
    ("TRANSIT", "out_for_delivery", S.OUT_FOR_DELIVERY),
    ("TRANSIT", "pickup_available", S.READY_FOR_PICKUP),
    ("DELIVERED", "delivered", S.DELIVERED),
    ("FAILURE", "delivery_attempted", S.ATTEMPT_FAILED),
    ("TRANSIT", "notice_left", S.ATTEMPT_FAILED),
    ("TRANSIT", "delayed", S.DELAYED),
    ("TRANSIT", "package_held", S.DELAYED),
    ("RETURNED", "return_to_sender", S.RETURNING),
    ("FAILURE", "package_lost", S.EXCEPTION),
]
AFTERSHIP = [
    ("Pending", "Pending_001", None),
    ("InfoReceived", "InfoReceived_001", S.PRE_TRANSIT),
    ("InTransit", "InTransit_002", S.IN_TRANSIT),
    ("OutForDelivery", "OutForDelivery_001", S.OUT_FOR_DELIVERY),
    ("AvailableForPickup", "AvailableForPickup_001", S.READY_FOR_PICKUP),
    ("Delivered", "Delivered_001", S.DELIVERED),
    ("AttemptFail", "AttemptFail_001", S.ATTEMPT_FAILED),
    ("Exception", "Exception_004", S.DELAYED),
    ("Exception", "Exception_005", S.DELAYED),
    ("Exception", "Exception_006", S.DELAYED),
    ("Exception", "Exception_010", S.RETURNING),
    ("Exception", "Exception_011", S.RETURNING),
    ("Exception", "Exception_001", S.EXCEPTION),
    ("Expired", "Expired_001", S.EXCEPTION),
]
SHOPIFY = [
    ("CONFIRMED", None),
    ("LABEL_PURCHASED", S.PRE_TRANSIT),
    ("LABEL_PRINTED", S.PRE_TRANSIT),
    ("CARRIER_PICKED_UP", S.IN_TRANSIT),
    ("IN_TRANSIT", S.IN_TRANSIT),
    ("OUT_FOR_DELIVERY", S.OUT_FOR_DELIVERY),
    ("READY_FOR_PICKUP", S.READY_FOR_PICKUP),
    ("DELIVERED", S.DELIVERED),
    ("PICKED_UP", S.DELIVERED),
    ("ATTEMPTED_DELIVERY", S.ATTEMPT_FAILED),
    ("DELAYED", S.DELAYED),
    ("FAILURE", S.EXCEPTION),
]
OWN = [
    ("unknown", None),
    ("packed", None),
    ("pending", S.PRE_TRANSIT),
    ("pre_transit", S.PRE_TRANSIT),
    ("picked_up", S.IN_TRANSIT),
    ("in_transit", S.IN_TRANSIT),
    ("out_for_delivery", S.OUT_FOR_DELIVERY),
    ("ready_for_pickup", S.READY_FOR_PICKUP),
    ("delivered", S.DELIVERED),
    ("delivery_failed", S.ATTEMPT_FAILED),
    ("delivery_delayed", S.DELAYED),
    ("on_hold", S.DELAYED),
    ("return_to_sender", S.RETURNING),
    ("exception", S.EXCEPTION),
    ("cancelled", S.CANCELLED),
]
BEFORE, AT = (NOON - timedelta(hours=2)).isoformat(), NOON.isoformat()


def easypost(*scans: tuple[str, str, str], top: str = "in_transit") -> Tracking:
    details = [{"status": s, "status_detail": d, "datetime": at} for s, d, at in scans]
    result = {"tracking_code": "T1", "status": top, "tracking_details": details, "updated_at": AT}
    return read_easypost({"result": result})


def shippo(*scans: tuple[str, str, str], now: tuple[str, str, str] | None = None) -> Tracking:
    def told(one: tuple[str, str, str]) -> dict[str, Any]:
        return {"status": one[0], "substatus": {"code": one[1]}, "status_date": one[2]}

    data: dict[str, Any] = {"tracking_number": "T1", "tracking_history": [told(s) for s in scans]}
    return read_shippo({"data": data | ({"tracking_status": told(now)} if now else {})})


def aftership(*scans: tuple[str, str, str], tag: str = "InTransit", **more: object) -> Tracking:
    points = [{"tag": t, "subtag": d, "checkpoint_time": at} for t, d, at in scans]
    told = {"tracking_number": "T1", "tag": tag, "checkpoints": points, "updated_at": AT}
    return read_aftership({"msg": told | more})


def states(tracking: Tracking) -> list[S]:
    return [scan.status for scan in tracking.scans]


@pytest.mark.parametrize(("status", "detail", "state"), EASYPOST)
def test_words_of_easypost(status: str, detail: str, state: S | None) -> None:
    assert states(easypost((status, detail, AT))) == [state] * (state is not None)


@pytest.mark.parametrize(("status", "detail", "state"), SHIPPO)
def test_words_of_shippo(status: str, detail: str, state: S | None) -> None:
    assert states(shippo((status, detail, AT))) == [state] * (state is not None)


@pytest.mark.parametrize(("tag", "subtag", "state"), AFTERSHIP)
def test_words_of_aftership(tag: str, subtag: str, state: S | None) -> None:
    assert states(aftership((tag, subtag, AT))) == [state] * (state is not None)


@pytest.mark.parametrize("written", [str.lower, str.upper], ids=["webhook", "GraphQL"])
@pytest.mark.parametrize(("status", "state"), SHOPIFY)
def test_words_of_shopify(status: str, state: S | None, written: Any) -> None:
    scan = read_shopify_event({"status": written(status), "happened_at": AT})

    assert (scan.status if scan else None) is state


@pytest.mark.parametrize(("status", "state"), OWN)
def test_words_of_our_own_and_of_karrio(status: str, state: S | None) -> None:
    told = {"tracking_number": "T1", "events": [{"status": status, "at": AT}]}

    assert states(read_own(told)) == [state] * (state is not None)


def needs(tracking: Tracking) -> list[N | None]:
    return [scan.needs for scan in tracking.scans]


def asking(code: str, *, required: object) -> Tracking:
    """Return what Shippo tells of a parcel, with its own flag."""
    status = {
        "status": "TRANSIT",
        "substatus": {"code": code, "action_required": required},
        "status_date": AT,
    }
    return read_shippo({"data": {"tracking_number": "T1", "tracking_status": status}})


@pytest.mark.parametrize(
    ("tracking", "expected"),
    [
        (asking("address_issue", required=True), N.ADDRESS),
        (asking("notice_left", required=True), N.CONTACT),
        (asking("address_issue", required=False), None),
        (asking("address_issue", required="true"), None),
        (easypost(("in_transit", "awaiting_information", AT)), N.DOCUMENTS),
        (easypost(("failure", "address_correction", AT)), N.ADDRESS),
        (easypost(("in_transit", "departed_facility", AT)), None),
        (aftership(("Exception", "Exception_006", AT)), N.FEES),
        (aftership(("Exception", "Exception_018", AT)), N.DOCUMENTS),
        (aftership(("Exception", "Exception_013", AT)), None),
        (
            read_own(
                {
                    "tracking_number": "T1",
                    "events": [{"status": "delayed", "needs": "fees", "at": AT}],
                }
            ),
            N.FEES,
        ),
        (
            read_own(
                {
                    "tracking_number": "T1",
                    "events": [{"status": "delayed", "needs": "prayer", "at": AT}],
                }
            ),
            None,
        ),
    ],
)
def test_what_a_carrier_waits_for_is_read(tracking: Tracking, expected: N | None) -> None:
    assert needs(tracking) == [expected]


def test_a_summary_that_tells_more_than_its_scans_says_what_is_needed() -> None:
    told = aftership(("InTransit", "", BEFORE), tag="Exception", subtag="Exception_007")

    assert needs(told) == [None, N.ADDRESS]


@pytest.mark.parametrize(
    ("tracking", "expected"),
    [
        (easypost(("in_transit", "", BEFORE), top="failure"), S.EXCEPTION),
        (
            easypost(
                ("return_to_sender", "", BEFORE), ("in_transit", "", AT), top="return_to_sender"
            ),
            S.RETURNING,
        ),
        (
            shippo(("TRANSIT", "package_departed", AT), now=("RETURNED", "", BEFORE)),
            S.RETURNING,
        ),
        (aftership(("InTransit", "", AT), tag="Delivered"), S.DELIVERED),
        (aftership(("InTransit", "", AT), return_to_sender=True), S.RETURNING),
        (aftership(("Delivered", "", BEFORE), ("InTransit", "", AT), tag="Delivered"), None),
        (easypost(("in_transit", "", AT), top="out_for_delivery"), None),
    ],
    ids=["failed", "on its way back", "shippo", "aftership", "flag", "latched", "not final"],
)
def test_a_final_summary_wins_over_the_fold_and_another_does_not(
    tracking: Tracking, expected: S | None
) -> None:
    """What is added stands at the end; None: the scans say it themselves, nothing is added."""
    times = [scan.at for scan in tracking.scans]

    assert times == sorted(times)
    if expected is None:
        assert len(tracking.scans) == len({(scan.status, scan.at) for scan in tracking.scans})
        assert states(tracking)[-1] is S.IN_TRANSIT
    else:
        assert states(tracking)[-1] is expected
