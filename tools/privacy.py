"""What a customer wants of us: mails or none, their data, its deletion."""

from datetime import datetime
from typing import Annotated, Literal

from sqlalchemy import select

from opsbot.commerce.cases import (
    AT_WORK,
    PRIVACY_LIMIT,
    Case,
    CaseKind,
    office_hours,
    open_case,
)
from opsbot.commerce.customers import Customer
from opsbot.errors import ConflictError
from opsbot.surveys.answers import stop_asking
from opsbot.toolkit.arguments import argument
from opsbot.toolkit.caller import Level
from opsbot.toolkit.notices import tell_customer
from opsbot.toolkit.results import Change, Result, Undo
from opsbot.toolkit.tool import ToolContext, tool

Topic = Annotated[
    Literal["surveys", "newsletter", "everything"],
    argument(
        "choice",
        "Is it about the surveys, the newsletter, or both?",
        description="Which mails it is about.",
        labels={
            "surveys": ("surveys", "survey", "questionnaires", "feedback mails", "rating requests"),
            "newsletter": ("newsletter", "news", "advertising", "marketing", "promotions", "ads"),
            "everything": ("everything", "both", "any mails", "all mails", "any more mail"),
        },
    ),
]
Wish = Annotated[
    Literal["stop", "allow"],
    argument(
        "choice",
        "Shall I stop them or switch them on?",
        description="Whether the mails shall stop or come.",
        labels={
            "stop": ("stop", "unsubscribe", "no more", "opt out", "do not send", "remove me"),
            "allow": ("subscribe me", "sign me up", "switch on", "send me again", "opt in"),
        },
    ),
]
AboutData = Annotated[
    Literal["access", "delete", "correct"],
    argument(
        "choice",
        "Do you want a copy of your data, its deletion, or a correction?",
        description="What shall be done with the customer's data.",
        labels={
            "access": ("copy of my data", "export my data", "what you know about me", "access"),
            "delete": ("delete my data", "erase", "delete my account", "forget me", "remove"),
            "correct": ("correct", "wrong data", "fix my data", "rectify"),
        },
    ),
]
_SUBJECTS = {
    "access": "asks for a copy of their data",
    "delete": "asks for the deletion of their data",
    "correct": "asks for a correction of their data",
}
_DONE = {
    "access": "You get a copy of everything we keep about you",
    "delete": "We delete everything that no law makes us keep",
    "correct": "We correct what is wrong and tell you",
}


@tool(
    examples=[
        "Unsubscribe me from the newsletter",
        "stop sending me surveys",
        "I don't want any more mails from you",
        "please opt me out of your questionnaires",
        "no more advertising please",
        "Sign me up for your newsletter again",
        "take me off your mailing list",
        "how do I get rid of these rating requests",
        "you may send me surveys again",
        "switch off marketing mails",
    ],
    label="Changing what you get from us",
    effect="write",
    confirm="none",
    level=Level.SIGNED_IN,
)
def set_contact_preferences(ctx: ToolContext, topic: Topic, wish: Wish = "stop") -> Change:
    """Stop or allow the surveys and the newsletter; it takes effect at once."""
    customer = ctx.session.get_one(Customer, ctx.caller.customer_id)
    surveys, news = topic != "newsletter", topic != "surveys"
    names = " and ".join(["surveys"] * surveys + ["the newsletter"] * news)
    back = _back(customer, topic, wish)

    def apply() -> Result:
        if surveys and wish == "stop":
            stop_asking(ctx.session, customer, now=ctx.now)
        elif surveys:
            customer.survey_opt_out_at = None
        if news:
            customer.newsletter_since = None
        if news and wish == "allow":
            customer.newsletter_since = ctx.now
        ctx.session.flush()
        done = f"You get no more mails about: {names}." if wish == "stop" else _allowed(names)
        return Result(done, facts={"topic": topic, "wish": wish})

    stays = "Mails about your orders, such as tracking, still come."
    what = (
        "You get no more of them, from now on." if wish == "stop" else "You get them from now on."
    )
    return Change(
        title=f"{'Stop' if wish == 'stop' else 'Switch on'} {names}?",
        details=[what, stays],
        button="Stop them" if wish == "stop" else "Switch on",
        basis={"topic": topic, "wish": wish},
        apply=apply,
        undo=back,
    )


@tool(
    examples=[
        "I want a copy of all the data you have about me",
        "delete my account and my data",
        "please erase my personal data",
        "GDPR request: what do you know about me?",
        "export my data",
        "forget me, I am not a customer any more",
        "I'd like to make a data access request",
        "remove all information you store about me",
        "my personal data is wrong, please correct it",
    ],
    label="Preparing the request",
    effect="write",
    limits=("5/day",),
    level=Level.FRESH_CODE,
)
def privacy_request(ctx: ToolContext, request: AboutData) -> Change:
    """Open a request for a copy, the deletion or the correction of the customer's own data."""
    customer = ctx.session.get_one(Customer, ctx.caller.customer_id)
    subject = f"Customer {customer.number} {_SUBJECTS[request]}"
    known = _known(ctx, subject)
    if known is not None:
        due = ctx.day(known.resolution_due or known.first_response_due)
        raise ConflictError(f"We have that request already as {known.number}; it is due by {due}.")
    until = ctx.now + PRIVACY_LIMIT

    def apply() -> Result:
        return _open(ctx, customer, request, subject, until)

    kept = "Invoices stay for as long as tax law asks; they become anonymous after that."
    return Change(
        title={
            "access": "Ask for a copy of your data?",
            "delete": "Ask for the deletion of your data?",
            "correct": "Ask for a correction of your data?",
        }[request],
        details=[
            f"{_DONE[request]}, by {ctx.day(until)} at the latest.",
            *([kept, "This cannot be undone once it is done."] if request == "delete" else []),
            "A person takes care of it and writes to your e-mail address.",
        ],
        button="Send the request",
        basis={"request": request, "customer": customer.number},
        apply=apply,
    )


def _back(customer: Customer, topic: str, wish: str) -> Undo | None:
    """Return the call that brings what changes back to what it is now; None when nothing does."""
    wanted = wish == "allow"
    comes = {
        "surveys": customer.survey_opt_out_at is None,
        "newsletter": customer.newsletter_since is not None,
    }
    about = comes if topic == "everything" else {topic: comes[topic]}
    changed = [name for name, came in about.items() if came is not wanted]
    if not changed:
        return None
    both = len(changed) == len(comes)
    call = {"topic": "everything" if both else changed[0], "wish": "stop" if wanted else "allow"}
    return Undo("set_contact_preferences", call)


def _allowed(names: str) -> str:
    return f"You get {names} again. You can stop them at any time."


def _known(ctx: ToolContext, subject: str) -> Case | None:
    return ctx.session.scalar(
        select(Case).where(
            Case.customer_id == ctx.caller.customer_id,
            Case.kind == CaseKind.PRIVACY,
            Case.subject == subject,
            Case.state.in_(AT_WORK),
        )
    )


def _open(ctx: ToolContext, customer: Customer, kind: str, subject: str, until: datetime) -> Result:
    command = "delete" if kind == "delete" else "export"
    case = open_case(
        ctx.session,
        CaseKind.PRIVACY,
        subject=subject,
        summary=f"{subject}, proved by a fresh code. `opsbot privacy {command} EMAIL` does it.",
        customer_id=customer.id,
        conversation_id=ctx.conversation_id,
        hours=office_hours(ctx.settings),
        actor=ctx.caller.actor,
        now=ctx.now,
    )
    line = f"{_DONE[kind]}, by {ctx.day(until)} at the latest."
    tell_customer(
        ctx,
        customer,
        subject=f"{case.number}: your request about your data",
        lines=[f"We have your request {case.number}.", line],
        key=f"case-opened:{case.number}",
    )
    words = f"I have passed it on as **{case.number}**. {line}"
    return Result(words, facts={"case_number": case.number, "kind": kind, "due": ctx.day(until)})
