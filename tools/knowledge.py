"""What the shop's articles say."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator
from sqlalchemy import select

from opsbot.commerce.products import Item
from opsbot.errors import AmbiguousError
from opsbot.retrieval.answering import Answer
from opsbot.retrieval.answers import Extract, compose
from opsbot.retrieval.hits import Hit
from opsbot.retrieval.shelf import Reader
from opsbot.toolkit.arguments import argument
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.ownership import own_orders
from opsbot.toolkit.results import Result
from opsbot.toolkit.tool import ToolContext, tool

NOT_IN_ARTICLES = "Our articles do not say anything about that."
_CLOSEST = 3
_MOST_CHARACTERS = 1000


def _cut(question: object) -> object:
    """A long message asks early what it is about; refusing it would help nobody."""
    return question.strip()[:_MOST_CHARACTERS] if isinstance(question, str) else question


Question = Annotated[
    str,
    BeforeValidator(_cut),
    argument(
        "text",
        "What would you like to know?",
        description="The question in the person's own words, complete enough to stand alone.",
        min_length=2,
        max_length=_MOST_CHARACTERS,
    ),
]


@tool(
    examples=[
        "How do I clean the kiln mug?",
        "what does standard shipping cost",
        "My lamp flickers, what can I do?",
        "Which payment methods do you accept?",
        "how long is the warranty",
        "can I put the bowl in the dishwasher?",
        "What happens to my data?",
        "do you ship to Norway",
        "how do I set the grinder for espresso?",
        "where can I buy your lamps in a shop",
        "the kettle does not heat up any more",
        "my grinder makes a strange noise",
        "where is the item number printed",
        "when is a refund paid out?",
        "what do you charge for delivery to Denmark?",
        "do you offer discounts for schools",
        "What is your return policy?",
        "how do gift cards work",
    ],
    label="Searching the articles",
    role="knowledge",
)
def search_articles(ctx: ToolContext, question: Question) -> Result:
    """Answer a question about products, how-to, delivery, returns and the shop, with sources."""
    return _search(ctx, question, "customer")


@tool(
    examples=[
        "How do we inspect a returned lamp?",
        "what is the firing schedule of the kiln",
        "How much may I refund without asking?",
        "packing rules for ceramics",
        "which grade does an opened box get",
        "What do we check at incoming inspection?",
        "how do we handle a complaint about a cracked mug",
        "goodwill limits",
        "what does our return policy say about electronics",
    ],
    label="Searching the articles",
    audience=Audience.STAFF,
    role="knowledge",
)
def search_staff_articles(ctx: ToolContext, question: Question) -> Result:
    """Answer a question from all articles, those for staff included, with sources."""
    return _search(ctx, question, "staff")


def _search(ctx: ToolContext, question: str, reader: Reader) -> Result:
    answer = ctx.knowledge.answer(question, audience=reader, context=ctx.context)
    if answer.choices and (owned := _owned(ctx)):
        answer = ctx.knowledge.answer(question, audience=reader, context=ctx.context, owned=owned)
    if answer.choices:
        raise AmbiguousError(_which(answer.choices), candidates=answer.choices)
    if not answer.known or not answer.extracts:
        return _unknown(ctx, answer, reader)
    numbers = {hit.passage_id: n for n, hit in enumerate(answer.hits, 1)}
    passages = [
        {"n": n, "title": hit.title, "heading": hit.heading, "text": hit.text}
        for n, hit in enumerate(answer.hits, 1)
    ]
    say = _marked(answer.extracts, numbers)
    if answer.unanswered:
        say = f"{say}\n\n{_not_said(answer.unanswered)}"
    facts = {
        "known": True,
        "unanswered": list(answer.unanswered),
        "passages": passages,
        "index_version": answer.index_version,
    }
    return Result(say, facts=facts, hits=answer.hits)


def _owned(ctx: ToolContext) -> set[str]:
    """Return the item numbers of what the caller has bought, as products."""
    bought = {line.sku for order in own_orders(ctx) for line in order.lines}
    query = select(Item.sku, Item.variant_of).where(Item.sku.in_(bought))
    return {row.variant_of or row.sku for row in ctx.session.execute(query)}


def _which(titles: Sequence[str]) -> str:
    *others, last = titles
    return f"That differs between products. Which one is it: {', '.join(others)} or {last}?"


def _not_said(parts: Sequence[str]) -> str:
    quoted = " and ".join(f"\u201c{part.strip(' ?!.,;')}\u201d" for part in parts)
    return f"Our articles do not say anything about {quoted}."


def _marked(extracts: tuple[Extract, ...], numbers: dict[int, int]) -> str:
    """Return the extracts as one text; each section ends with the number of its source."""
    sections: list[list[Extract]] = []
    for piece in extracts:
        if not sections or sections[-1][-1].passage_id != piece.passage_id:
            sections.append([])
        sections[-1].append(piece)
    several = len(sections) > 1
    words = []
    for section in sections:
        text = compose(section)
        mark = f"[{numbers[section[0].passage_id]}]"
        heading = f"**{section[0].heading}**\n\n" if several else ""
        # After a list or a table the mark needs a line of its own.
        last = text.rsplit("\n", 1)[-1].lstrip()
        gap = "\n\n" if last.startswith(("|", "-", "*", ">")) or last[:1].isdigit() else " "
        words.append(f"{heading}{text}{gap}{mark}")
    return "\n\n".join(words)


def _unknown(ctx: ToolContext, answer: Answer, reader: Reader) -> Result:
    """Say that no article answers; name what comes near, and offer a person."""
    near = {(hit.title, hit.heading): hit for hit in reversed(answer.near)}
    closest = list(reversed(near.values()))[:_CLOSEST]
    lines = [NOT_IN_ARTICLES]
    if closest:
        links = [f"- [{_name(hit)}]({ctx.settings.public_url}{hit.url})" for hit in closest]
        lines += ["", "The closest they have:", *links]
    if reader == "customer":
        lines += ["", "Shall I pass your question on to a person?"]
    facts = {"known": False, "closest": [_name(hit) for hit in closest], "passages": []}
    replies = ["Yes, a person please"] if reader == "customer" else []
    return Result("\n".join(lines), facts=facts, quick_replies=replies)


def _name(hit: Hit) -> str:
    return f"{hit.title}: {hit.heading}" if hit.headings else hit.title
