"""What personal data there is, and the words that stand in for it."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a piece of personal data is."""

    NAME = "NAME"
    COMPANY = "COMPANY"
    EMAIL = "EMAIL"
    PHONE = "PHONE"
    STREET = "STREET"
    POSTCODE = "POSTCODE"
    CITY = "CITY"
    PAYMENT = "PAYMENT"
    """Of a card, an account or a gift card: its number, or the end of it."""
    ORDER = "ORDER"
    NUMBER = "NUMBER"
    """Any other number that leads to a person: of a customer, a parcel, a case."""


@dataclass(frozen=True)
class Personal:
    """One piece of personal data that is known."""

    kind: Kind
    text: str
    """As our records, or the person, write it."""


STAND_INS = {
    "en": {
        Kind.NAME: "the name",
        Kind.COMPANY: "the company",
        Kind.EMAIL: "the e-mail address",
        Kind.PHONE: "the phone number",
        Kind.STREET: "the street",
        Kind.POSTCODE: "the postcode",
        Kind.CITY: "the city",
        Kind.PAYMENT: "the payment method",
        Kind.ORDER: "the order",
        Kind.NUMBER: "the number",
    },
    "de": {
        Kind.NAME: "der Name",
        Kind.COMPANY: "die Firma",
        Kind.EMAIL: "die E-Mail-Adresse",
        Kind.PHONE: "die Telefonnummer",
        Kind.STREET: "die Straße",
        Kind.POSTCODE: "die Postleitzahl",
        Kind.CITY: "der Ort",
        Kind.PAYMENT: "die Zahlungsart",
        Kind.ORDER: "die Bestellung",
        Kind.NUMBER: "die Nummer",
    },
}
"""What is said for a placeholder that stands for nothing, by language."""


def stand_in(kind: Kind, locale: str) -> str:
    """Return what to say for a placeholder that a model made up."""
    return STAND_INS.get(locale[:2].lower(), STAND_INS["en"])[kind]
