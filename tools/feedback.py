"""What customers want us to know."""

from typing import Annotated

from opsbot.commerce.cases import Case, office_hours
from opsbot.surveys.feedback import add_feedback
from opsbot.texts import clean_text
from opsbot.toolkit.arguments import OrderNumber, Product, Words, argument
from opsbot.toolkit.catalogue import find_product
from opsbot.toolkit.ownership import own_order
from opsbot.toolkit.results import Change, Result
from opsbot.toolkit.tool import ToolContext, tool

_LONGEST = 2000

Rating = Annotated[
    int,
    argument(
        "rating",
        "How many of five stars would you give?",
        description="A rating from 1 to 5; 0 when none was given.",
        pattern=r"\b([1-5])\s*(?:/\s*5\b|(?:out )?of (?:5|five)\b|stars?\b|points?\b)",
        ge=0,
        le=5,
    ),
]


@tool(
    examples=[
        "I want to leave some feedback",
        "just wanted to say that the new lamp is wonderful",
        "Feedback: the packaging was far too big",
        "I have a suggestion for you",
        "5 stars for the kettle, we love it",
        "your website is hard to use on a phone, please tell your team",
        "here is my opinion about the mug: the handle is too small",
        "I'd like to rate my purchase 4 out of 5",
        "compliments to whoever packed my parcel",
        "tell the makers that the glaze is beautiful",
        "please pass my praise on to the team",
    ],
    label="Writing your feedback down",
    effect="write",
    confirm="none",
    limits=("20/hour",),
)
def give_feedback(
    ctx: ToolContext,
    text: Words,
    rating: Rating = 0,
    product: Product | None = None,
    order_number: OrderNumber | None = None,
) -> Change:
    """Keep praise, criticism or a suggestion for the people of the shop to read."""
    said = clean_text(text, limit=_LONGEST, name="Your feedback")
    item = find_product(ctx.session, product, active_only=False) if product else None
    order = own_order(ctx, order_number) if order_number else None

    def apply() -> Result:
        kept = add_feedback(
            ctx.session,
            source="chat",
            text=said,
            rating=rating or None,
            sku=item.variants[0].sku if item and len(item.variants) == 1 else None,
            order=order,
            customer_id=ctx.caller.customer_id,
            conversation_id=ctx.conversation_id,
            hours=office_hours(ctx.settings),
            actor=ctx.caller.actor,
            now=ctx.now,
        )
        case = ctx.session.get(Case, kept.case_id) if kept.case_id else None
        words = "Thank you, I have written that down; the people who make our things read it."
        if case is not None:
            due = ctx.moment(case.first_response_due)
            words = f"Thank you for telling us. A person looks at it under **{case.number}**"
            words += f" by {due}." if ctx.caller.customer_id is not None else "."
        return Result(words, facts={"case_number": case.number if case else None})

    stars = [f"Rating: {rating} of 5."] if rating else []
    about = [f"About: {item.title}."] if item else []
    return Change(
        title="Send this feedback?",
        details=[f"You wrote: {said}", *stars, *about],
        button="Send it",
        basis={"text": said, "rating": rating},
        apply=apply,
    )
