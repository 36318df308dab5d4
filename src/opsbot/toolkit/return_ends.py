"""With what a return may end, and how much the customer gets then."""

from opsbot.commerce.payments import payments_of, refundable
from opsbot.commerce.return_work import goods_stay
from opsbot.commerce.returns import KEPT, Resolution, Return, ReturnKind, ReturnState
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.toolkit.money_words import minor_of
from opsbot.toolkit.notices import refusal
from opsbot.toolkit.return_words import CHOICES
from opsbot.toolkit.tool import ToolContext


def check_can_end(ctx: ToolContext, opened: Return, chosen: Resolution) -> None:
    """Refuse to end a return that is not so far, or a withdrawal otherwise than by its money."""
    kept = goods_stay(opened) or chosen in KEPT
    if opened.state is ReturnState.INSPECTED or (kept and opened.state is ReturnState.APPROVED):
        pass
    else:
        state = opened.state.value.replace("_", " ")
        need = "the goods must be here and graded first"
        raise ConflictError(f"{opened.number} cannot end yet: it is {state}, and {need}.")
    if opened.kind is ReturnKind.WITHDRAWAL and chosen is not Resolution.REFUND:
        words = f"{opened.number} is a withdrawal by law: the money goes back as it was paid."
        raise refusal(ctx, words, clause="withdrawal.effects", alternatives=())


def money_of(
    ctx: ToolContext, opened: Return, chosen: Resolution, amount: object, note: str
) -> int:
    """Return what is paid or credited, and refuse what the rules do not allow."""
    given = minor_of(amount, opened.order.currency) if amount is not None else None
    if chosen not in {Resolution.REFUND, Resolution.STORE_CREDIT, Resolution.PRICE_REDUCTION}:
        if given:
            raise InvalidInputError(f"With {CHOICES[chosen]} no amount is paid.")
        return 0
    announced = opened.refund_minor if chosen is opened.resolution else _kept_amount(opened, chosen)
    if given is None:
        if not announced:
            raise InvalidInputError("Say how much the customer gets.")
        return announced
    if announced and given != announced and not note:
        raise InvalidInputError("Say why the amount is another one than was announced.")
    if announced and given < announced:
        _check_reduction(ctx, opened)
    if chosen is not Resolution.STORE_CREDIT:
        left = refundable(payments_of(ctx.session, opened.order_id))
        if given > left:
            words = f"{ctx.money(left, opened.order.currency)} of what was paid is left."
            raise refusal(ctx, words, clause="refunds.never_more", alternatives=())
    return given


def _kept_amount(opened: Return, chosen: Resolution) -> int:
    """Return what the decision that was kept gives for another resolution."""
    pieces = opened.decision.get("pieces") or []
    return sum(int(piece.get("by_resolution", {}).get(chosen.value, 0)) for piece in pieces)


def _check_reduction(ctx: ToolContext, opened: Return) -> None:
    """Less is paid only where goods that were worn came back for the customer's own reason."""
    worn = any(line.grade in {"C", "D"} for line in opened.lines)
    fault = any(
        ctx.policies.returns.reasons[line.reason].fault != "customer"
        for line in opened.lines
        if line.reason is not None
    )
    if fault or not worn:
        words = (
            "The refund that was announced is owed in full: less is paid only for goods of grade "
            "C or D that came back for the customer's own reason."
        )
        raise refusal(ctx, words, clause="returns.value", alternatives=())
