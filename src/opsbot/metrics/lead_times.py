"""How long suppliers took lately: what a promise may rest on instead of what they quote."""

from collections import defaultdict
from dataclasses import dataclass
from math import ceil

from sqlalchemy import select
from sqlalchemy.orm import Session

from opsbot.commerce.purchasing import PurchaseOrder, Supplier
from opsbot.planning.periods import local_day
from opsbot.planning.promises import percentile

RECEIPTS = 20
"""The last receipts of a supplier that count."""
FEWEST = 5
"""Receipts below which nothing is concluded."""
UNKNOWN_LATENESS = 7
"""Days that nine of ten late deliveries are taken to stay within, without a history."""
_SHARE = 0.9


@dataclass(frozen=True)
class SupplierPace:
    """What nine of ten of a supplier's last receipts stayed within, in calendar days."""

    receipts: int
    lead_days: int
    """From order to receipt."""
    late_days: int | None
    """From the promised day to receipt, of those that were late; None: too few were."""

    @property
    def is_known(self) -> bool:
        """Whether there are receipts enough to rest on."""
        return self.receipts >= FEWEST


def supplier_paces(session: Session, *, zone: str) -> dict[str, SupplierPace]:
    """Return how fast suppliers delivered lately, by their name; without any receipt: absent."""
    rows = session.execute(
        select(
            Supplier.name,
            PurchaseOrder.ordered_at,
            PurchaseOrder.promised_at,
            PurchaseOrder.received_at,
        )
        .join(Supplier, Supplier.id == PurchaseOrder.supplier_id)
        .where(PurchaseOrder.received_at.is_not(None))
        .order_by(PurchaseOrder.received_at.desc(), PurchaseOrder.id.desc())
    )
    leads: defaultdict[str, list[int]] = defaultdict(list)
    late: defaultdict[str, list[int]] = defaultdict(list)
    for name, ordered, promised, received in rows:
        if received is None or len(leads[name]) >= RECEIPTS:
            continue
        days = [local_day(moment, zone) for moment in (ordered, promised, received)]
        leads[name].append((days[2] - days[0]).days)
        if days[2] > days[1]:
            late[name].append((days[2] - days[1]).days)
    return {
        name: SupplierPace(
            receipts=len(found),
            lead_days=ceil(percentile(found, _SHARE)),
            late_days=ceil(percentile(late[name], _SHARE)) if len(late[name]) >= FEWEST else None,
        )
        for name, found in leads.items()
    }


def usual_lateness(paces: dict[str, SupplierPace], supplier: str) -> int:
    """Return the days by which an overdue delivery of a supplier is still to be waited for."""
    pace = paces.get(supplier)
    return pace.late_days if pace and pace.late_days is not None else UNKNOWN_LATENESS


def lead_days(paces: dict[str, SupplierPace], supplier: str, quoted: int) -> int:
    """Return the days from order to receipt to reckon with: as seen, else as quoted."""
    pace = paces.get(supplier)
    return pace.lead_days if pace and pace.is_known else quoted


def pace_caveats(paces: dict[str, SupplierPace], suppliers: set[str]) -> list[str]:
    """Say of which suppliers too little has come to know how they deliver."""
    few = [
        f"{name} ({paces[name].receipts if name in paces else 0})"
        for name in sorted(suppliers)
        if name not in paces or not paces[name].is_known
    ]
    if not few:
        return []
    words = f"Fewer than {FEWEST} receipts of {', '.join(few)}: quoted lead times are used, "
    return [f"{words}and {UNKNOWN_LATENESS} days for what is overdue."]
