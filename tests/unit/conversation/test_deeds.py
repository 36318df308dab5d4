"""What a sentence says was done, and whether tools reported it."""

import pytest

from opsbot.conversation.deeds import read_deeds
from opsbot.conversation.grounding import Evidence, Grounding, find_deed

NOTHING = Evidence(texts=["please cancel order 1004 and refund it"])
LOOKED_UP = Evidence(
    reports=[
        "Order **#1004** was cancelled on 3 November 2026. \u20ac20.00 was refunded.\ncancelled"
    ]
)
DONE = Evidence(done=["Order **#1004** is cancelled. \u20ac20.00 goes back to your card."])


@pytest.mark.parametrize("sentence", """\
Done!
All set!
Your refund is on its way.
I've gone ahead and cancelled your order.
Consider it cancelled.
Ihre Bestellung wurde storniert.
Erledigt!
Ich habe Ihre Bestellung #1004 f\u00fcr Sie storniert.
You will receive a refund within 5 days.
I cancelled it for you.
Order cancelled.
Refund issued \u2705
Your address is now updated.
I have **can\u200bcelled** your order.
The cancellation was successful.
After careful review, your order was cancelled.
I'm cancelling your order now.
I will refund you.
A replacement will be sent to you.
Your order is cancelled, ok?
I took the liberty of cancelling your order.
I was able to cancel your order.
Everything has been taken care of.
Die Erstattung ist unterwegs.
Sie erhalten eine R\u00fcckerstattung.
Der Betrag wird Ihnen gutgeschrieben.
Status: cancelled
I checked your account and refunded the order.
I have <b>refunded</b> you.
The refund went through.
Your order's been cancelled.""".splitlines())  # fmt: skip
def test_a_deed_that_no_tool_reported_is_found(sentence: str) -> None:
    assert find_deed(sentence, NOTHING)


@pytest.mark.parametrize("sentence", """\
Your order can still be cancelled.
It can no longer be cancelled.
Would you like me to cancel it?
Has your order been cancelled?
Your order has not been cancelled.
If it was cancelled, you get your money back.
Once it is cancelled, you will receive a refund.
I will cancel the order once you confirm.
Please check the details below. Nothing happens until you confirm.
Items are sent within two days.
I can refund the order.
To return an item, open the return page.
Ihre Bestellung kann noch storniert werden.
M\u00f6chten Sie die Bestellung stornieren?
Es wurde nichts storniert.
You asked to cancel order #1004.
I have prepared the cancellation for you to confirm.
Your parcel is on its way.
A person takes over.""".splitlines())  # fmt: skip
def test_questions_conditions_and_what_is_possible_claim_nothing(sentence: str) -> None:
    assert read_deeds(sentence) == frozenset()


@pytest.mark.parametrize(
    "sentence",
    [
        "Order #1004 was cancelled on 3 November 2026.",
        "Ihre Bestellung #1004 wurde am 3. November storniert.",
        "It has been refunded.",
    ],
)
def test_what_a_tool_reported_may_be_said(sentence: str) -> None:
    assert find_deed(sentence, LOOKED_UP) is None


@pytest.mark.parametrize("sentence", ["I have cancelled order #1004.", "Done!", "Erledigt."])
def test_only_who_did_something_in_this_turn_says_that_they_did(sentence: str) -> None:
    assert find_deed(sentence, DONE) is None
    assert find_deed(sentence, LOOKED_UP)


def test_a_report_about_one_order_says_nothing_of_another() -> None:
    two = Evidence(reports=["Order #1003 was cancelled.", "Order #1004 was refunded."])

    assert find_deed("Order #1004 was cancelled.", two)
    assert find_deed("Your order was cancelled.", two)
    assert find_deed("Order #1003 was cancelled.", two) is None


def test_an_article_tells_what_happens_in_general_and_of_nobodys_order() -> None:
    assert find_deed("Orders that were cancelled are refunded.", NOTHING, proved=True) is None
    assert find_deed("You will receive a refund within 14 days.", NOTHING, proved=True) is None
    assert find_deed("Your order has been refunded.", NOTHING, proved=True)


def test_a_line_break_hides_no_claim() -> None:
    grounding = Grounding(NOTHING)

    said = [p.text for p in (*grounding.feed("Your order\nwas cancelled\n\n"), *grounding.finish())]

    assert "cancelled" not in "".join(said)
