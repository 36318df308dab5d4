"""A withdrawal by law: what follows from it, and how it is recorded and acknowledged.

It is recorded whatever it is found to be: late, exempt, or of goods that are still on their way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from opsbot.commerce.cases import CaseKind, office_hours, open_case
from opsbot.commerce.orders import Order, OrderLine, OrderState, cancel_order, sources_of
from opsbot.commerce.return_steps import open_return
from opsbot.commerce.returns import (
    Resolution,
    Return,
    ReturnKind,
    ReturnReason,
    ReturnState,
    Units,
)
from opsbot.commerce.withdrawals import (
    Withdrawal,
    WithdrawalOutcome,
    record_withdrawal,
    units_withdrawn,
    withdrawals_of,
)
from opsbot.errors import ConflictError
from opsbot.formats import format_items
from opsbot.toolkit.notices import tell_customer
from opsbot.toolkit.ownership import pick_lines
from opsbot.toolkit.policy.return_facts import facts_as_json
from opsbot.toolkit.policy.returns import Condition, ReturnFacts
from opsbot.toolkit.policy.withdrawals import Finding, WithdrawalDecision, decide_withdrawal
from opsbot.toolkit.return_plans import Plan, plan_of
from opsbot.toolkit.return_records import ReturnRecords, read_return_records, return_facts
from opsbot.toolkit.telling import outbound_parcels, units_in_words
from opsbot.toolkit.tool import ToolContext

WITHDRAWN = "withdrawn"
"""State in the refusal of a withdrawal that is recorded already: nothing is left to declare."""


@dataclass(frozen=True)
class Part:
    """Units of one line that the customer withdraws from."""

    line: OrderLine
    quantity: int
    facts: ReturnFacts
    decision: WithdrawalDecision
    outcome: WithdrawalOutcome

    @property
    def words(self) -> str:
        """The units as people read them: `2 x Kiln mug, moss`."""
        return units_in_words(self.line, self.quantity)


@dataclass(frozen=True)
class Declaration:
    """What one withdrawal comes to, before it is recorded."""

    order: Order
    parts: tuple[Part, ...]
    back: Plan | None
    """The return that is opened for what has arrived."""

    def with_outcome(self, outcome: WithdrawalOutcome) -> list[Part]:
        """Return the parts for which this follows."""
        return [part for part in self.parts if part.outcome is outcome]

    @property
    def statement(self) -> str:
        """The declaration in words: the content that is acknowledged."""
        items = format_items([part.words for part in self.parts])
        return f"I withdraw from the contract of order {self.order.number} for: {items}."


def plan_withdrawal(ctx: ToolContext, order: Order, names: Sequence[str]) -> Declaration:
    """Work out what a withdrawal from items of an order comes to; no names: from all of it.

    Raises:
        ConflictError: all of it was withdrawn from before, cancelled, or sent back.
        AmbiguousError: words fit several items, or none.
    """
    if order.state is OrderState.CANCELLED:
        raise ConflictError(f"Order {order.number} was cancelled, so there is no contract left.")
    wanted = [line for line in order.lines if line.wanted]
    lines = pick_lines(order, names or [line.title for line in wanted])
    earlier = withdrawals_of(ctx.session, order.id)
    before = units_withdrawn(earlier)
    records = read_return_records(ctx.session, [order])
    units = {line.id: _units(records, line, before.get(line.id, 0)) for line in lines}
    lines = [line for line in lines if units[line.id]]
    if not lines:
        state = WITHDRAWN if earlier else ""
        raise ConflictError(_recorded_before(ctx, order, earlier), state=state)
    packed = bool(outbound_parcels(ctx, order))
    parts = tuple(_part(ctx, records, order, line, units[line.id], packed=packed) for line in lines)
    return Declaration(order, parts, _return_of(ctx, order, parts))


def _units(records: ReturnRecords, line: OrderLine, withdrawn: int) -> int:
    return max(0, line.wanted - max(records.gone.get(line.id, 0), withdrawn))


def _recorded_before(ctx: ToolContext, order: Order, earlier: Sequence[Withdrawal]) -> str:
    if not earlier:
        return f"All of order {order.number} is being sent back already, or has been."
    last = earlier[-1]
    at = ctx.moment(last.declared_at)
    return f"Your withdrawal from order {order.number} is recorded as {last.number}, on {at}."


def _part(
    ctx: ToolContext,
    records: ReturnRecords,
    order: Order,
    line: OrderLine,
    quantity: int,
    *,
    packed: bool,
) -> Part:
    facts = return_facts(
        records,
        order,
        line,
        quantity,
        reason=ReturnReason.CHANGED_MIND,
        condition=Condition.UNOPENED,
        carries_shipping=False,
        policies=ctx.policies,
        zone=ctx.settings.time_zone,
        now=ctx.now,
    )
    decision = decide_withdrawal(facts, ctx.policies, ctx.today)
    outcome = WithdrawalOutcome.BY_A_PERSON
    if decision.finding is Finding.VALID:
        if order.delivered_at is not None and line.delivered >= quantity:
            outcome = WithdrawalOutcome.RETURN
        elif packed or line.shipped or order.state not in sources_of(OrderState.CANCELLED):
            outcome = WithdrawalOutcome.ON_ITS_WAY
        else:
            outcome = WithdrawalOutcome.CANCELLED
    return Part(line, quantity, facts, decision, outcome)


def _return_of(ctx: ToolContext, order: Order, parts: Sequence[Part]) -> Plan | None:
    back = [part for part in parts if part.outcome is WithdrawalOutcome.RETURN]
    if not back:
        return None
    units = {part.line.id: part.quantity for part in back}
    whole = all(units.get(line.id, 0) == line.wanted for line in order.lines)
    facts = [
        replace(part.facts, whole_order=whole and place == 0) for place, part in enumerate(back)
    ]
    pieces = [(part.line, part.quantity, one) for part, one in zip(back, facts, strict=True)]
    return plan_of(ctx, order, pieces)


def record(ctx: ToolContext, declared: Declaration) -> Withdrawal:
    """Record a withdrawal, do what follows from it, and acknowledge it by mail."""
    opened = _open_return(ctx, declared)
    _cancel(ctx, declared)
    kept = record_withdrawal(
        ctx.session,
        declared.order,
        [
            {
                "line": part.line.id,
                "sku": part.line.sku,
                "title": part.line.title,
                "quantity": part.quantity,
                "finding": part.decision.finding.value,
                "outcome": part.outcome.value,
                "until": str(part.decision.until) if part.decision.until else None,
                "clause": part.decision.clause,
            }
            for part in declared.parts
        ],
        statement=declared.statement,
        channel=ctx.caller.channel,
        policy_version=ctx.policies.version,
        decision={"facts": [facts_as_json(part.facts) for part in declared.parts]},
        return_id=opened.id if opened else None,
        actor=ctx.caller.actor,
        now=ctx.now,
    )
    _tell_staff(ctx, declared, kept)
    tell_customer(
        ctx,
        declared.order.customer,
        subject=f"{kept.number}: your withdrawal from order {declared.order.number}",
        lines=acknowledgement(ctx, declared, kept, opened),
        key=f"withdrawal:{kept.number}",
    )
    return kept


def acknowledgement(
    ctx: ToolContext, declared: Declaration, kept: Withdrawal, opened: Return | None
) -> list[str]:
    """Return what the mail says: the content, day and time of the declaration, and what follows."""
    return [
        f"We have received your withdrawal {kept.number}.",
        f"Your declaration: “{kept.statement}”",
        f"Received on {ctx.moment(kept.declared_at)} ({ctx.settings.time_zone}).",
        *consequences(ctx, declared),
        *([f"The number of your return is {opened.number}."] if opened else []),
        "Please keep this mail: it is your proof.",
    ]


def consequences(ctx: ToolContext, declared: Declaration) -> list[str]:
    """Return what follows from a withdrawal, a sentence each."""
    order, said = declared.order, []
    if cancelled := declared.with_outcome(WithdrawalOutcome.CANCELLED):
        said.append(
            f"{_names(cancelled)}: cancelled before it was packed. What you paid goes back."
        )
    if declared.back is not None:
        said += _back_in_words(ctx, declared)
    if moving := declared.with_outcome(WithdrawalOutcome.ON_ITS_WAY):
        said.append(
            f"{_names(moving)}: on its way already. You may refuse the parcel at the door or send "
            "it back; we refund you then, with the standard delivery charge."
        )
    for part in declared.with_outcome(WithdrawalOutcome.BY_A_PERSON):
        said.append(
            f"{part.words}: {part.decision.words} It is recorded all the same, and a person looks "
            f"at order {order.number} and writes to you."
        )
    return said


def _back_in_words(ctx: ToolContext, declared: Declaration) -> list[str]:
    plan, order = declared.back, declared.order
    if plan is None:
        return []
    law = ctx.policies.rights.region_of(str(order.ship_to["country"]))[1].withdrawal
    label = plan.postage_minor
    less = f", after {ctx.money(label, order.currency)} for the return label" if label else ""
    pays = " You pay the carrier for the way back." if label is None else ""
    days = law.refund_within_days if law else 0
    return [
        (
            f"{_names(declared.with_outcome(WithdrawalOutcome.RETURN))}: please send it back by "
            f"{ctx.day(send_by(ctx))}.{pays}"
        ),
        (
            f"You get back {ctx.money(plan.refund_minor, order.currency)}{less}, within {days} "
            "days, by the way you paid. We may wait until the goods are here or you show that you "
            "sent them."
        ),
    ]


def send_by(ctx: ToolContext) -> datetime:
    """Return until when goods of a withdrawal that is declared now are to be sent."""
    last = ctx.today + timedelta(days=ctx.policies.returns.send_within_days)
    return datetime.combine(last, time(23, 59), tzinfo=ZoneInfo(ctx.settings.time_zone))


def _names(parts: Sequence[Part]) -> str:
    return format_items([part.words for part in parts])


def _open_return(ctx: ToolContext, declared: Declaration) -> Return | None:
    if declared.back is None:
        return None
    opened = open_return(
        ctx.session,
        declared.order,
        [
            Units(piece.line.id, piece.quantity, ReturnReason.CHANGED_MIND)
            for piece in declared.back.pieces
        ],
        state=ReturnState.APPROVED,
        resolution=Resolution.REFUND,
        refund_minor=declared.back.refund_minor,
        policy_version=ctx.policies.version,
        decision=declared.back.as_json(),
        deadline=send_by(ctx),
        actor=ctx.caller.actor,
        now=ctx.now,
    )
    opened.kind = ReturnKind.WITHDRAWAL
    ctx.session.flush()
    return opened


def _cancel(ctx: ToolContext, declared: Declaration) -> None:
    parts = declared.with_outcome(WithdrawalOutcome.CANCELLED)
    if parts:
        cancel_order(
            ctx.session,
            declared.order,
            lines={part.line.id: part.quantity for part in parts},
            reason="withdrawal",
            actor=ctx.caller.actor,
            now=ctx.now,
        )


def _tell_staff(ctx: ToolContext, declared: Declaration, kept: Withdrawal) -> None:
    """Give a person what the rules alone cannot end."""
    left = [
        *declared.with_outcome(WithdrawalOutcome.ON_ITS_WAY),
        *declared.with_outcome(WithdrawalOutcome.BY_A_PERSON),
    ]
    if not left:
        return
    findings = "; ".join(
        f"{part.words}: {part.decision.finding.value}, {part.outcome.value.replace('_', ' ')}"
        for part in left
    )
    open_case(
        ctx.session,
        CaseKind.RETURN,
        subject=f"Withdrawal {kept.number} from order {declared.order.number}",
        summary=f"{kept.statement} {findings}.",
        customer_id=declared.order.customer_id,
        order_id=declared.order.id,
        conversation_id=ctx.conversation_id,
        hours=office_hours(ctx.settings),
        actor=ctx.caller.actor,
        now=ctx.now,
    )
