"""The shop of `records.py kills`: an order for each confirmation, and what must be true at last."""

import threading
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kill_server import Provider, make_executor, make_settings, utc_now
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from opsbot.channels.identity import sign_customer
from opsbot.commerce.customers import Customer
from opsbot.commerce.effects import LEASE, Effect, EffectState, deliver_effects
from opsbot.commerce.inventory import Location, LocationKind, MoveReason, move
from opsbot.commerce.orders import Order, OrderLine, OrderState, SalesChannel, SalesChannelKind
from opsbot.commerce.payments import Payment, PaymentKind
from opsbot.commerce.products import Item
from opsbot.commerce.records import History
from opsbot.commerce.reservations import reserve
from opsbot.conversation.models import Message
from opsbot.conversation.store import start_conversation
from opsbot.db import Database
from opsbot.mail import OutgoingMail
from opsbot.toolkit.audit import AuditEvent, verify
from opsbot.toolkit.caller import Audience, Caller, Level
from opsbot.toolkit.proposals import Preview, Proposal, ProposalState

SKU = "LL-MUG-01"
PRICE = 2_400
ADDRESS = {
    "name": "Ada Brandt",
    "line1": "Torstraße 12",
    "line2": None,
    "city": "Berlin",
    "region": None,
    "postal_code": "10119",
    "country": "DE",
}


@dataclass(frozen=True)
class Ticket:
    """One cancellation that was shown to a customer and waits for the confirmation."""

    proposal_id: str
    order: str
    token: str


class KillShop:
    """Makes tickets, and looks at the end what came of them. Safe to use from several threads."""

    def __init__(self, url: str, data_dir: Path) -> None:
        self.database = Database(url)
        self._settings = make_settings(data_dir)
        self._executor = make_executor(self.database, self._settings)
        self._provider = Provider(data_dir / "provider")
        self._folder = data_dir / "provider"
        self._lock = threading.Lock()
        self._count = 0
        now = utc_now()
        with self.database.write() as session:
            shelf = Location(
                code="BER", name="Berlin", kind=LocationKind.WAREHOUSE, country="DE", sellable=True
            )
            channel = SalesChannel(code="web", name="Web store", kind=SalesChannelKind.WEB_STORE)
            session.add_all([shelf, channel, _make_item(now)])
            session.flush()
            self._channel = channel.id
            move(
                session,
                SKU,
                shelf.id,
                1_000_000,
                reason=MoveReason.OPENING,
                reference="opening",
                actor="system",
                at=now,
            )

    def next_ticket(self) -> Ticket:
        """Let a new customer order a mug and ask to cancel it."""
        with self._lock:
            self._count += 1
            number = self._count
        now = utc_now()
        with self.database.write() as session:
            customer = self._place_order(session, number, now)
            caller = Caller(Audience.CUSTOMER, "widget", Level.SIGNED_IN, customer_id=customer.id)
            start_conversation(session, caller, f"talk-{number}", now=now)
        preview = self._executor.run(
            caller,
            "cancel_order",
            {"order_number": f"#{number}"},
            now=now,
            conversation_id=f"talk-{number}",
        )
        if not isinstance(preview, Preview):
            raise TypeError("cancel_order must make a proposal")
        token = sign_customer(self._settings, customer.number, now=now)
        return Ticket(preview.id, f"#{number}", token)

    def drain(self) -> None:
        """Deliver what a killed server left, once its lease is over."""
        later = utc_now() + LEASE
        while True:
            deliver_effects(self.database, {"": self._provider}, now=later)
            with self.database.read() as session:
                left = select(func.count()).where(Effect.state != EffectState.DELIVERED)
                if not session.scalar(left):
                    return
            later += LEASE

    def compare(self, acknowledged: Collection[str]) -> dict[str, Any]:
        """Compare what customers were told with the records, and the records with the provider."""
        with self.database.read() as session:
            proposals = {row.id: row for row in session.scalars(select(Proposal))}
            traces = _traces(session, proposals)
            audit = verify(session).problem
            requested = Counter(session.scalars(select(Effect.payload["order"].as_string())))
        lost = [key for key in acknowledged if min(traces[key].values()) < 1]
        doubled = [key for key in proposals if max(traces[key].values()) > 1]
        torn = [key for key in proposals if len(set(traces[key].values())) > 1]
        done = Counter(
            path.read_text("utf-8").split("\t")[0] for path in (self._folder / "done").iterdir()
        )
        calls = (self._folder / "calls.log").read_text("utf-8").count("\n")
        return {
            "acknowledged": len(acknowledged),
            "lost": len(lost),
            "doubled": len(doubled),
            "torn": len(torn),
            "effects": done.total(),
            "effects_lost": (requested - done).total(),
            "effects_doubled": sum(count > 1 for count in done.values())
            + (done - requested).total(),
            "redelivered": calls - done.total(),
            "audit_problem": audit,
        }

    def _place_order(self, session: Session, number: int, now: datetime) -> Customer:
        customer = Customer(
            number=f"C-{number}",
            email=f"c{number}@example.com",
            name="Ada Brandt",
            country="DE",
            created_at=now,
        )
        line = OrderLine(sku=SKU, title="Kiln mug", unit_price_minor=PRICE, quantity=1)
        order = Order(
            number=f"#{number}",
            customer=customer,
            channel_id=self._channel,
            lines=[line],
            state=OrderState.CONFIRMED,
            currency="EUR",
            items_minor=PRICE,
            total_minor=PRICE,
            ship_to=ADDRESS,
            placed_at=now,
            promised_ship_by=now + timedelta(days=2),
            promised_delivery_by=now + timedelta(days=5),
            created_at=now,
        )
        order.payments = [
            Payment(
                kind=PaymentKind.CAPTURE,
                amount_minor=PRICE,
                method="card",
                gateway_ref=f"pay_{number}",
                at=now,
            )
        ]
        session.add(order)
        session.flush()
        reserve(session, SKU, 1, order_line_id=line.id, at=now)
        return customer


def _traces(session: Session, proposals: dict[str, Proposal]) -> dict[str, dict[str, int]]:
    """Return how often each trace of each change is there; all are 1, or all 0."""
    orders = {order.number: order for order in session.scalars(select(Order))}
    refunded = Counter(
        session.scalars(select(Payment.order_id).where(Payment.kind == PaymentKind.REFUND))
    )
    cancelled = Counter(
        session.scalars(select(History.subject_id).where(History.event == "order_cancelled"))
    )
    audited = Counter(
        event.detail.get("proposal")
        for event in session.scalars(select(AuditEvent).where(AuditEvent.action == "executed"))
    )
    mailed = Counter(session.scalars(select(OutgoingMail.dedupe_key)))
    requested = Counter(session.scalars(select(Effect.payload["order"].as_string())))
    traces = dict[str, dict[str, int]]()
    for key, proposal in proposals.items():
        order = orders[proposal.arguments["order_number"]]
        traces[key] = {
            "executed": int(proposal.state is ProposalState.EXECUTED),
            "cancelled": int(order.state is OrderState.CANCELLED),
            "refunds": refunded[order.id],
            "history": cancelled[str(order.id)],
            "audit": audited[key],
            "mails": mailed[f"order-cancelled:{order.id}"],
            "effects": requested[order.number],
        }
    return traces


def count_replies(session: Session, proposal_id: str) -> int:
    """Return how often the outcome stands in the conversation."""
    told = select(func.count()).where(Message.id == f"{proposal_id}-executed")
    return session.scalar(told) or 0


def _make_item(now: datetime) -> Item:
    return Item(
        sku=SKU,
        title="Kiln mug",
        options={},
        category="ceramics",
        return_class="standard",
        price_minor=PRICE,
        cost_minor=800,
        currency="EUR",
        weight_g=380,
        manufactured=True,
        sellable=True,
        warranty_months=24,
        lead_time_days=14,
        created_at=now,
    )
