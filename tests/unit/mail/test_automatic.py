"""Machines are recognised, and people are not taken for machines."""

import pytest

from opsbot.mail.incoming import parse_message


@pytest.mark.parametrize(
    "headers",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated; owner-email=x",
        "Return-Path: <>",
        "Precedence: bulk",
        "List-Unsubscribe: <mailto:x@example.com>",
        "X-Autoreply: yes",
        "X-Failed-Recipients: ada@example.com",
        "Subject: Out of office: back on Monday",
        "Subject: =?utf-8?q?Automatische_Antwort=3A_Urlaub?=",
        "Subject: Undeliverable: Your order",
        "Subject: Delivery Status Notification (Failure)",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
    ],
)
def test_what_a_machine_wrote_is_recognised(headers: str) -> None:
    mail = parse_message(f"From: Ada <ada@example.com>\r\n{headers}\r\n\r\nhello".encode())

    assert mail.automatic


@pytest.mark.parametrize(
    "sender",
    ["MAILER-DAEMON@example.com", "no-reply@example.com", "Mail <postmaster@example.com>",
     "bounce+123=ada@example.com", "list-bounces@example.com"],
)  # fmt: skip
def test_addresses_that_read_no_answers_get_none(sender: str) -> None:
    assert parse_message(f"From: {sender}\r\n\r\nhello".encode()).automatic


@pytest.mark.parametrize(
    "headers",
    [
        "Subject: My order was returned mail-order",
        "Subject: Re: Undeliverable?",
        "Subject: Is somebody in the office?",
        "Auto-Submitted: no",
        "Return-Path: <ada@example.com>",
        "Precedence: normal",
        "X-Priority: 1",
    ],
)
def test_what_a_person_wrote_is_answered(headers: str) -> None:
    mail = parse_message(f"From: Ada <ada.reply@example.com>\r\n{headers}\r\n\r\nhello".encode())

    assert mail.automatic == ""
