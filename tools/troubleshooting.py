"""Step by step through what a customer can try, from the troubleshooting articles."""

import re
from dataclasses import dataclass
from typing import Any

from opsbot.errors import NotFoundError
from opsbot.hazards import tells_of_harm
from opsbot.retrieval.knowledge import ArticlePage
from opsbot.toolkit.arguments import Product, Words
from opsbot.toolkit.catalogue import find_products
from opsbot.toolkit.results import Result
from opsbot.toolkit.tool import ToolContext, tool

_FOLDER = "troubleshooting/"
_NEAR = 0.35
"""Cosine from which a section of a guide is about what is wrong."""
_STEP = re.compile(r"^(\d{1,2})\. (.+)$", re.MULTILINE)
_WARNING = re.compile(r"^> \*\*Warning:\*\* (.+)$", re.MULTILINE)
_TOLD = re.compile(r"\*\*(?P<guide>[^*\n]{3,200})\*\*, step (?P<step>\d{1,2}) of \d{1,2}")
"""How an earlier answer named the guide and the step; see `_say_step`."""
_SOLVED = re.compile(
    r"\b(?:it works|works now|working again|solved|fixed|that helped|did the trick)\b",
    re.IGNORECASE,
)
_NOT_SOLVED = re.compile(r"\b(?:not|n[o']t|never|no)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Guide:
    """One section of an article that has steps."""

    title: str
    heading: str
    url: str
    warnings: tuple[str, ...]
    steps: tuple[str, ...]

    @property
    def name(self) -> str:
        """What an answer calls it."""
        return f"{self.title}: {self.heading}"


@tool(
    examples=[
        "Walk me through fixing my lamp, it does not turn on",
        "help me troubleshoot the Tide grinder step by step",
        "guide me through it: the lantern does not charge",
        "can we go through the steps to repair the zip together",
        "start the troubleshooting for my kettle lid",
        "take me through the steps for a zip that jams",
        "let us find out together why it does not work",
        "it is dead, how can I fix it",
    ],
    follow_ups=[
        "that did not help",
        "that did not help, what is the next step?",
        "I tried that and it still does not work",
        "done, what should I try next",
        "still the same problem after that step",
        "next step please, no change so far",
        "it works now, thanks for the steps",
        "tried it, nothing happens",
        "no difference, still broken",
        "ok did that",
    ],
    label="Looking for the next step",
    role="danger",
)
def troubleshoot(ctx: ToolContext, symptom: Words = "", product: Product | None = None) -> Result:
    """Guide through fixing a product, one step at a time; stops when something is dangerous."""
    said = symptom or ctx.question
    before = _TOLD.search(ctx.context)
    guides = _guides(ctx, product)
    guide = next((g for g in _guides(ctx, None) if before and g.name == before["guide"]), None)
    if tells_of_harm(said) or tells_of_harm(ctx.question):
        return _stop(guide or _nearest(ctx, guides, said))
    if guide is not None and before is not None:
        if _SOLVED.search(said) and not _NOT_SOLVED.search(said):
            return Result("Good to hear that it works again.", facts={"outcome": "solved"})
        return _say_step(ctx, guide, int(before["step"]))
    found = _nearest(ctx, guides, f"{product}: {said}" if product else said)
    if found is None:
        raise NotFoundError("steps for", said.strip()[:60] or "that")
    return _say_step(ctx, found, 0)


def _say_step(ctx: ToolContext, guide: Guide, done: int) -> Result:
    """Return the step after those that are done, or what there is to do after the last."""
    count = len(guide.steps)
    if done >= count:
        words = (
            f"That was the last of the {count} steps of {guide.name}. So it is a case for our "
            "people: a part, a repair or a replacement. Shall I pass it on to a person?"
        )
        told = {"outcome": "case", "guide": guide.name}
        return Result(words, facts=told, quick_replies=["Yes, a person please"])
    lines = [f"**{guide.name}**, step {done + 1} of {count}:", ""]
    if done == 0:
        lines += [f"> {warning}" for warning in guide.warnings] + [""] * bool(guide.warnings)
    lines.append(guide.steps[done])
    lines += ["", f"[The whole guide]({ctx.settings.public_url}{guide.url})"]
    facts: dict[str, Any] = {"guide": guide.name, "step": done + 1, "steps": count}
    replies = ["That did not help, next step please", "It works now"]
    return Result("\n".join(lines), facts=facts, quick_replies=replies)


def _stop(guide: Guide | None) -> Result:
    words = ["Please stop using it and unplug it; do not try any further step."]
    words += [f"> {warning}" for warning in guide.warnings] if guide else []
    words.append("I am handing this over to a person of our team as urgent.")
    return Result("\n\n".join(words), facts={"outcome": "danger"}, hands_off=True)


def _guides(ctx: ToolContext, product: str | None) -> list[Guide]:
    named = find_products(ctx.session, product, active_only=False) if product else []
    numbers = {one.sku for one in named}
    guides = []
    for article in ctx.knowledge.list_articles(audience="customer"):
        fits = not numbers or not article.products or numbers & set(article.products)
        if article.path.startswith(_FOLDER) and fits:
            guides += _sections(ctx.knowledge.article(article.slug, audience="customer"))
    return guides


def _sections(page: ArticlePage) -> list[Guide]:
    """Return the sections of an article that have numbered steps."""
    warnings = tuple(_WARNING.findall(page.text))
    guides = []
    starts = [heading.start for heading in page.headings] + [len(page.text)]
    above = ""
    for heading, end in zip(page.headings, starts[1:], strict=True):
        name = heading.text
        if heading.level <= 2:  # noqa: PLR2004  (a main section; deeper ones belong to it)
            above = heading.text
        elif above:
            name = f"{above}, {heading.text}"
        steps = tuple(text for _, text in _STEP.findall(page.text[heading.start : end]))
        if len(steps) > 1:
            url = f"{page.url}#{heading.anchor}"
            guides.append(Guide(page.title, name, url, warnings, steps))
    return guides


def _nearest(ctx: ToolContext, guides: list[Guide], said: str) -> Guide | None:
    if not guides or not said.strip():
        return None
    vectors = ctx.knowledge.encoder.encode([said, *(guide.name for guide in guides)])
    cosines = vectors[1:] @ vectors[0]
    best = int(cosines.argmax())
    return guides[best] if cosines[best] >= _NEAR else None
