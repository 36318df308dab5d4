"""The sample shop's page: its products, and the widget beside them."""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from opsbot.channels.dependencies import NowDep, ServicesDep
from opsbot.channels.identity import sign_customer
from opsbot.channels.pages import (
    SAMPLE_COOKIE,
    SAMPLE_CUSTOMERS,
    VISITOR,
    FormDep,
    PageRoute,
    PagesDep,
)
from opsbot.commerce.inventory import Location, StockLevel
from opsbot.commerce.products import Item, ItemStatus
from opsbot.errors import NotFoundError
from opsbot.formats import format_money

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PICTURES = {
    "LL-LMP-01": "lamp-desk",
    "LL-LMP-02": "lamp-bedside",
    "LL-LMP-03": "lamp-floor",
    "LL-LMP-04": "lamp-portable",
    "LL-LMP-05": "lamp-pendant",
    "LL-KET-01": "kettle",
    "LL-GRD-01": "grinder",
    "LL-GRD-02": "grinder",
    "LL-VAS-01": "vase",
    "LL-PLT-01": "plate",
    "LL-BWL-01": "plate",
}
_CATEGORY_PICTURES = {
    "lamps": "lamp-desk",
    "coffee": "mug",
    "ceramics": "mug",
    "paper": "notebook",
    "bags": "bag",
    "engraved": "wood",
    "wood": "wood",
    "spares": "part",
    "gift cards": "gift",
}
_ASKED_BY_CUSTOMERS = (
    "Where is order #1003?",
    "Cancel order #1004",
    "I want to return a mug from order #1001",
    "How do I change the light colour of the Halo lamp?",
)
_ASKED_BY_VISITORS = (
    "How long does delivery to France take?",
    "Is the Ember lamp in stock in sage?",
    "How do I clean the Tide grinder?",
    "Where is my order #1010?",
)


@dataclass(frozen=True)
class Product:
    """One product on the page."""

    title: str
    price: str
    picture: str
    """Name of a file in `web/static`."""
    in_stock: bool
    choices: str
    """Such as "oak, walnut, black"; empty without variants."""


@router.get("/")
def get_shop(request: Request, services: ServicesDep, pages: PagesDep) -> Response:
    """Show the sample shop; a real shop is elsewhere, and has its help centre here."""
    if not services.settings.demo:
        return RedirectResponse("/help", status_code=303)
    with services.database.read() as session:
        products = list(_list_products(session, services.settings.locale))
    who = pages.sample_customer(request)
    return pages.render(
        request,
        "shop/home.html",
        products=products,
        who=who,
        who_name=SAMPLE_CUSTOMERS.get(who, ""),
        people=SAMPLE_CUSTOMERS,
        questions=_ASKED_BY_VISITORS if who == VISITOR else _ASKED_BY_CUSTOMERS,
    )


@router.post("/demo/sign-in")
def post_sample_sign_in(services: ServicesDep, form: FormDep) -> Response:
    """Be another person of the sample shop."""
    _only_in_demo(services.settings.demo)
    who = form.get("customer", VISITOR)
    response = RedirectResponse("/", status_code=303)
    chosen = who if who in SAMPLE_CUSTOMERS else VISITOR
    response.set_cookie(SAMPLE_COOKIE, chosen, httponly=True, samesite="lax")
    return response


@router.get("/demo/token")
def get_sample_token(
    request: Request, services: ServicesDep, pages: PagesDep, now: NowDep
) -> dict[str, str]:
    """Sign the token that a real shop's server signs for its signed-in customer."""
    who = pages.sample_customer(request)
    if not services.settings.demo or who == VISITOR:
        raise NotFoundError("a signed-in customer", "here")
    return {"token": sign_customer(services.settings, who, now=now)}


def _only_in_demo(demo: bool) -> None:  # noqa: FBT001  (the one thing it is about)
    if not demo:
        raise NotFoundError("the page", "demo")


def _list_products(session: Session, locale: str) -> Iterator[Product]:
    """Yield what the shop sells, by product, with its variants as choices."""
    units = func.sum(case((Location.sellable, StockLevel.on_hand - StockLevel.reserved), else_=0))
    levels = session.execute(
        select(StockLevel.sku, units)
        .join(Location, Location.id == StockLevel.location_id)
        .group_by(StockLevel.sku)
    )
    stock = {sku: count for sku, count in levels}  # noqa: C416  (dict() takes a result's keys)
    items = session.scalars(
        select(Item).where(Item.status == ItemStatus.ACTIVE).order_by(Item.sku)
    ).all()
    for product in (item for item in items if item.variant_of is None):
        variants = [item for item in items if item.variant_of == product.sku]
        picture = _PICTURES.get(product.sku) or _CATEGORY_PICTURES.get(product.category, "gift")
        yield Product(
            title=product.title,
            price=format_money(product.price_minor, product.currency, locale=locale),
            picture=f"{picture}.svg",
            # What is never stocked, such as a gift card, does not run out.
            in_stock=any(stock.get(item.sku, 1) > 0 for item in variants or [product]),
            choices=", ".join(value for item in variants for value in item.options.values()),
        )
