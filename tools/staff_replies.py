"""Answering customers in writing: a draft from records and articles, sent only by a person."""

from typing import Annotated

from opsbot.commerce.cases import office_hours
from opsbot.drafts.answers import keep_draft, write_reply
from opsbot.drafts.matters import find_matter
from opsbot.drafts.models import OPEN_DRAFTS
from opsbot.drafts.review import approve_draft, find_draft
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.toolkit.arguments import argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.results import Change, Result
from opsbot.toolkit.tool import ToolContext, tool

ROLES = ("agent", "ops", "quality", "lead", "manager")
_NAME = r"(?-i:[^\W\da-z_][\w'-]+(?: [^\W\da-z_][\w'-]+)*)"

About = Annotated[
    str,
    argument(
        "matter",
        "To whom, or in which case? A case number, an order, an address or a name.",
        description="What is answered: a case number such as CS-00012, an order number, the "
        "customer's e-mail address, or their name.",
        pattern=r"\bCS[- ]?\d{1,7}\b|#\d{4,7}\b|[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+"
        rf"|\b(?:reply|answer|response|mail|draft) (?:to|for) (?:customer )?({_NAME})",
        min_length=2,
        max_length=254,
    ),
]
Points = Annotated[
    str,
    argument(
        "points",
        "What shall the answer say beside the facts?",
        description="Words to put into the answer as they are; empty: the facts alone.",
        pattern=r"(?:\bsay(?:ing)?(?: that)?|\btell(?:ing)? (?:him|her|them) that"
        r"|\bwith the words)\b:?\s+(.{3,})",
        max_length=4000,
    ),
]
DraftNumber = Annotated[
    str,
    argument(
        "draft_number",
        "Which draft? Its number is in the list of drafts, such as draft 12.",
        description="Number of a draft, such as 12.",
        pattern=r"\bdraft(?:ed)?(?: reply| answer)?[\s#:-]*(?:no\.?|number)?[\s#:-]*(\d{1,9})\b",
        max_length=20,
    ),
]


@tool(
    examples=[
        "Draft a reply to CS-00034",
        "write an answer to the customer of CS-00012",
        "prepare a response to Maria Silva about her parcel",
        "Suggest an answer for case CS-00051",
        "please draft a mail to jonas@example.com about the cracked mug",
        "reply to CS-00007 saying that the new lamp leaves tomorrow",
        "compose an answer to the complaint CS-00020",
        "start the answer for Ben Okafor about the missing lid",
        "I need a draft for CS-00003",
        "formulate a reply for the customer of #1042",
    ],
    label="Drafting the answer",
    audience=Audience.STAFF,
    roles=ROLES,
    effect="write",
    pii="full",
)
def draft_reply(ctx: ToolContext, about: About, points: Points = "") -> Change:
    """Draft the answer to a case or mail from records and articles, for a person to check.

    Nothing is sent: the draft waits in the review queue.

    Args:
        ctx: who asks.
        about: what is answered.
        points: what shall stand in it beside the facts.
    """
    matter = find_matter(ctx.session, about)
    text, citations = write_reply(ctx, matter, points.strip())

    def apply() -> Result:
        draft = keep_draft(
            ctx.session, matter, text, citations, staff_id=ctx.caller.staff_id, now=ctx.now
        )
        facts = {"draft": draft.id, "to": matter.recipient, "about": matter.called}
        where = f"{ctx.settings.public_url.rstrip('/')}/console/drafts/{draft.id}"
        return Result(f"[Draft {draft.id}]({where}) waits to be checked and sent.", facts=facts)

    replaced = f"It takes the place of draft {matter.waiting.id}." if matter.waiting else ""
    sources = ", ".join(str(one["title"]) for one in citations)
    return Change(
        title=f"Keep this answer to {matter.name or matter.recipient} as a draft?",
        details=[
            f"Answers {matter.called}: {matter.subject}",
            *text.strip().split("\n\n"),
            f"It quotes: {sources}." if sources else "It quotes no article.",
            *([replaced] if replaced else []),
            "Nothing is sent.",
        ],
        button="Keep the draft",
        basis={
            "about": matter.called,
            "text": text,
            "waiting": matter.waiting.id if matter.waiting else None,
            "case": matter.case.version if matter.case else None,
        },
        apply=apply,
        can_be_rehearsed=False,
    )


@tool(
    examples=[
        "Send draft 12",
        "approve draft 7 and send it",
        "the draft reply 3 is fine, mail it to the customer",
        "please send out draft no. 15",
        "mail draft 21 now",
        "release the drafted answer 9 to the customer",
        "draft 30 can go out",
        "dispatch draft 4",
    ],
    label="Preparing to send",
    audience=Audience.STAFF,
    roles=ROLES,
    effect="irreversible",
    pii="full",
)
def send_reply(ctx: ToolContext, draft: DraftNumber) -> Change:
    """Send a drafted answer by mail; a case then waits for the customer.

    Args:
        ctx: who asks.
        draft: its number.
    """
    digits = "".join(char for char in draft if char.isascii() and char.isdigit())
    if not digits or int(digits) >= 2**31:
        raise InvalidInputError("draft: give the number of a draft, such as 12.", field="draft")
    found = find_draft(ctx.session, int(digits))
    if found.state not in OPEN_DRAFTS:
        raise ConflictError(f"Draft {found.id} was {found.state} already.", state=found.state)
    asked, text = found.asked, found.text

    def apply() -> Result:
        hours = office_hours(ctx.settings)
        approve_draft(ctx.session, found.id, ctx.caller, now=ctx.now, hours=hours)
        facts = {"draft": found.id, "to": asked.sender}
        return Result(f"The answer to **{asked.sender}** leaves by mail.", facts=facts)

    return Change(
        title=f"Send draft {found.id} to {asked.sender}?",
        details=[
            f"Answers: {asked.subject}",
            *text.strip().split("\n\n"),
            *(["The case then waits for the customer."] if found.case is not None else []),
            "What is sent cannot be called back.",
        ],
        button="Send it",
        basis={"draft": found.id, "text": text, "state": found.state.value, "to": asked.sender},
        apply=apply,
    )
