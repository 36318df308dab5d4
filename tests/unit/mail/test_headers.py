"""No text from outside leaves the header it is written into."""

import email
from email import policy

import pytest
from pydantic import SecretStr

from opsbot.errors import InvalidInputError
from opsbot.mail.messages import is_message_id, probe_headers, to_bytes, write_message
from opsbot.mail.outgoing import OutgoingMail, make_message_id
from opsbot.mail.text import check_address, safe_header
from opsbot.settings import Settings
from tests.factories import NOON

HOSTILE = {
    "line end": "Hello\r\nBcc: thief@example.org",
    "encoded line end": "Hello=?utf-8?q?=0D=0A?=Bcc: thief@example.org",
    "encoded in base64": "Hello=?utf-8?b?DQpCY2M6IHRoaWVmQGV4YW1wbGUub3Jn?=",
    "mark made by removing a mark": "Hello==??utf-8?q?=0D=0A?=Bcc: thief@example.org",
    "mark with a break inside": "Hello=\r\n?utf-8?q?=0D=0A?=Bcc: thief@example.org",
    "mark with a control inside": "Hello=\x00?utf-8?q?=0D=0A?=Bcc: thief@example.org",
    "separator": "Hello\u2028Bcc: thief@example.org\u2029Bcc: a@b.example",
    "next line": "Hello\x85Bcc: thief@example.org",
    "surrogate": "Hello\ud800\nBcc: thief@example.org",
    "long": "Grüße " * 400 + "\nBcc: thief@example.org",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_subject_or_shop_name_adds_no_header(settings: Settings, text: str) -> None:
    named = settings.model_copy(update={"shop_name": text})
    mail = make_mail(subject=text, attachments=[{"name": text, **PDF}])

    raw = write_message(mail, named, now=NOON)

    message = email.message_from_bytes(raw, policy=policy.compat32)
    assert b"\r\nbcc:" not in raw.lower()
    assert message.get_all("To") == ["ada@example.com"]
    assert len(message.keys()) == len(set(message.keys())) == 9
    assert not raw.replace(b"\r\n", b"").count(b"\n")


def test_a_mail_that_holds_a_smuggled_header_is_not_sent() -> None:
    message = email.message.EmailMessage(policy=policy.SMTP)
    message["Subject"] = "Hello"
    message["Bcc"] = "thief@example.org"

    with pytest.raises(InvalidInputError, match="bcc"):
        to_bytes(message)


def test_this_python_passes_the_check_made_at_the_start(settings: Settings) -> None:
    probe_headers(settings)


def test_ordinary_subjects_stay_as_they_are() -> None:
    assert safe_header("Re: Kiln mug, 50 % off? Größe = M") == "Re: Kiln mug, 50 % off? Größe = M"


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com\r\nBcc: x@example.org",
        "ada@example.com, eve@example.org",
        "Ada <ada@example.com>",
        "ada=?utf-8?q?=0D=0A?=@example.com",
        "ada@localhost",
        "ada",
        "@example.com",
        "a" * 300 + "@example.com",
        "",
    ],
)
def test_only_one_plain_address_is_written_to(address: str) -> None:
    with pytest.raises(InvalidInputError, match="is not an e-mail address"):
        check_address(address)


def test_addresses_are_kept_in_lower_case() -> None:
    assert check_address(" Ada.Brandt+shop@Example.COM ") == "ada.brandt+shop@example.com"


def test_an_automatic_mail_says_so_and_a_written_one_does_not(settings: Settings) -> None:
    told = write_message(make_mail(automatic=True), settings, now=NOON)
    answer = write_message(make_mail(automatic=True, in_reply_to="<1@x>"), settings, now=NOON)
    written = write_message(make_mail(automatic=False), settings, now=NOON)

    assert b"Auto-Submitted: auto-generated\r\n" in told
    assert b"Auto-Submitted: auto-replied\r\n" in answer
    assert b"Auto-Submitted" not in written


def test_the_message_id_depends_on_the_key_alone(settings: Settings) -> None:
    first = write_message(make_mail(), settings, now=NOON)
    again = write_message(make_mail(subject="Other words"), settings, now=NOON)
    other = write_message(make_mail(dedupe_key="code:2"), settings, now=NOON)

    ids = [email.message_from_bytes(raw)["Message-ID"] for raw in (first, again, other)]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].endswith("@lumenandloom.example>")


@pytest.mark.parametrize("forged", ["<a@b>\r\nBcc: x@y.example", "a@b", "<a b@c>", "<>"])
def test_a_forged_message_id_is_not_written_back(settings: Settings, forged: str) -> None:
    raw = write_message(make_mail(in_reply_to=forged), settings, now=NOON)

    assert b"In-Reply-To" not in raw
    assert b"Bcc" not in raw


def test_text_and_html_travel_side_by_side(settings: Settings) -> None:
    raw = write_message(make_mail(text="Grüße\n", html="<p>Grüße</p>"), settings, now=NOON)

    message = email.message_from_bytes(raw, policy=policy.default)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().splitlines() == ["Grüße"]
    assert "<p>Grüße</p>" in html.get_content()
    assert raw.isascii()


PDF = {"media_type": "application/pdf", "base64": "JVBERg=="}


def make_mail(**values: object) -> OutgoingMail:
    defaults: dict[str, object] = {
        "dedupe_key": "code:1",
        "recipient": "ada@example.com",
        "subject": "Your code",
        "text": "Your code is 123456.\n",
        "html": None,
        "attachments": [],
        "in_reply_to": None,
        "automatic": True,
    }
    return OutgoingMail(**{**defaults, **values})


def test_only_the_holder_of_the_secret_key_can_tell_a_message_id(settings: Settings) -> None:
    other = settings.model_copy(update={"secret_key": SecretStr("another key" * 3)})

    ids = {make_message_id(key, chosen) for key in ("a", "b") for chosen in (settings, other)}

    assert len(ids) == 4
    assert make_message_id("a", settings) == make_message_id("a", settings)
    assert all(is_message_id(made) for made in ids)
