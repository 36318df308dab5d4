"""Ada's shop with variants on the shelf and payment methods in her account."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsbot.commerce.inventory import Location, MoveReason, move
from opsbot.commerce.orders import Order
from opsbot.commerce.payment_methods import (
    CreditReason,
    MethodKind,
    add_method,
    change_balance,
)
from opsbot.commerce.payments import payments_of
from opsbot.commerce.products import Item
from opsbot.content import content_root
from opsbot.db import Database
from opsbot.settings import Settings
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.policy import Policies, load_policies
from tests.factories import NOON
from tests.shop_fixtures import Shop, fill_shop, open_shop

INK, TERRACOTTA = "LL-MUG-01-INK", "LL-LMP-02-TER"


@pytest.fixture
def stocked(
    database: Database, settings: Settings, tools: Mapping[str, AnyTool], policies: Policies
) -> Shop:
    """The shop with ink mugs on the shelf, and Ada's payment methods. On both databases."""
    fill_shop(database)
    shop = open_shop(database, settings, tools, policies)
    assert shop.ada.customer_id is not None
    with database.write() as session:
        session.get_one(Item, INK).price_minor = 2600
        session.get_one(Item, TERRACOTTA).price_minor = 7500
        shelf = session.query(Location).one()
        move(
            session, INK, shelf.id, 3,
            reason=MoveReason.OPENING, reference="opening", actor="system", at=NOON,
        )  # fmt: skip
        for kind, last4, brand in (
            (MethodKind.CARD, "4242", "visa"), (MethodKind.PAYPAL, None, None),
            (MethodKind.GIFT_CARD, "7021", None),
        ):  # fmt: skip
            method = add_method(
                session, customer_id=shop.ada.customer_id, kind=kind, reference=f"ref-{kind}",
                currency="EUR", now=NOON, last4=last4, brand=brand,
            )  # fmt: skip
            if kind is MethodKind.GIFT_CARD:
                change_balance(
                    session, method, 1000,
                    reason=CreditReason.ISSUED, reference="x", actor="system", at=NOON,
                )  # fmt: skip
            if kind is MethodKind.CARD:
                for number in ("#1001", "#1002"):
                    order = session.query(Order).filter_by(number=number).one()
                    for payment in payments_of(session, order.id):
                        payment.payment_method_id = method.id
    return shop


def with_rules(
    shop: Shop,
    tmp_path: Path,
    settings: Settings,
    tools: Mapping[str, AnyTool],
    **files: Mapping[str, Any],
) -> Shop:
    """Return the shop with other values in its policy files."""
    folder = tmp_path / "policies"
    folder.mkdir()
    for path in (content_root() / "knowledge" / "policies").glob("*.yaml"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for key, value in files.get(path.stem, {}).items():
            content[key] = content[key] | value if isinstance(value, dict) else value
        (folder / path.name).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return open_shop(shop.database, settings, tools, load_policies(folder))


def confirm(shop: Shop, name: str, caller: Caller | None = None, /, **arguments: Any) -> str:
    """Make a proposal and confirm it; return what was said."""
    caller = caller or shop.ada
    preview = shop.propose(name, caller, **arguments)
    done = shop.executor.confirm(caller, preview.id, now=NOON)
    assert done.result is not None, done.preview.say
    return done.result.say
