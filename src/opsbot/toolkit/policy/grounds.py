"""The grounds on which goods may come back: each with its last day and its terms."""

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from opsbot.commerce.customers import CustomerKind
from opsbot.commerce.returns import Resolution, ReturnReason
from opsbot.toolkit.policy.calendar import next_working_day
from opsbot.toolkit.policy.loading import Policies
from opsbot.toolkit.policy.return_facts import Basis, Condition, ReturnFacts
from opsbot.toolkit.policy.schema import Party, ReasonRule, WarrantyStep, Withdrawal


@dataclass(frozen=True)
class Offer:
    """The terms of one ground."""

    basis: Basis
    deadline: date
    clause: str
    resolutions: tuple[Resolution, ...]
    fee_pct: int = 0
    customer_pays_postage: bool = False
    shipping: bool = True
    """Whether the delivery charge is given back with the whole order."""


def offers_of(facts: ReturnFacts, policies: Policies) -> Iterator[Offer]:
    """Yield every ground that exists for these goods, those whose time is over included."""
    delivered = facts.delivered_on
    if delivered is None:
        return
    rule = policies.returns.reasons[facts.reason]
    law = withdrawal_law(facts, policies)
    if law is not None:
        pays = rule.postage is Party.CUSTOMER and law.postage is Party.CUSTOMER
        yield Offer(
            Basis.WITHDRAWAL,
            withdrawal_until(law, policies, delivered),
            "withdrawal.right",
            policies.returns.resolutions,
            customer_pays_postage=pays,
        )
    if is_fault(facts, rule):
        yield from _fault_offers(facts, policies, delivered)
    promise = _promise(facts, policies, delivered)
    if promise is not None:
        yield promise


def withdrawal_law(facts: ReturnFacts, policies: Policies) -> Withdrawal | None:
    """Return the law by which this customer may withdraw from buying these goods, if any."""
    _name, region = policies.rights.region_of(facts.country)
    law = region.withdrawal
    if law is None or facts.customer not in law.customers or facts.channel not in law.channels:
        return None
    unsealed = facts.condition is Condition.OPENED and facts.return_class in law.exempt_when_opened
    return None if unsealed or facts.return_class in law.exempt_classes else law


def withdrawal_until(law: Withdrawal, policies: Policies, delivered: date) -> date:
    """Return the last day on which a customer may withdraw."""
    end = delivered + timedelta(days=law.days)
    return next_working_day(end, policies.rights.calendar) if law.end_on_working_day else end


def is_fault(facts: ReturnFacts, rule: ReasonRule) -> bool:
    """Tell whether the goods are not as they should be."""
    return rule.fault is not Party.CUSTOMER and facts.reason is not ReturnReason.ARRIVED_LATE


def _fault_offers(facts: ReturnFacts, policies: Policies, delivered: date) -> Iterator[Offer]:
    _name, region = policies.rights.region_of(facts.country)
    law = region.guarantee if facts.customer is CustomerKind.CONSUMER else None
    if law is not None and law.reject_days:
        until = delivered + timedelta(days=law.reject_days)
        yield Offer(Basis.REJECTION, until, "guarantee.reject", (Resolution.REFUND,))
    if law is not None:
        months = law.months + (law.extra_months_after_repair if facts.repaired else 0)
        until = add_months(delivered, months)
        yield Offer(Basis.GUARANTEE, until, "guarantee.law", _remedies(facts, law.remedies))
    if facts.reason is ReturnReason.DEFECTIVE:
        until = add_months(delivered, policies.warranty_months(facts.return_class))
        yield Offer(Basis.WARRANTY, until, "guarantee.warranty", _by_warranty(facts, policies))


def _remedies(facts: ReturnFacts, steps: Sequence[Sequence[Resolution]]) -> tuple[Resolution, ...]:
    """Return what the law gives: first a repair or a new piece, then the money."""
    if facts.reason is not ReturnReason.DEFECTIVE:
        return (Resolution.EXCHANGE, Resolution.REFUND)
    if not facts.failed_remedies:
        return tuple(steps[0])
    return tuple(resolution for step in (*steps[1:], steps[0]) for resolution in step)


def _by_warranty(facts: ReturnFacts, policies: Policies) -> tuple[Resolution, ...]:
    steps = policies.rights.warranty.steps
    known = {WarrantyStep.REPAIR: Resolution.REPAIR, WarrantyStep.REPLACE: Resolution.EXCHANGE}
    remedies = [known[step] for step in steps if step in known]
    if facts.failed_remedies and WarrantyStep.REFUND in steps:
        remedies.append(Resolution.REFUND)
    return tuple(remedies)


def _promise(facts: ReturnFacts, policies: Policies, delivered: date) -> Offer | None:
    """The shop's own return promise."""
    returns, rule = policies.returns, policies.returns.reasons[facts.reason]
    goods = returns.classes[facts.return_class]
    fault = is_fault(facts, rule)
    if rule.guarantee_only or (not goods.returnable and not fault):
        return None
    opened = facts.condition is Condition.OPENED
    if goods.must_be_sealed and opened and not fault:
        return None
    days, fee_pct, clause = goods.window_days or 0, goods.opened_fee_pct * opened, goods.clause
    if facts.customer is CustomerKind.BUSINESS:
        days, fee_pct = returns.business.window_days, returns.business.fee_pct
        clause = returns.business.clause
    if rule.report_within_days is not None:
        days, clause = rule.report_within_days, "returns.damaged"
    elif not goods.returnable:
        days = returns.classes["standard"].window_days or 0
    until = delivered + timedelta(days=days)
    holiday = _holiday_end(facts, policies)
    if holiday is not None and holiday > until and clause == goods.clause and goods.returnable:
        until, clause = holiday, returns.holiday.clause
    return Offer(
        Basis.PROMISE,
        until,
        clause,
        goods.resolutions or returns.resolutions,
        fee_pct=fee_pct if rule.fault is Party.CUSTOMER else 0,
        customer_pays_postage=rule.postage is Party.CUSTOMER,
        shipping=rule.fault is not Party.CUSTOMER,
    )


def _holiday_end(facts: ReturnFacts, policies: Policies) -> date | None:
    rule = policies.returns.holiday
    if not rule.bought_from <= f"{facts.bought_on:%m-%d}" <= rule.bought_to:
        return None
    return date.fromisoformat(f"{facts.bought_on.year + 1}-{rule.until}")


def add_months(day: date, months: int) -> date:
    """Return the same day some months later, or the last day of that month."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
