"""The calls that take a customer's changes back, where one call can.

None where it could not: the shop would then have something else than before. Whether a call would
be agreed to is not asked here; the ledger tries it before it offers it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from opsbot.commerce.order_changes import Swap
from opsbot.commerce.orders import Order
from opsbot.commerce.payment_methods import PaymentMethod
from opsbot.commerce.returns import Return, ReturnKind
from opsbot.toolkit.addresses import as_written
from opsbot.toolkit.results import Undo


def address_back(
    tool: str, old: Mapping[str, Any], new: Mapping[str, Any], **arguments: str
) -> Undo | None:
    """Return the call that puts an address back in the place of the new one."""
    text = as_written(old, country=new["country"], name=new["name"])
    return Undo(tool, {**arguments, "address": text}) if text else None


def swaps_back(order: Order, swaps: Sequence[Swap], method: PaymentMethod | None) -> Undo | None:
    """Return the call that makes the old items of the new ones, before the swaps are made.

    An item that costs another price by now than the customer paid does not come back as it was.
    """
    new = [swap.item.sku for swap in swaps]
    others = {line.sku for line in order.lines}
    repriced = any(swap.line.unit_price_minor != swap.line.item.price_minor for swap in swaps)
    if repriced or len(set(new)) < len(new) or others & set(new):
        return None
    call: dict[str, Any] = {
        "order_number": order.number,
        "items": new,
        "new_items": [swap.line.sku for swap in swaps],
    }
    return Undo("change_items", call | _paid_with(method))


def asked_again(opened: Return, method: PaymentMethod | None) -> Undo | None:
    """Return the call that asks again for a return that is called off."""
    lines = opened.lines
    skus = [line.order_line.sku for line in lines]
    reasons = {line.reason for line in lines}
    whole = all(line.quantity == line.order_line.delivered for line in lines)
    if opened.kind is not ReturnKind.RETURN or len(set(skus)) < len(skus):
        return None  # a withdrawal is declared anew, in words of its own
    if len(reasons) > 1 or None in reasons or not (whole or len(lines) == 1):
        return None
    call: dict[str, Any] = {"order_number": opened.order.number, "items": skus}
    if len(lines) == 1:
        call["quantity"] = lines[0].quantity
    if opened.difference_minor is not None:
        wanted = [line.replacement_sku for line in lines]
        return Undo("exchange_items", call | {"new_items": wanted} | _paid_with(method))
    (reason,) = reasons
    call |= {"reason": reason, "resolution": opened.resolution}
    facts = (opened.decision.get("pieces") or [{}])[0].get("facts", {})
    if "condition" in facts:
        call["condition"] = facts["condition"]
    return Undo("request_return", call | ({"refund_to": method.reference} if method else {}))


def _paid_with(method: PaymentMethod | None) -> dict[str, str]:
    return {"payment_method": method.reference} if method else {}
