"""What carriers and those who follow them report, in our words."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from opsbot.commerce.shipments import NeededAction, ShipmentState
from opsbot.connectors.payloads import (
    Json,
    list_of,
    moment_of,
    need,
    need_moment,
    part_of,
    text_of,
)
from opsbot.connectors.values import read_optional, read_text

_S, _N = ShipmentState, NeededAction
# What no table names, such as `unknown`, `Pending` or `CONFIRMED`, tells nothing of a parcel: it is
# not kept, and the parcel stays where it was.
FINAL = frozenset({_S.DELIVERED, _S.RETURNING, _S.EXCEPTION, _S.CANCELLED})
"""States in which the sender's own summary is believed above its scans."""
LONGEST_MESSAGE = 500

EASYPOST: Mapping[str, ShipmentState] = {
    "pre_transit": _S.PRE_TRANSIT,
    "in_transit": _S.IN_TRANSIT,
    "out_for_delivery": _S.OUT_FOR_DELIVERY,
    "available_for_pickup": _S.READY_FOR_PICKUP,
    "delivered": _S.DELIVERED,
    "return_to_sender": _S.RETURNING,
    "failure": _S.EXCEPTION,
    "error": _S.EXCEPTION,
    "cancelled": _S.CANCELLED,
}
SHIPPO: Mapping[str, ShipmentState] = {
    "PRE_TRANSIT": _S.PRE_TRANSIT,
    "TRANSIT": _S.IN_TRANSIT,
    "DELIVERED": _S.DELIVERED,
    "RETURNED": _S.RETURNING,
    "FAILURE": _S.EXCEPTION,
}
AFTERSHIP: Mapping[str, ShipmentState] = {
    "InfoReceived": _S.PRE_TRANSIT,
    "InTransit": _S.IN_TRANSIT,
    "OutForDelivery": _S.OUT_FOR_DELIVERY,
    "AvailableForPickup": _S.READY_FOR_PICKUP,
    "Delivered": _S.DELIVERED,
    "AttemptFail": _S.ATTEMPT_FAILED,
    "Exception": _S.EXCEPTION,
    "Expired": _S.EXCEPTION,
}
SHOPIFY: Mapping[str, ShipmentState] = {
    "label_purchased": _S.PRE_TRANSIT,
    "label_printed": _S.PRE_TRANSIT,
    "carrier_picked_up": _S.IN_TRANSIT,
    "in_transit": _S.IN_TRANSIT,
    "out_for_delivery": _S.OUT_FOR_DELIVERY,
    "ready_for_pickup": _S.READY_FOR_PICKUP,
    "delivered": _S.DELIVERED,
    "picked_up": _S.DELIVERED,
    "attempted_delivery": _S.ATTEMPT_FAILED,
    "delayed": _S.DELAYED,
    "failure": _S.EXCEPTION,
}
OWN: Mapping[str, ShipmentState] = {
    **{state.value: state for state in ShipmentState if state is not ShipmentState.PACKED},
    "pending": _S.PRE_TRANSIT,
    "picked_up": _S.IN_TRANSIT,
    "delivery_failed": _S.ATTEMPT_FAILED,
    "delivery_delayed": _S.DELAYED,
    "on_hold": _S.DELAYED,
    "return_to_sender": _S.RETURNING,
}
"""Our own words, and karrio's."""
_DETAILS: Mapping[str, ShipmentState] = {
    "out_for_delivery": _S.OUT_FOR_DELIVERY,
    "pickup_available": _S.READY_FOR_PICKUP,
    "arrived_at_pickup_location": _S.READY_FOR_PICKUP,
    "delivery_attempted": _S.ATTEMPT_FAILED,
    "notice_left": _S.ATTEMPT_FAILED,
    "location_inaccessible": _S.ATTEMPT_FAILED,
    "delayed": _S.DELAYED,
    "delivery_rescheduled": _S.DELAYED,
    "package_held": _S.DELAYED,
    "held": _S.DELAYED,
    "weather_delay": _S.DELAYED,
    "return_to_sender": _S.RETURNING,
    "return": _S.RETURNING,
}
"""What a detail says more exactly than the status of a moving, or failed, parcel."""
_AFTERSHIP_DETAILS: Mapping[str, ShipmentState] = {
    "Exception_004": _S.DELAYED,
    "Exception_005": _S.DELAYED,
    "Exception_006": _S.DELAYED,
    "Exception_010": _S.RETURNING,
    "Exception_011": _S.RETURNING,
    "Exception_018": _S.DELAYED,
}
AFTERSHIP_NEEDS: Mapping[str, NeededAction] = {
    "Exception_002": _N.ADDRESS,  # the customer moved
    "Exception_006": _N.FEES,
    "Exception_007": _N.ADDRESS,
    "Exception_008": _N.PICKUP,
    "Exception_018": _N.DOCUMENTS,
}
EASYPOST_NEEDS: Mapping[str, NeededAction] = {
    "address_correction": _N.ADDRESS,
    "awaiting_information": _N.DOCUMENTS,
}
SHIPPO_NEEDS: Mapping[str, NeededAction] = {
    "address_issue": _N.ADDRESS,
    "package_unclaimed": _N.PICKUP,
    "pickup_available": _N.PICKUP,
}
"""For what its `action_required` is; any other is a matter to get in touch about."""
OWN_NEEDS: Mapping[str, NeededAction] = {need.value: need for need in NeededAction}


@dataclass(frozen=True)
class Scan:
    """One report about a parcel."""

    status: ShipmentState
    message: str
    place: str | None
    at: datetime
    needs: NeededAction | None = None
    """What the carrier waits for."""


@dataclass(frozen=True)
class Tracking:
    """What a sender knows about one parcel."""

    tracking_number: str
    scans: tuple[Scan, ...]


def read_easypost(data: Json) -> Tracking:
    """Return what `tracker.*` tells.

    Raises:
        InvalidInputError: it names no parcel, or a scan without a time.
    """
    tracker = part_of(data, "result")
    scans = [
        _scan(
            _exact(EASYPOST, text_of(one, "status"), text_of(one, "status_detail")),
            text_of(one, "message"),
            _place(part_of(one, "tracking_location")),
            need_moment(one, "datetime"),
            EASYPOST_NEEDS.get(text_of(one, "status_detail")),
        )
        for one in list_of(tracker, "tracking_details")
    ]
    last = _exact(EASYPOST, text_of(tracker, "status"), text_of(tracker, "status_detail"))
    return _tracking(
        need(tracker, "tracking_code"),
        scans,
        last,
        moment_of(tracker, "updated_at"),
        EASYPOST_NEEDS.get(text_of(tracker, "status_detail")),
    )


def read_shippo(data: Json) -> Tracking:
    """Return what `track_updated` tells.

    Raises:
        InvalidInputError: it names no parcel, or a scan without a time.
    """
    tracker = part_of(data, "data")
    now = part_of(tracker, "tracking_status")
    history = [*list_of(tracker, "tracking_history"), *([now] if now else [])]
    scans = [
        _scan(
            _shippo(one),
            text_of(one, "status_details"),
            _place(part_of(one, "location")),
            need_moment(one, "status_date"),
            _shippo_needs(one),
        )
        for one in history
    ]
    last = _shippo(now) if now else None
    return _tracking(need(tracker, "tracking_number"), scans, last, None, _shippo_needs(now))


def read_aftership(data: Json) -> Tracking:
    """Return what `tracking_update` tells.

    Raises:
        InvalidInputError: it names no parcel, or a scan without a time.
    """
    tracker = part_of(data, "msg")
    scans = [
        _scan(
            _aftership(text_of(one, "tag"), text_of(one, "subtag")),
            text_of(one, "message"),
            _place(one) or read_optional(text_of(one, "location"), "The place"),
            need_moment(one, "checkpoint_time", "created_at"),
            AFTERSHIP_NEEDS.get(text_of(one, "subtag")),
        )
        for one in list_of(tracker, "checkpoints")
    ]
    last = _aftership(text_of(tracker, "tag"), text_of(tracker, "subtag"))
    if tracker.get("return_to_sender") is True and last is not _S.DELIVERED:
        last = _S.RETURNING
    return _tracking(
        need(tracker, "tracking_number"),
        scans,
        last,
        moment_of(tracker, "updated_at"),
        AFTERSHIP_NEEDS.get(text_of(tracker, "subtag")),
    )


def read_own(data: Json) -> Tracking:
    """Return what `tracking.updated` of a program that speaks our own words tells.

    Raises:
        InvalidInputError: it names no parcel, or an event without a time.
    """
    scans = [
        _scan(
            OWN.get(text_of(one, "status")),
            text_of(one, "message"),
            read_optional(text_of(one, "place"), "The place"),
            need_moment(one, "at"),
            OWN_NEEDS.get(text_of(one, "needs")),
        )
        for one in list_of(data, "events")
    ]
    last = OWN.get(text_of(data, "status"))
    return _tracking(need(data, "tracking_number"), scans, last, moment_of(data, "updated_at"))


def read_shopify_event(data: Json) -> Scan | None:
    """Return what `fulfillment_events/create` tells; None when it tells nothing of the parcel."""
    place = ", ".join(filter(None, (text_of(data, "city"), text_of(data, "country"))))
    return _scan(
        SHOPIFY.get(text_of(data, "status").lower()),
        text_of(data, "message"),
        read_optional(place, "The place"),
        need_moment(data, "happened_at", "created_at"),
    )


def _tracking(
    number: str,
    scans: Iterable[Scan | None],
    last: ShipmentState | None,
    at: datetime | None,
    needs: NeededAction | None = None,
) -> Tracking:
    """Join the scans with the sender's own summary, which wins when it is final."""
    known = sorted(_without_none(scans), key=lambda scan: scan.at)
    times = [moment for moment in (at, known[-1].at if known else None) if moment is not None]
    if last in FINAL and times and _standing(known) is not last:
        known.append(Scan(last, _words(last), None, max(times), needs))
    return Tracking(read_text(number, "The tracking number", limit=100), tuple(known))


def _standing(scans: Iterable[Scan]) -> ShipmentState | None:
    """Return what scans, oldest first, add up to; see `commerce.shipments.fold`."""
    state: ShipmentState | None = None
    for scan in scans:
        if state is not _S.DELIVERED or scan.status is _S.RETURNING:
            state = scan.status
    return state


def _without_none(scans: Iterable[Scan | None]) -> Iterator[Scan]:
    return (scan for scan in scans if scan is not None)


def _scan(
    status: ShipmentState | None,
    message: str,
    place: str | None,
    at: datetime,
    needs: NeededAction | None = None,
) -> Scan | None:
    if status is None:
        return None
    words = read_optional(message[:LONGEST_MESSAGE], "The message") or _words(status)
    return Scan(status, words, place, at, needs)


def _words(status: ShipmentState) -> str:
    return status.value.replace("_", " ").capitalize()


def _exact(words: Mapping[str, ShipmentState], status: str, detail: str) -> ShipmentState | None:
    """Return the state; a detail tells a moving or failed parcel's more exactly."""
    state = words.get(status)
    if state in {_S.IN_TRANSIT, _S.EXCEPTION}:
        return _DETAILS.get(detail, state)
    return state


def _shippo(status: Json) -> ShipmentState | None:
    return _exact(SHIPPO, text_of(status, "status"), text_of(part_of(status, "substatus"), "code"))


def _shippo_needs(status: Json) -> NeededAction | None:
    substatus = part_of(status, "substatus")
    if substatus.get("action_required") is not True:
        return None
    return SHIPPO_NEEDS.get(text_of(substatus, "code"), _N.CONTACT)


def _aftership(tag: str, subtag: str) -> ShipmentState | None:
    return _AFTERSHIP_DETAILS.get(subtag, AFTERSHIP.get(tag))


def _place(location: Json) -> str | None:
    country = text_of(location, "country") or text_of(location, "country_name")
    parts = (text_of(location, "city"), text_of(location, "state"), country)
    return read_optional(", ".join(part for part in parts if part), "The place")
