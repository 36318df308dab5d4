"""Items of the shop that staff name: one, a product with its variants, or a whole category."""

from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from opsbot.commerce.products import Item
from opsbot.errors import NotFoundError
from opsbot.formats import format_items
from opsbot.metrics import stock
from opsbot.toolkit.arguments import argument
from opsbot.toolkit.catalogue import find_products

NamedItems = Annotated[
    str,
    argument(
        "item",
        "Which item? A title, an item number, or a category.",
        description="An item by title, by item number (SKU), or a whole category.",
        min_length=2,
        max_length=120,
    ),
]


@dataclass(frozen=True)
class FoundItems:
    """What words named."""

    label: str
    """The category, the product, or the item."""
    items: list[Item]
    """What is sold of it, one at least."""

    @property
    def skus(self) -> list[str]:
        """Their numbers."""
        return [item.sku for item in self.items]


def find_items(session: Session, words: str, *, parts: bool = False) -> FoundItems:
    """Return the items of a category, or of the products that fit words; also retired ones.

    Args:
        session: a session to read in.
        words: what was said.
        parts: materials that are not sold count too.

    Raises:
        NotFoundError: nothing the shop sells, or sold, is called so.
    """
    if category := stock.find_category(session, words):
        return _of_category(session, category, parts=parts)
    products = find_products(session, words, active_only=False, parts=parts)
    if not products and (category := stock.find_category(session, words, among_others=True)):
        return _of_category(session, category, parts=parts)
    if not products:
        raise NotFoundError("an item called", words.strip()[:60])
    items = [variant for product in products for variant in product.variants]
    label = items[0].title if len(items) == 1 else format_items([p.title for p in products])
    return FoundItems(label, items)


def _of_category(session: Session, category: str, *, parts: bool) -> FoundItems:
    kept = or_(Item.sellable, Item.component) if parts else Item.sellable
    found = session.scalars(
        select(Item).where(Item.category == category, kept).order_by(Item.title)
    ).all()
    if not found:
        raise NotFoundError("an item called", category)
    return FoundItems(category, list(found))
