"""Mails that tell a customer what was done, and refusals that quote the rule."""

from collections.abc import Sequence

from opsbot.commerce.customers import Customer
from opsbot.errors import PolicyError
from opsbot.mail import queue_mail
from opsbot.toolkit.tool import ToolContext


def tell_customer(
    ctx: ToolContext, customer: Customer, *, subject: str, lines: Sequence[str], key: str
) -> None:
    """Queue a mail to the customer's own address, in the transaction of the change.

    Args:
        ctx: of the tool that makes the change.
        customer: who gets it; the address is theirs on record, never one from words.
        subject: one line.
        lines: paragraphs between greeting and name of the shop.
        key: what the mail is about; a second one with the same key is not sent.
    """
    greeting = f"Hello {customer.name},"
    text = "\n\n".join((greeting, *lines, ctx.settings.shop_name)) + "\n"
    queue_mail(
        ctx.session, to=customer.email, subject=subject, text=text, now=ctx.now, dedupe_key=key
    )


def refusal(
    ctx: ToolContext,
    words: str,
    *,
    clause: str,
    alternatives: Sequence[str],
    instead: str = "",
    field: str = "",
    allowed: Sequence[str] = (),
) -> PolicyError:
    """Return the error that refuses by a clause of the shop's policies, and quotes it.

    Args:
        ctx: of the tool.
        words: what is refused, and why.
        clause: id of the clause.
        alternatives: what is possible instead, in sentences.
        instead: name of the tool that does what was meant, if one does.
        field: the argument whose value is refused, if it is one.
        allowed: the values it takes.
    """
    quoted = ctx.policies.clause(clause)
    return PolicyError(
        words,
        clause=clause,
        quote=quoted.text,
        alternatives=alternatives,
        instead=instead,
        field=field,
        allowed=allowed,
    )
