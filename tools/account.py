"""A customer's own account: what it holds, and its default address."""

from collections.abc import Mapping, Sequence

from opsbot.commerce.customers import Address, Customer, addresses_of, set_default_address
from opsbot.errors import ConflictError, NotFoundError
from opsbot.toolkit.addresses import address_lines, parse_address
from opsbot.toolkit.arguments import AddressText
from opsbot.toolkit.caller import Level
from opsbot.toolkit.identity import mask_email
from opsbot.toolkit.notices import tell_customer
from opsbot.toolkit.ownership import own_orders
from opsbot.toolkit.results import Change, Result
from opsbot.toolkit.telling import items_in_words
from opsbot.toolkit.tool import ToolContext, tool
from opsbot.toolkit.ways_back import address_back


@tool(
    examples=[
        "What address do you have on file for me?",
        "show me my profile",
        "which details are in my account",
        "What is my default address?",
        "do you have my current address",
        "can you tell me the name and e-mail of my account?",
        "list the addresses saved in my account",
        "is my data with you up to date",
    ],
    label="Looking up your account",
    level=Level.SIGNED_IN,
    pii=True,
)
def my_details(ctx: ToolContext) -> Result:
    """Tell what the customer's account holds: name, e-mail address, phone, addresses."""
    customer = _customer(ctx)
    addresses = addresses_of(ctx.session, customer.id)
    lines = [
        f"- Name: {customer.name}",
        f"- E-mail address: {mask_email(customer.email)}",
        *([f"- Company: {customer.company}"] if customer.company else []),
    ]
    shown = []
    for address in addresses:
        label = ", ".join(address_lines(_parts(address)))
        kind = "Default address" if address.is_default else "Further address"
        lines.append(f"- {kind}: {label}")
        shown.append({"address": label, "default": address.is_default})
    if not addresses:
        lines.append("- There is no address in your account.")
    facts = {
        "name": customer.name,
        "addresses": shown,
        "candidates": {"address": _known_places(ctx, addresses)},
    }
    return Result("\n".join(("This is in your account:", "", *lines)), facts=facts)


@tool(
    examples=[
        "Please change my default address to Sonnenallee 5, 12047 Berlin",
        "I moved, update the address in my account",
        "update my profile address",
        "my account still has my old address, can you change it",
        "set a new standard address for all my future orders",
        "save Lindengasse 3, 1070 Wien as my address",
        "the address on my account is wrong",
        "from now on send everything to my new home",
    ],
    label="Preparing the new address",
    effect="write",
    level=Level.FRESH_CODE,
    limits=("10/hour", "20/day"),
)
def change_my_address(ctx: ToolContext, address: AddressText) -> Change:
    """Change the default address of the customer's account; orders keep the address they have."""
    customer = _customer(ctx)
    known = addresses_of(ctx.session, customer.id)
    before = next((one for one in known if one.is_default), None)
    country = before.country if before else customer.country
    new = parse_address(address, country=country, name=customer.name)
    label = ", ".join(address_lines(new))
    old = ", ".join(address_lines(_parts(before))) if before else "none"
    if label == old:
        raise ConflictError(f"Your default address is {old} already.")
    back = address_back("change_my_address", _parts(before), new) if before else None

    def apply() -> Result:
        set_default_address(ctx.session, customer, new, actor=ctx.caller.actor, now=ctx.now)
        tell_customer(
            ctx,
            customer,
            subject="The address of your account has changed",
            lines=[
                f"The default address of your account is now: {label}.",
                "If this was not you, please answer this mail at once.",
            ],
            key=f"account-address:{customer.id}:{ctx.now.isoformat()}",
        )
        return Result(f"Your default address is now: {label}.", facts={"address": label})

    return Change(
        title="Change the default address of your account?",
        details=[
            f"New address: {label}",
            f"Instead of: {old}",
            "Orders that you have placed keep their address.",
        ],
        button="Change my address",
        basis={"old": old, "new": new},
        apply=apply,
        undo=back,
    )


def _known_places(ctx: ToolContext, addresses: Sequence[Address]) -> list[dict[str, str]]:
    """Return the addresses a customer may refer to: those of the account, and of their orders."""
    known = [
        (_in_one_line(_parts(one)), "default account" if one.is_default else "account")
        for one in addresses
    ]
    known += [
        (_in_one_line(order.ship_to), f"order {order.number} {items_in_words(order)}")
        for order in own_orders(ctx)
    ]
    places: dict[str, str] = {}
    for place, also in known:
        places[place] = f"{places[place]} {also}" if place in places else also
    return [{"value": place, "words": place, "also": also} for place, also in places.items()]


def _in_one_line(address: Mapping[str, object]) -> str:
    """Return an address as `parse_address` reads it, without the name."""
    return ", ".join(address_lines({**address, "name": ""}))


def _customer(ctx: ToolContext) -> Customer:
    customer = ctx.session.get(Customer, ctx.caller.customer_id) if ctx.caller.customer_id else None
    if customer is None:
        raise NotFoundError("account", "of yours")
    return customer


def _parts(address: object) -> dict[str, object]:
    keys = ("name", "line1", "line2", "city", "region", "postal_code", "country")
    return {key: getattr(address, key) for key in keys}
