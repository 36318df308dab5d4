"""Whether goods may come back, on which grounds, until when, and for how much.

Every ground that applies is collected: the legal right of withdrawal, the legal guarantee, the
shop's warranty, the shop's return promise. Then, point by point, what is better for the customer
holds: the latest day, the lowest fee, the cheapest postage.
"""

from collections.abc import Iterator, Mapping
from datetime import date

from opsbot.commerce.returns import Resolution, ReturnReason
from opsbot.formats import format_day
from opsbot.toolkit.policy.grounds import Offer, offers_of
from opsbot.toolkit.policy.loading import Policies
from opsbot.toolkit.policy.return_facts import Basis, Condition, ReturnDecision, ReturnFacts
from opsbot.toolkit.policy.schema import Party, ReasonRule, ReturnClass

__all__ = [
    "Basis",
    "Condition",
    "ReturnDecision",
    "ReturnFacts",
    "cares_about_condition",
    "decide_return",
    "share_of",
]

_BY_A_PERSON = "A person of our team can look at your case."


def decide_return(facts: ReturnFacts, policies: Policies, today: date) -> ReturnDecision:
    """Decide whether the goods may come back today. A pure function.

    Raises:
        KeyError: the item has a return class that returns.yaml does not name.
    """
    offers = [] if facts.delivered_on is None else list(offers_of(facts, policies))
    deadlines = {offer.basis: offer.deadline for offer in offers}
    valid = [offer for offer in offers if today <= offer.deadline]
    if not valid:
        return _refuse(facts, policies, deadlines)
    return _allow(facts, policies, valid, deadlines)


def cares_about_condition(return_class: str, policies: Policies) -> bool:
    """Tell whether it matters for goods of this class if the box was opened."""
    rule = policies.returns.classes[return_class]
    return rule.must_be_sealed or rule.opened_fee_pct > 0


def _allow(
    facts: ReturnFacts, policies: Policies, offers: list[Offer], deadlines: Mapping[Basis, date]
) -> ReturnDecision:
    rule = policies.returns.reasons[facts.reason]
    best = sorted(offers, key=lambda offer: (offer.fee_pct, not offer.shipping))
    fee = share_of(facts.paid_minor, min(offer.fee_pct for offer in offers))
    keep = rule.fault is Party.SELLER and facts.paid_minor < policies.returns.keep_item_below_minor
    benefit = policies.loyalty.tier_named(facts.tier).free_returns
    free = keep or benefit or not all(offer.customer_pays_postage for offer in offers)
    postage = 0 if free else _postage(facts, policies)
    back = facts.whole_order and any(offer.shipping for offer in offers)
    shipping = facts.shipping_minor if back else 0
    refund = max(0, facts.paid_minor - fee - (postage or 0) + shipping)
    bonus = share_of(refund, policies.returns.store_credit_bonus_pct)
    wanted = _resolutions(rule, best, keep=keep)
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
        resolutions=wanted,
        keep_item=keep,
        photo=rule.photo,
        send_within_days=policies.returns.send_within_days,
        automatic=_is_automatic(facts, policies, offers, refund),
        clauses=tuple(_further_clauses(best, rule, keep=keep, postage=postage)),
    )


def _resolutions(rule: ReasonRule, offers: list[Offer], *, keep: bool) -> tuple[Resolution, ...]:
    """Return what the customer may choose, in the order it is offered, each once."""
    first = [rule.first_offer] if rule.first_offer is not None else []
    money = [Resolution.REFUND] if keep else []
    offered = [resolution for offer in offers for resolution in offer.resolutions]
    return tuple(dict.fromkeys([*first, *money, *offered]))


def _is_automatic(
    facts: ReturnFacts, policies: Policies, offers: list[Offer], refund_minor: int
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


def _further_clauses(
    offers: list[Offer], rule: ReasonRule, *, keep: bool, postage: int | None
) -> Iterator[str]:
    yield from (offer.clause for offer in offers[1:])
    if rule.first_offer is not None:
        yield "returns.missing_part"
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
    return next(offer.clause for offer in offers_of(facts, policies) if offer.basis is basis)


def share_of(amount_minor: int, percent: int) -> int:
    """Return a percentage of an amount, rounded half up."""
    return (amount_minor * percent + 50) // 100
