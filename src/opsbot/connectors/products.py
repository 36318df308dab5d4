"""Products of shop systems: each variant is an item, known by its item number."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from opsbot.commerce.products import ItemStatus
from opsbot.connectors.files import Group
from opsbot.connectors.links import LinkKind, keep_link, links_of
from opsbot.connectors.payloads import Json, list_of, money_of, need, need_moment, text_of
from opsbot.connectors.plain_tables import ProductsFile
from opsbot.connectors.values import read_text
from opsbot.connectors.writing import Deed
from opsbot.errors import ConflictError

_DEFAULT_TITLE = "Default Title"
"""What Shopify calls the one variant of a product without variants."""
_SHOPIFY_STATUS = {"active": ItemStatus.ACTIVE, "archived": ItemStatus.DISCONTINUED}
_LONGEST_ID = 64


def store_shopify_product(session: Session, data: Json, *, currency: str, now: datetime) -> None:
    """Take over the variants of `products/*` that have an item number.

    Raises:
        ConflictError: one of them cannot be taken over; the text says why.
    """
    title = read_text(need(data, "title"), "The title")
    names = [text_of(option, "name") for option in list_of(data, "options")]
    status = _SHOPIFY_STATUS.get(text_of(data, "status"), ItemStatus.DRAFT)
    values = []
    for variant in list_of(data, "variants"):
        if not (sku := text_of(variant, "sku").strip()):
            continue
        word = text_of(variant, "title")
        options = {
            name: text
            for place, name in enumerate(names, 1)
            if (text := text_of(variant, f"option{place}")) and text != _DEFAULT_TITLE
        }
        whole = title if word in {"", _DEFAULT_TITLE} else f"{title}, {word}"
        values.append(
            {
                "sku": read_text(sku, "The item number", limit=_LONGEST_ID),
                "title": read_text(whole, "The title"),
                "price_minor": money_of(variant, "price", currency),
                "currency": currency,
                "status": status,
                "options": options,
            }
        )
        if item := text_of(variant, "inventory_item_id"):
            record = values[-1]["sku"]
            keep_link(session, "shopify", LinkKind.ITEM, item, record=record, changed_at=now)
    changed_at = need_moment(data, "updated_at", "created_at")
    _store(session, "shopify", need(data, "id"), values, currency, changed_at, now=now)


def store_woocommerce_product(
    session: Session, data: Json, *, currency: str, now: datetime
) -> None:
    """Take over the product of `product.*` if it has an item number and a price.

    Raises:
        ConflictError: it cannot be taken over; the text says why.
    """
    sku, price = text_of(data, "sku").strip(), text_of(data, "price")
    values = []
    if sku and price:
        published = text_of(data, "status") == "publish"
        values.append(
            {
                "sku": read_text(sku, "The item number", limit=_LONGEST_ID),
                "title": read_text(need(data, "name"), "The name"),
                "price_minor": money_of(data, "price", currency),
                "currency": currency,
                "status": ItemStatus.ACTIVE if published else ItemStatus.DRAFT,
            }
        )
    changed_at = need_moment(data, "date_modified_gmt", "date_created_gmt")
    _store(session, "woocommerce", need(data, "id"), values, currency, changed_at, now=now)


def _store(
    session: Session,
    source: str,
    external_id: str,
    values: Sequence[dict[str, Any]],
    currency: str,
    changed_at: datetime,
    *,
    now: datetime,
) -> None:
    """Write items down, unless we know a newer state of the product."""
    key = f"product:{external_id}"
    known = links_of(session, source, LinkKind.ITEM, [key]).get(key)
    digest = hashlib.sha256(repr(values).encode("utf-8", "replace")).hexdigest()[:32]
    if known is not None and (changed_at < known.changed_at or known.digest == digest):
        return
    form = ProductsFile(source, currency, None, now)
    groups = [Group(one["sku"], (), one) for one in values]
    for outcome in form.store(session, groups, lambda _row, _reason: None):
        if outcome.deed is Deed.REFUSED:
            raise ConflictError(outcome.reason)
    keep_link(
        session,
        source,
        LinkKind.ITEM,
        key,
        record=values[0]["sku"] if values else "",
        changed_at=changed_at,
        digest=digest,
    )
