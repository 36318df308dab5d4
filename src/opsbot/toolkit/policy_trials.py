"""Trying policies: one decision explained, and past returns decided by changed rules."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from opsbot.commerce.orders import Order, OrderLine, find_order
from opsbot.commerce.returns import Return, ReturnLine, ReturnReason
from opsbot.errors import InvalidInputError
from opsbot.formats import format_day, format_money
from opsbot.toolkit.ownership import pick_lines
from opsbot.toolkit.policy import Policies, load_policies
from opsbot.toolkit.policy.loading import FILES
from opsbot.toolkit.policy.return_facts import decision_as_json, facts_as_json, facts_from_json
from opsbot.toolkit.policy.returns import Condition, ReturnDecision, ReturnFacts, decide_return
from opsbot.toolkit.return_records import read_return_records, return_facts

MOST_RETURNS = 5000


@dataclass(frozen=True)
class Asked:
    """Items of an order that might come back."""

    number: str
    items: tuple[str, ...] = ()
    """In words; empty: all."""
    reason: ReturnReason = ReturnReason.CHANGED_MIND
    condition: Condition = Condition.UNOPENED


@dataclass(frozen=True)
class Difference:
    """One past return that other rules would have decided otherwise."""

    number: str
    order: str
    sku: str
    what: str
    """What differs, such as `refund`."""
    before: str
    after: str


@dataclass(frozen=True)
class Trial:
    """What changed rules would have made of the last returns."""

    looked_at: int
    """Items of returns."""
    differences: tuple[Difference, ...]
    refund_before_minor: int
    refund_after_minor: int


def trial_as_json(trial: Trial) -> dict[str, Any]:
    """Return a trial as JSON."""
    return vars(trial) | {"differences": [vars(one) for one in trial.differences]}


def facts_of_order(
    session: Session, asked: Asked, policies: Policies, *, zone: str, now: datetime
) -> list[tuple[str, ReturnFacts]]:
    """Return the title and the facts of items of an order, whatever was sent back of it already.

    Raises:
        NotFoundError: there is no such order.
        AmbiguousError: words fit several items, or none.
    """
    order = find_order(session, asked.number, customer_id=None)
    wanted = [line for line in order.lines if line.wanted]
    lines = pick_lines(order, asked.items or [line.title for line in wanted])
    records = read_return_records(session, [order])
    return [
        (
            line.title,
            return_facts(
                records,
                order,
                line,
                line.wanted,
                reason=asked.reason,
                condition=asked.condition,
                carries_shipping=len(lines) == len(wanted) and line is lines[0],
                policies=policies,
                zone=zone,
                now=now,
            ),
        )
        for line in lines
    ]


def explain(
    facts: ReturnFacts, policies: Policies, today: date, *, currency: str
) -> dict[str, Any]:
    """Decide, and return everything about the decision: as JSON, and in sentences."""
    decision = decide_return(facts, policies, today)
    ids = list(dict.fromkeys([decision.clause, *decision.clauses]))
    quoted = [policies.clause(name) for name in ids]
    return {
        "policy_version": policies.version,
        "today": today.isoformat(),
        "facts": facts_as_json(facts),
        "decision": decision_as_json(decision),
        "clauses": [{"id": c.id, "title": c.title, "text": c.text} for c in quoted],
        "say": list(_sentences(decision, currency)),
    }


def _sentences(decision: ReturnDecision, currency: str) -> Iterator[str]:
    def money(minor: int) -> str:
        return format_money(minor, currency)

    if not decision.allowed:
        yield f"Refused: {decision.refusal}"
        yield from (f"Instead: {words}" for words in decision.alternatives)
        return
    yield "Allowed, at once." if decision.automatic else "Allowed, once a person has looked at it."
    for basis in decision.bases:
        yield f"By {basis.value} until {format_day(decision.deadlines[basis])}."
    yield (
        f"Refund {money(decision.refund_minor)}: fee {money(decision.fee_minor)}, "
        + (
            "the customer pays the carrier"
            if decision.postage_minor is None
            else f"postage {money(decision.postage_minor)}"
        )
        + (
            f", delivery charge back {money(decision.shipping_minor)}."
            if decision.shipping_minor
            else "."
        )
    )
    amounts = decision.refund_by_resolution.items()
    words = [r.value.replace("_", " ") + (f" {money(a)}" if a else "") for r, a in amounts]
    yield f"To choose: {', '.join(words)}."
    if decision.keep_item:
        yield "Nothing needs to be sent back."
    if decision.photo:
        yield "A photo is needed."


def changed_policies(folder: Path, changes: Mapping[str, str]) -> Policies:
    """Return the policies of a folder with some of its files replaced by other texts.

    Raises:
        InvalidInputError: a name is no policy file, or a text is not valid.
    """
    known = [f"{name}.yaml" for name in FILES]
    if unknown := [name for name in changes if name not in known]:
        raise InvalidInputError(f"{unknown[0]} is no policy file; there are {', '.join(known)}.")
    with TemporaryDirectory(prefix="policies-") as place:
        copy = Path(copytree(folder, Path(place) / "policies"))
        for name, text in changes.items():
            (copy / name).write_text(text, encoding="utf-8")
        try:
            return load_policies(copy)
        except InvalidInputError as error:  # say nothing about a folder that is gone
            raise InvalidInputError(str(error).replace(f"{copy}/", "")) from error


def try_policies(
    session: Session,
    before: Policies,
    after: Policies,
    *,
    last: int,
    zone: str,
    currency: str,
) -> Trial:
    """Decide the last returns again, by two sets of rules, on the day each was asked for.

    Returns whose facts were kept are decided on those; others on what the records say.

    Args:
        session: a session to read in.
        before: the rules that hold.
        after: the rules to try.
        last: how many returns, the newest.
        zone: the shop's time zone.
        currency: what amounts are written in.
    """
    differences: list[Difference] = []
    looked, old_sum, new_sum = 0, 0, 0
    for opened in _last_returns(session, min(last, MOST_RETURNS)):
        day = opened.requested_at.astimezone(ZoneInfo(zone)).date()
        for sku, facts in _facts_of(session, opened, before, zone):
            looked += 1
            if unknown := {facts.return_class} - set(after.returns.classes):
                raise InvalidInputError(f"There is no return class {unknown.pop()} any more.")
            old, new = (decide_return(facts, rules, day) for rules in (before, after))
            old_sum, new_sum = old_sum + old.refund_minor, new_sum + new.refund_minor
            differences += [
                Difference(opened.number, opened.order.number, sku, what, *values)
                for what, *values in _differing(old, new, currency)
            ]
    return Trial(looked, tuple(differences), old_sum, new_sum)


def _last_returns(session: Session, last: int) -> Sequence[Return]:
    order = selectinload(Return.order)
    newest = (
        select(Return)
        .order_by(Return.requested_at.desc(), Return.id.desc())
        .limit(last)
        .options(
            selectinload(Return.lines).joinedload(ReturnLine.order_line).joinedload(OrderLine.item),
            order.options(
                joinedload(Order.customer), joinedload(Order.channel), selectinload(Order.lines)
            ),
        )
    )
    return session.scalars(newest).all()


def _facts_of(
    session: Session, opened: Return, policies: Policies, zone: str
) -> Iterator[tuple[str, ReturnFacts]]:
    kept = opened.decision.get("pieces")
    if kept:
        yield from ((piece["sku"], facts_from_json(piece["facts"])) for piece in kept)
        return
    records = read_return_records(session, [opened.order])
    for line in opened.lines:
        if line.reason is None:
            continue
        yield (
            line.order_line.sku,
            return_facts(
                records,
                opened.order,
                line.order_line,
                line.quantity,
                reason=line.reason,
                condition=Condition.UNOPENED,
                carries_shipping=False,
                policies=policies,
                zone=zone,
                now=_asked(opened),
            ),
        )


def _asked(opened: Return) -> datetime:
    return opened.requested_at


def _differing(
    old: ReturnDecision, new: ReturnDecision, currency: str
) -> Iterator[tuple[str, str, str]]:
    def money(minor: int | None) -> str:
        return "the carrier's price" if minor is None else format_money(minor, currency)

    def words(allowed: bool) -> str:  # noqa: FBT001  (private, of one value)
        return "yes" if allowed else "no"

    if old.allowed != new.allowed:
        yield "allowed", words(old.allowed), words(new.allowed)
        return
    if not old.allowed:
        return
    for what, before, after in (
        ("deadline", str(old.deadline), str(new.deadline)),
        ("refund", money(old.refund_minor), money(new.refund_minor)),
        ("credit", money(old.credit_minor), money(new.credit_minor)),
        ("postage", money(old.postage_minor), money(new.postage_minor)),
        ("choice", ", ".join(old.resolutions), ", ".join(new.resolutions)),
        ("keeps it", words(old.keep_item), words(new.keep_item)),
        ("at once", words(old.automatic), words(new.automatic)),
    ):
        if before != after:
            yield what, before, after


def reason_named(text: str) -> ReturnReason:
    """Return the reason with this name.

    Raises:
        InvalidInputError: there is none; the text lists them.
    """
    try:
        return ReturnReason(text.strip().lower().replace(" ", "_").replace("-", "_"))
    except ValueError as error:
        names = ", ".join(reason.value for reason in ReturnReason)
        raise InvalidInputError(f"{text[:40]} is no reason; there are {names}.") from error
