"""How somebody who has not signed in shows that an order, or an account, is theirs."""

from opsbot.errors import InvalidInputError
from opsbot.toolkit.arguments import (
    AccountEmail,
    AccountPostcode,
    Email,
    OrderNumber,
    PersonName,
    Postcode,
)
from opsbot.toolkit.caller import Level
from opsbot.toolkit.policy.schema_changes import ProofKind
from opsbot.toolkit.proofs import prove_customer, prove_order
from opsbot.toolkit.results import Result
from opsbot.toolkit.tool import ToolContext, tool


@tool(
    examples=[
        "My order number is #1004 and my e-mail is ada@example.com",
        "order 1010, postcode 10119",
        "verify my order",
        "I am not signed in, but I have an order number",
        "here are my details: 1012, mia@example.org",
        "can you check my order with my zip code?",
        "I ordered as a guest, how do I prove it is mine",
        "#1007, the mail address is jo@example.net",
        "identify me by my order",
    ],
    label="Checking the order number",
    role="proof",
)
def verify_order(
    ctx: ToolContext,
    order_number: OrderNumber,
    email: Email = "",
    postcode: Postcode = "",
) -> Result:
    """Check that an order number goes with its e-mail address or postcode.

    After that the order may be spoken about; names and streets stay hidden.
    """
    if ctx.caller.is_staff or ctx.caller.level >= Level.SIGNED_IN:
        return Result("You are signed in already, so I can see your orders.")
    if not email.strip() and not postcode.strip():
        raise InvalidInputError(
            "Please tell me the e-mail address of the order, or the postcode it goes to."
        )
    order = prove_order(
        ctx.session,
        order_number,
        email=email,
        postcode=postcode,
        conversation_id=ctx.conversation_id,
        origin=ctx.caller.origin,
        now=ctx.now,
    )
    return Result(
        f"Thank you, that is order **{order.number}**. What would you like to know?",
        facts={"order_number": order.number, "proved": True},
        proves_order_id=order.id,
        proves_customer_id=order.customer_id,
    )


@tool(
    examples=[
        "My name is Ada Brandt and my postcode is 10119",
        "My e-mail is ada@example.com",
        "sure, it's mia@example.org",
        "I do not remember my e-mail, but I am Jo Weber, zip code 80469",
        "here is who I am: Leo Garnier, 75011",
        "you can find me under ines@example.net",
        "identify me by my name and zip code",
        "the account is under nora@example.com",
    ],
    label="Looking up your account",
    role="proof",
    grants=Level.SIGNED_IN,
    limits=("20/hour",),
)
def verify_customer(
    ctx: ToolContext,
    email: AccountEmail = "",
    name: PersonName = "",
    postcode: AccountPostcode = "",
) -> Result:
    """Find the customer's account by its e-mail address, or by name and postcode."""
    if ctx.caller.is_staff or ctx.caller.level >= Level.SIGNED_IN:
        return Result("I know who you are already, so I can see your orders.")
    kinds = ctx.policies.identity.proofs
    email = email if ProofKind.EMAIL in kinds else ""
    if ProofKind.NAME_POSTCODE not in kinds:
        name = postcode = ""
    if not email.strip() and not (name.strip() and postcode.strip()):
        missing = "name" if postcode.strip() else "postcode" if name.strip() else ""
        if missing:
            raise InvalidInputError(f"Please also tell me your {missing}.")
        raise InvalidInputError(
            "Please tell me the e-mail address of your account, or your name and postcode."
        )
    customer = prove_customer(
        ctx.session,
        email=email,
        name=name,
        postcode=postcode,
        conversation_id=ctx.conversation_id,
        origin=ctx.caller.origin,
        now=ctx.now,
    )
    return Result(
        f"Thank you, {customer.name}. What would you like to know?",
        facts={"proved": True},
        proves_customer_id=customer.id,
    )
