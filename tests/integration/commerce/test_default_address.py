"""The address that orders go to unless another one is said."""

from opsbot.commerce.customers import addresses_of, set_default_address
from opsbot.db import Database
from tests.factories import BERLIN, NOON, make_address, make_customer

ACTOR = "customer:1"


def test_a_new_default_address_keeps_the_old_one_as_another(database: Database) -> None:
    with database.write() as session:
        customer = make_customer()
        session.add_all([customer, make_address(customer)])
        session.flush()
        new = BERLIN | {"line1": "Sonnenallee 5", "postal_code": "12047"}

        set_default_address(session, customer, new, actor=ACTOR, now=NOON)
        set_default_address(session, customer, new, actor=ACTOR, now=NOON)
        streets = [(a.line1, a.is_default) for a in addresses_of(session, 1)]
        set_default_address(session, customer, BERLIN, actor=ACTOR, now=NOON)

        assert streets == [("Sonnenallee 5", True), ("Torstraße 12", False)]
        again = [(a.line1, a.is_default) for a in addresses_of(session, 1)]
        assert again == [("Torstraße 12", True), ("Sonnenallee 5", False)]
