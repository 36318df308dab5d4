"""Payment methods as customers speak of them, and where money of an order may go."""

import re
from collections.abc import Sequence

from opsbot.commerce.orders import Order
from opsbot.commerce.payment_methods import MethodKind, PaymentMethod, methods_of
from opsbot.commerce.payments import Payment, PaymentKind, paid_by, payments_of, reserved_by
from opsbot.errors import AmbiguousError, ConflictError, InvalidInputError
from opsbot.formats import format_items
from opsbot.toolkit.caller import Level
from opsbot.toolkit.notices import refusal
from opsbot.toolkit.policy.changes import may_receive
from opsbot.toolkit.policy.schema_changes import Destination
from opsbot.toolkit.tool import ToolContext

_NAMES = {
    MethodKind.CARD: "card",
    MethodKind.PAYPAL: "PayPal",
    MethodKind.GIFT_CARD: "gift card",
    MethodKind.STORE_CREDIT: "store credit",
    MethodKind.BANK_TRANSFER: "bank transfer",
    MethodKind.INVOICE: "invoice",
}
_WORDS = {
    MethodKind.GIFT_CARD: r"gift|voucher|gutschein",
    MethodKind.STORE_CREDIT: r"store credit|shop credit|guthaben",
    MethodKind.PAYPAL: r"pay\s?pal",
    MethodKind.BANK_TRANSFER: r"bank|transfer|überweisung",
    MethodKind.INVOICE: r"invoice|rechnung",
    MethodKind.CARD: r"card|karte",
}
_BRANDS = re.compile(r"visa|master\s?card|amex|american express|discover|maestro")
_ORIGINAL = re.compile(
    r"\b(?:original|same (?:way|method|card)|way (?:it was|i) paid|paid (?:with|by)|where it came)",
    re.IGNORECASE,
)
_YOURS = {
    "card": "your card",
    "paypal": "your PayPal account",
    "invoice": "your account",
    "bank_transfer": "your bank account",
    "gift_card": "your gift card",
    "store_credit": "your store credit",
}


def own_methods(ctx: ToolContext) -> list[PaymentMethod]:
    """Return the caller's payment methods; none for who has not signed in."""
    caller = ctx.caller
    if caller.is_staff or caller.customer_id is None or caller.level < Level.SIGNED_IN:
        return []
    return methods_of(ctx.session, caller.customer_id)


def method_in_words(method: PaymentMethod) -> str:
    """Return "Visa ending in 4242", "PayPal", "gift card ending in 7021"."""
    name = _NAMES[method.kind]
    if method.kind is MethodKind.CARD and method.brand:
        name = method.brand.capitalize()
    return f"{name} ending in {method.last4}" if method.last4 else name


def money_goes_to(payment: Payment) -> str:
    """Return "your Visa ending in 4242", or "your card" where none is stored."""
    if payment.payment_method is not None:
        return f"your {method_in_words(payment.payment_method)}"
    return _YOURS.get(payment.method, "your account")


def ways_back(order_payments: Sequence[Payment]) -> str:
    """Return where a refund of an order goes, by the way it was paid."""
    ways = paid_by(order_payments)
    return format_items([money_goes_to(first) for first, _ in ways]) if ways else "your account"


def pick_method(ctx: ToolContext, order: Order, words: str) -> PaymentMethod | None:
    """Return the payment method that is meant; None for the way the order was paid.

    Raises:
        AmbiguousError: several fit, or none; with what there is.
    """
    methods = [one for one in own_methods(ctx) if one.currency == order.currency]
    fits = _fitting(methods, words)
    if len(fits) != 1 and _ORIGINAL.search(words):
        return None
    if len(fits) == 1:
        return fits[0]
    known = [method_in_words(one) for one in fits or methods]
    if not known:
        raise InvalidInputError("There is no payment method in your account that could be used.")
    raise AmbiguousError("Which of your payment methods do you mean?", candidates=known)


def original_method(ctx: ToolContext, order: Order) -> PaymentMethod | None:
    """Return the stored payment method that an order was paid by first, if there is one."""
    ledger = payments_of(ctx.session, order.id)
    ways = [*paid_by(ledger), *reserved_by(ledger)]
    return ways[0][0].payment_method if ways else None


def is_only_way(ctx: ToolContext, order: Order) -> bool:
    """Tell whether an order is paid, or its payment reserved, in one way alone."""
    ledger = payments_of(ctx.session, order.id)
    return len([*paid_by(ledger), *reserved_by(ledger)]) == 1


def is_original(ctx: ToolContext, order: Order, method: PaymentMethod) -> bool:
    """Tell whether an order was paid by this payment method."""
    kinds = {PaymentKind.CAPTURE, PaymentKind.AUTHORIZATION}
    ledger = payments_of(ctx.session, order.id)
    return any(p.payment_method_id == method.id for p in ledger if p.kind in kinds)


def check_destination(
    ctx: ToolContext, order: Order, method: PaymentMethod, allowed: Sequence[Destination]
) -> None:
    """Refuse a payment method that money of an order may not go to.

    Raises:
        PolicyError: the shop's rule does not name it.
    """
    original = is_original(ctx, order, method)
    if may_receive(method.kind, original=original, allowed=allowed):
        return
    ways = ways_back(payments_of(ctx.session, order.id))
    raise refusal(
        ctx,
        f"That money cannot go to your {method_in_words(method)}.",
        clause="changes.refund_to",
        alternatives=(f"It can go back to {ways}, or to a gift card of your account.",),
    )


def check_covers(ctx: ToolContext, method: PaymentMethod, amount_minor: int) -> None:
    """Refuse a gift card or store credit that has less on it than it is to pay.

    Raises:
        PolicyError: it does not cover the amount.
    """
    if not method.has_balance or method.balance_minor >= amount_minor:
        return
    left = ctx.money(method.balance_minor, method.currency)
    wanted = ctx.money(amount_minor, method.currency)
    raise refusal(
        ctx,
        f"There is {left} on your {method_in_words(method)}, and {wanted} is to be paid.",
        clause="changes.gift_card",
        alternatives=("Please choose another payment method.",),
    )


def require_method(ctx: ToolContext, order: Order) -> PaymentMethod:
    """Return the payment method that an order was paid by, to charge it again.

    Raises:
        AmbiguousError: it is not stored; with what the customer may choose.
        ConflictError: the customer has no payment method that could be charged.
    """
    method = original_method(ctx, order)
    if method is not None and method.active:
        return method
    known = [method_in_words(one) for one in own_methods(ctx) if one.currency == order.currency]
    if not known:
        raise ConflictError("There is no payment method in your account to charge it to.")
    raise AmbiguousError("How would you like to pay the difference?", candidates=known)


def _fitting(methods: Sequence[PaymentMethod], words: str) -> list[PaymentMethod]:
    plain = words.strip().casefold()
    exact = [m for m in methods if plain in {m.reference.casefold(), method_in_words(m).casefold()}]
    if exact:
        return exact
    if ending := [m for m in methods if m.last4 and re.search(rf"\b{m.last4}\b", words)]:
        return ending
    if branded := [m for m in methods if m.brand and m.brand.casefold() in plain.replace(" ", "")]:
        return branded
    if _BRANDS.search(plain):
        return []
    for kind, pattern in _WORDS.items():
        if re.search(pattern, plain):
            return [m for m in methods if m.kind is kind]
    return []
