"""Customers with orders that do not change from load to load: what the guided tour is about."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from opsbot.demo.parcels import Fate
from opsbot.demo.people import add_customer
from opsbot.demo.sales import Plan, Wish
from opsbot.demo.world import WAREHOUSE, Person, World

ADA = "ada@example.com"
"""The sample customer, who is signed in in the demo."""
ANA = "ana@example.com"
"""Her parcel is late, and she has asked about it."""


@dataclass(frozen=True)
class Story:
    """One promised order. Days are counted back from today; negative: in the future.

    Orders are placed in the morning, packed at noon and arrive in the afternoon.
    """

    number: str
    about: str
    email: str
    wishes: tuple[Wish, ...]
    """Set aside for it from the start; empty: what there is most of on the day."""
    placed: int
    packed: int | None
    arrives: int
    fate: Fate = Fate.NORMAL
    method: str = "paypal"
    carrier: str | None = None
    hold: str | None = None
    """Why it is on hold."""
    no_holiday_promise: bool = False
    """It must not have been bought when goods for the holidays may come back longer."""


STORIES = (
    Story(
        "#1001",
        "delivered 12 days ago: can be returned",
        ADA,
        (Wish("LL-MUG-01-MOS", 2), Wish("LL-LMP-01-OAK", 1)),
        placed=16,
        packed=15,
        arrives=12,
    ),
    Story(
        "#1002",
        "delivered 45 days ago: too late to return",
        ADA,
        (Wish("LL-BAG-01-NAT", 1),),
        placed=49,
        packed=48,
        arrives=45,
        no_holiday_promise=True,
    ),
    Story(
        "#1003",
        "on its way, expected in two days",
        ADA,
        (Wish("LL-GRD-02-WHT", 1),),
        placed=4,
        packed=3,
        arrives=-2,
        carrier="DHL",
    ),
    Story(
        "#1004",
        "not packed yet: can be cancelled",
        ADA,
        (Wish("LL-LMP-02-SGE", 1), Wish("LL-NBK-01-DOT", 1)),
        placed=1,
        packed=None,
        arrives=-4,
    ),
    Story(
        "#1005",
        "not packed yet: the address can be changed",
        ADA,
        (Wish("LL-CST-01-OAK", 1),),
        placed=1,
        packed=None,
        arrives=-4,
    ),
    Story(
        "#1006",
        "engraved, delivered 5 days ago: cannot be returned",
        ADA,
        (Wish("LL-ENG-01", 1, "Familie Brandt"),),
        placed=13,
        packed=7,
        arrives=5,
    ),
    Story(
        "#1007",
        "delivered 3 days ago, not asked about yet",
        ADA,
        (Wish("LL-BWL-01-SLT", 2),),
        placed=7,
        packed=6,
        arrives=3,
    ),
    Story(
        "#1008",
        "late on its way to Porto, and asked about",
        ANA,
        (),
        placed=14,
        packed=13,
        arrives=-2,
        fate=Fate.SLOW,
        carrier="GLS",
    ),
    Story(
        "#1042",
        "for Lyon, held back: past the day it should have left",
        "clara@example.com",
        (),
        placed=7,
        packed=None,
        arrives=-5,
        hold="the address could not be found",
    ),
    Story(
        "#1051",
        "for Porto, ready to be packed",
        ANA,
        (),
        placed=1,
        packed=None,
        arrives=-6,
    ),
    Story(
        "#1010",
        "delivered to London 20 days ago",
        "ben@example.com",
        (Wish("LL-GRD-01-STL", 1), Wish("LL-MUG-03-350", 1)),
        placed=28,
        packed=27,
        arrives=20,
    ),
    Story(
        "#1011",
        "late on its way to London",
        "ben@example.com",
        (Wish("LL-LMP-05-L", 1),),
        placed=13,
        packed=12,
        arrives=-1,
        fate=Fate.SLOW,
        carrier="UPS",
    ),
    Story(
        "#1012",
        "for London, not packed yet",
        "ben@example.com",
        (Wish("LL-MUG-03-500", 2),),
        placed=1,
        packed=None,
        arrives=-7,
    ),
    Story(
        "#1020",
        "delivered to Lyon 8 days ago",
        "clara@example.com",
        (Wish("LL-VAS-01-DUN", 1), Wish("LL-PLT-01-INK", 4)),
        placed=14,
        packed=13,
        arrives=8,
    ),
    Story(
        "#1021",
        "waits at a parcel shop in Lyon",
        "clara@example.com",
        (Wish("LL-BAG-02-NVY", 1),),
        placed=5,
        packed=4,
        arrives=0,
        fate=Fate.PICKUP,
        carrier="GLS",
    ),
)


_PEOPLE = (
    ("Ada Brandt", ADA, "Torstraße 12", "Berlin", "10119", "DE"),
    ("Ben Okafor", "ben@example.com", "27 Camden Passage", "London", "N1 8EA", "GB"),
    ("Clara Dubois", "clara@example.com", "14 rue Mercière", "Lyon", "69002", "FR"),
)
_ANA = ("Ana Ferreira", ANA, "Rua das Flores 81", "Porto", "4050-265", "PT")


def add_story_people(world: World) -> None:
    """Add the customers of the stories: the first of all."""
    for about in _PEOPLE:
        _add_person(world, about)


def add_ana(world: World) -> None:
    """Add Ana: last, so that the others are who they were without her."""
    _add_person(world, _ANA)


def _add_person(world: World, about: tuple[str, str, str, str, str, str]) -> None:
    name, email, line1, city, postal_code, country = about
    add_customer(
        world,
        number=1001 + len(world.people),
        name=name,
        email=email,
        since_days=0,
        company=None,
        weight=0,
        place={
            "line1": line1,
            "line2": None,
            "city": city,
            "region": None,
            "postal_code": postal_code,
            "country": country,
        },
    )


def set_aside(world: World) -> None:
    """Take the stock of the stories off what others may buy."""
    for story in STORIES:
        for wish in story.wishes:
            world.free[wish.sku, WAREHOUSE] -= wish.quantity


def plans_of(world: World) -> list[Plan]:
    """Return the stories as plans, in the order in which they were placed."""
    emails = {name: email for name, email, *_ in (*_PEOPLE, _ANA)}
    people = {
        emails[one.name]: one for one in world.people if one.name in emails and not one.weight
    }
    plans = [_plan(world, story, people[story.email]) for story in STORIES]
    return sorted(plans, key=lambda plan: plan.placed_at)


def _plan(world: World, story: Story, person: Person) -> Plan:
    shift = _days_to_october(world, story) if story.no_holiday_promise else 0

    def ago(days: int, hour: int) -> datetime:
        return world.today - timedelta(days=days + shift) + timedelta(hours=hour, minutes=24)

    return Plan(
        number=story.number,
        person=person,
        wishes=list(story.wishes),
        placed_at=ago(story.placed, 9),
        packed_at=None if story.packed is None else ago(story.packed, 12),
        arrives_at=ago(story.arrives, 14),
        method=story.method,
        hold_reason=story.hold,
        fate=story.fate,
        set_aside=bool(story.wishes),
        carrier=story.carrier,
    )


def _days_to_october(world: World, story: Story) -> int:
    """Return how many days earlier an order must be placed to lie before November."""
    placed = world.today - timedelta(days=story.placed)
    return (placed.date() - date(placed.year, 10, 31)).days if placed.month > 10 else 0  # noqa: PLR2004  (October)
