"""Whether goods may come back, on which grounds, until when, and for how much.

Every ground that applies is collected: the legal right of withdrawal, the legal guarantee, the
shop's warranty, the shop's return promise. Then, point by point, what is better for the customer
holds: the latest day, the lowest fee, the cheapest postage.
"""

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from opsbot.commerce.customers import CustomerKind
from opsbot.commerce.orders import SalesChannelKind
from opsbot.commerce.returns import Resolution, ReturnReason
from opsbot.formats import format_day
from opsbot.toolkit.policy.calendar import next_working_day
from opsbot.toolkit.policy.loading import Policies
from opsbot.toolkit.policy.schema import Party, ReasonRule, ReturnClass

_BY_A_PERSON = "A person of our team can look at your case."


class Basis(StrEnum):
    """On what ground goods come back."""

    WITHDRAWAL = "withdrawal"
    GUARANTEE = "guarantee"
    WARRANTY = "warranty"
    PROMISE = "promise"


class Condition(StrEnum):
    """What was done with the goods so far."""

    UNOPENED = "unopened"
    OPENED = "opened"


@dataclass(frozen=True)
class ReturnFacts:
    """What a decision rests on; amounts in minor units of the order's currency."""

    country: str
    """Where the goods were sent, ISO 3166 alpha-2."""
    customer: CustomerKind
    channel: SalesChannelKind
    return_class: str
    reason: ReturnReason
    condition: Condition
    paid_minor: int
    """What the customer paid for the units that come back, discounts taken off."""
    bought_on: date
    delivered_on: date | None
    """Day the last parcel arrived, in the shop's time zone."""
    whole_order: bool = False
    shipping_minor: int = 0
    """Standard delivery charge of the order."""
    recent_returns: int = 0
    """Returns this customer opened within `automatic.within_days`."""


@dataclass(frozen=True)
class ReturnDecision:
    """What the policies say. When refused, the amounts are 0 and `refusal` says why."""

    allowed: bool
    bases: tuple[Basis, ...]
    """The grounds that apply, the one that gives most back first."""
    deadlines: Mapping[Basis, date]
    """Last day of each ground, those that have passed included."""
    clause: str
    """Id of the clause to quote."""
    refund_minor: int = 0
    """By the way the customer paid, once the goods are back."""
    fee_minor: int = 0
    postage_minor: int | None = 0
    """Taken off the refund; None: the customer pays the carrier."""
    shipping_minor: int = 0
    """Delivery charge that is given back too; part of `refund_minor`."""
    credit_minor: int = 0
    """Instead of the refund, as store credit."""
    resolutions: tuple[Resolution, ...] = ()
    """In the order they are offered."""
    keep_item: bool = False
    photo: bool = False
    send_within_days: int = 0
    automatic: bool = False
    """Whether no person needs to look first."""
    window_clause: str = ""
    """Id of the clause that gives the latest day; the one to quote to who asks until when."""
    clauses: tuple[str, ...] = ()
    """Further clauses the decision rests on."""
    refusal: str = ""
    alternatives: tuple[str, ...] = ()

    @property
    def deadline(self) -> date | None:
        """The last day on which a return may be opened on any ground that applies."""
        return max((self.deadlines[basis] for basis in self.bases), default=None)


@dataclass(frozen=True)
class _Offer:
    """The terms of one ground."""

    basis: Basis
    deadline: date
    clause: str
    resolutions: tuple[Resolution, ...]
    fee_pct: int = 0
    customer_pays_postage: bool = False
    shipping: bool = True
    """Whether the delivery charge is given back with the whole order."""


def decide_return(facts: ReturnFacts, policies: Policies, today: date) -> ReturnDecision:
    """Decide whether the goods may come back today. A pure function.

    Raises:
        KeyError: the item has a return class that returns.yaml does not name.
    """
    offers = [] if facts.delivered_on is None else list(_offers(facts, policies))
    deadlines = {offer.basis: offer.deadline for offer in offers}
    valid = [offer for offer in offers if today <= offer.deadline]
    if not valid:
        return _refuse(facts, policies, deadlines)
    return _allow(facts, policies, valid, deadlines)


def cares_about_condition(return_class: str, policies: Policies) -> bool:
    """Tell whether it matters for goods of this class if the box was opened."""
    rule = policies.returns.classes[return_class]
    return rule.must_be_sealed or rule.opened_fee_pct > 0


def _offers(facts: ReturnFacts, policies: Policies) -> Iterator[_Offer]:
    delivered = facts.delivered_on
    if delivered is None:
        return
    rule = policies.returns.reasons[facts.reason]
    withdrawal = _withdrawal_until(facts, policies, delivered)
    if withdrawal is not None:
        yield _Offer(
            Basis.WITHDRAWAL,
            withdrawal,
            "withdrawal.right",
            policies.returns.resolutions,
            customer_pays_postage=rule.postage is Party.CUSTOMER,
        )
    if _is_fault(facts, rule):
        yield from _fault_offers(facts, policies, delivered)
    promise = _promise(facts, policies, delivered)
    if promise is not None:
        yield promise


def _withdrawal_until(facts: ReturnFacts, policies: Policies, delivered: date) -> date | None:
    _name, region = policies.rights.region_of(facts.country)
    law = region.withdrawal
    if law is None or facts.customer is not CustomerKind.CONSUMER:
        return None
    opened = facts.condition is Condition.OPENED
    exempt = facts.return_class in law.exempt_classes
    if facts.channel not in law.channels or exempt:
        return None
    if opened and facts.return_class in law.exempt_when_opened:
        return None
    end = delivered + timedelta(days=law.days)
    return next_working_day(end, policies.rights.calendar) if law.end_on_working_day else end


def _is_fault(facts: ReturnFacts, rule: ReasonRule) -> bool:
    return rule.fault is not Party.CUSTOMER and facts.reason is not ReturnReason.ARRIVED_LATE


def _fault_offers(facts: ReturnFacts, policies: Policies, delivered: date) -> Iterator[_Offer]:
    remedies = (Resolution.REPAIR, Resolution.EXCHANGE)
    if facts.reason is not ReturnReason.DEFECTIVE:
        remedies = (Resolution.EXCHANGE, Resolution.REFUND)
    _name, region = policies.rights.region_of(facts.country)
    if region.guarantee is not None and facts.customer is CustomerKind.CONSUMER:
        until = _add_months(delivered, region.guarantee.months)
        yield _Offer(Basis.GUARANTEE, until, "guarantee.law", remedies)
    if facts.reason is ReturnReason.DEFECTIVE:
        until = _add_months(delivered, policies.warranty_months(facts.return_class))
        yield _Offer(Basis.WARRANTY, until, "guarantee.warranty", remedies)


def _promise(facts: ReturnFacts, policies: Policies, delivered: date) -> _Offer | None:
    """The shop's own return promise."""
    returns, rule = policies.returns, policies.returns.reasons[facts.reason]
    goods = returns.classes[facts.return_class]
    fault = _is_fault(facts, rule)
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
    return _Offer(
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


def _allow(
    facts: ReturnFacts, policies: Policies, offers: list[_Offer], deadlines: Mapping[Basis, date]
) -> ReturnDecision:
    rule = policies.returns.reasons[facts.reason]
    best = sorted(offers, key=lambda offer: (offer.fee_pct, not offer.shipping))
    fee = _share(facts.paid_minor, min(offer.fee_pct for offer in offers))
    keep = rule.fault is Party.SELLER and facts.paid_minor < policies.returns.keep_item_below_minor
    free = keep or not all(offer.customer_pays_postage for offer in offers)
    postage = 0 if free else _postage(facts, policies)
    back = facts.whole_order and any(offer.shipping for offer in offers)
    shipping = facts.shipping_minor if back else 0
    refund = max(0, facts.paid_minor - fee - (postage or 0) + shipping)
    bonus = _share(refund, policies.returns.store_credit_bonus_pct)
    wanted = [resolution for offer in best for resolution in offer.resolutions]
    return ReturnDecision(
        allowed=True,
        bases=tuple(offer.basis for offer in best),
        deadlines=deadlines,
        clause=best[0].clause,
        window_clause=max(offers, key=lambda offer: offer.deadline).clause,
        refund_minor=refund,
        fee_minor=fee,
        postage_minor=postage,
        shipping_minor=shipping,
        credit_minor=refund + bonus,
        resolutions=tuple(dict.fromkeys([Resolution.REFUND, *wanted] if keep else wanted)),
        keep_item=keep,
        photo=rule.photo,
        send_within_days=policies.returns.send_within_days,
        automatic=_is_automatic(facts, policies, offers, refund),
        clauses=tuple(_further_clauses(best, keep=keep, postage=postage)),
    )


def _is_automatic(
    facts: ReturnFacts, policies: Policies, offers: list[_Offer], refund_minor: int
) -> bool:
    fault = policies.returns.reasons[facts.reason].fault
    if fault is Party.CUSTOMER and any(offer.basis is Basis.WITHDRAWAL for offer in offers):
        return True  # nobody may decline a withdrawal
    rule = policies.returns.automatic
    return (
        facts.reason in rule.reasons
        and refund_minor <= rule.max_refund_minor
        and facts.recent_returns < rule.max_returns
    )


def _further_clauses(offers: list[_Offer], *, keep: bool, postage: int | None) -> Iterator[str]:
    yield from (offer.clause for offer in offers[1:])
    if any(offer.basis is Basis.WITHDRAWAL for offer in offers):
        yield "withdrawal.effects"
    if keep:
        yield "returns.keep_item"
    elif postage != 0:
        yield "returns.postage"


def _postage(facts: ReturnFacts, policies: Policies) -> int | None:
    goods: ReturnClass = policies.returns.classes[facts.return_class]
    if goods.postage_minor is not None:
        return goods.postage_minor
    region, _law = policies.rights.region_of(facts.country)
    labels = policies.returns.label_minor
    return labels.get(facts.country, labels.get(region))


def _refuse(
    facts: ReturnFacts, policies: Policies, deadlines: Mapping[Basis, date]
) -> ReturnDecision:
    goods = policies.returns.classes[facts.return_class]
    clause, alternatives = goods.clause, [_BY_A_PERSON]
    if facts.delivered_on is None:
        refusal = "A return can be opened once the goods have arrived."
        alternatives = ["An order that is not packed yet can be cancelled."]
    elif deadlines:
        basis, until = max(deadlines.items(), key=lambda pair: pair[1])
        refusal = f"The time for this ended on {format_day(until)}."
        clause = _clause_of(facts, policies, basis)
    elif goods.returnable:
        refusal = "Goods of this kind can be returned only while their seal is unbroken."
    else:
        refusal = "Goods of this kind cannot be returned."
    if facts.delivered_on is not None and facts.reason is not ReturnReason.DEFECTIVE:
        alternatives.insert(
            0, "If the goods have a fault, the guarantee covers them: tell me what."
        )
    return ReturnDecision(
        allowed=False,
        bases=(),
        deadlines=deadlines,
        clause=clause,
        refusal=refusal,
        alternatives=tuple(alternatives),
    )


def _clause_of(facts: ReturnFacts, policies: Policies, basis: Basis) -> str:
    return next(offer.clause for offer in _offers(facts, policies) if offer.basis is basis)


def _share(amount_minor: int, percent: int) -> int:
    """Return a percentage of an amount, rounded half up."""
    return (amount_minor * percent + 50) // 100


def _add_months(day: date, months: int) -> date:
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
