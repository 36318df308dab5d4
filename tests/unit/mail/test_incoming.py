"""What is believed of a message from outside."""

from time import perf_counter

import pytest

from opsbot.errors import InvalidInputError
from opsbot.mail.incoming import MAX_BYTES, MAX_TEXT, parse_message

ADA = b"From: Ada Brandt <Ada@Example.com>\r\n"
PLAIN = ADA + b"Subject: Where is it?\r\nMessage-ID: <1@mail.example>\r\n\r\n"


def test_a_plain_mail_is_read() -> None:
    mail = parse_message(PLAIN + b"Hello,\r\nwhere is order #1001?\r\n-- \r\nAda\r\n")

    assert mail.sender == "ada@example.com"
    assert mail.subject == "Where is it?"
    assert mail.text == "Hello,\nwhere is order #1001?"
    assert mail.message_id == "<1@mail.example>"
    assert mail.automatic == ""


def test_an_html_mail_becomes_its_words() -> None:
    html = (
        b"Content-Type: text/html; charset=utf-8\r\n\r\n<html><head><style>p{}</style></head>"
        b"<body><p>Hello &amp; <b>thanks</b></p><script>steal()</script><ul><li>one<li>two</ul>"
        b"<div>On Mon, 2 Nov 2026, Shop wrote:</div><blockquote>old words</blockquote></body>"
    )

    mail = parse_message(ADA + html)

    assert mail.text == "Hello & thanks\n\n- one\n- two"


def test_the_plain_part_is_preferred_and_attachments_are_left_out() -> None:
    body = (
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/html\r\n\r\n<p>HTML</p>\r\n"
        b"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nGr\xfc\xdfe\r\n"
        b"--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nfile\r\n"
        b"--b--\r\n"
    )

    assert parse_message(ADA + body).text == "Grüße"


@pytest.mark.parametrize(
    "charset", ["x-unknown", "utf-7\x00", "zlib", "hex", "idna", "rot13", "'; drop", "utf-8''x"]
)
def test_a_charset_that_makes_no_sense_costs_only_its_letters(charset: str) -> None:
    header = f'Content-Type: text/plain; charset="{charset}"\r\n\r\n'.encode()

    mail = parse_message(ADA + header + b"Where is order 1001? \xff\xfe\xe9")

    assert mail.text.startswith("Where is order 1001?")


def test_a_line_end_hidden_in_the_subject_is_gone() -> None:
    raw = ADA + b"Subject: =?utf-8?q?refund=0D=0ABcc:_x@example.org?=\r\n\r\nhello"

    assert parse_message(raw).subject == "refund Bcc: x@example.org"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (b"Subject: x\r\n", "no From"),
        (b"From: a@example.com\r\nFrom: b@example.com\r\n", "2 From lines"),
        (b"From: a@example.com, b@example.com\r\n", "exactly one address"),
        (b"From: shop@lumen.example <eve@example.org>\r\n", "exactly one address"),
        (b"From: a@example.org)b@example.com\r\n", "exactly one address"),
        (b"From: <a@example.com> <b@example.com>\r\n", "exactly one address"),
        (b"From: Ada <ada@localhost>\r\n", "cannot be used"),
        (b"From:\r\n", "exactly one address"),
    ],
    ids=["none", "two lines", "two", "address as name", "bracket", "two framed", "bare", "empty"],
)
def test_a_mail_without_one_clear_sender_is_refused(headers: bytes, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        parse_message(headers + b"\r\nhello")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b"\r\n\r\n", "empty"),
        (b"not a mail at all", "no mail headers"),
        (b"\x00\xff" * 100, "no mail headers"),
        (ADA + b"\r\n" + b"x" * MAX_BYTES, "more than 5 MB"),
        (ADA + b"X-Long: " + b"x" * 100_000 + b"\r\n\r\nhello", "headers of more than"),
        (ADA + b"\r\n" + b"\n" * 250_001, "lines"),
    ],
    ids=["empty", "blank", "text", "binary", "large", "long header", "many lines"],
)
def test_what_is_no_mail_or_too_large_is_refused_in_words(raw: bytes, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        parse_message(raw)


def test_a_message_of_parts_inside_parts_is_refused_before_it_is_parsed() -> None:
    nested = b"".join(
        b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (depth, depth + 1)
        for depth in range(2_000)
    )
    start = perf_counter()

    with pytest.raises(InvalidInputError, match="parts inside each other"):
        parse_message(ADA + b"Content-Type: multipart/mixed; boundary=b0\r\n\r\n" + nested)

    assert perf_counter() - start < 1


@pytest.mark.parametrize("parameter", [b"; a*0=b", b'; a="', b'; boundary="'])
@pytest.mark.parametrize("kind", [b"text/plain", b"multipart/mixed"])
def test_a_part_with_endless_parameters_is_refused_before_they_are_read(
    kind: bytes, parameter: bytes
) -> None:
    part = b"--b\r\nContent-Type: " + kind + parameter * 160_000 + b"\r\n\r\nhello\r\n--b--\r\n"
    start = perf_counter()

    with pytest.raises(InvalidInputError, match=r"Content-Type header of more|inside each other"):
        parse_message(ADA + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part)

    assert perf_counter() - start < 1


def test_many_lines_are_not_compared_with_many_boundaries() -> None:
    nested = b"".join(
        b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (depth, depth + 1)
        for depth in range(29)
    )
    start = b"Content-Type: multipart/mixed; boundary=b0\r\n\r\n"

    with pytest.raises(InvalidInputError, match="too many lines"):
        parse_message(ADA + start + nested + b"--\n" * 199_000)


def test_a_large_attachment_in_a_few_parts_is_no_matter() -> None:
    kind = b"Content-Type: multipart/mixed; boundary=%s\r\n\r\n"
    text = b"--a\r\n" + kind % b"b" + b"--b\r\n\r\nWhere is it?\r\n--b--\r\n"
    photo = b"--a\r\nContent-Type: image/png\r\n\r\n" + b"A" * 76 + b"\r\n" * 60_000

    assert parse_message(ADA + kind % b"a" + text + photo + b"--a--").text == "Where is it?"


def test_a_message_with_too_many_parts_is_refused() -> None:
    parts = b"--b\r\n\r\nhello\r\n" * 150

    with pytest.raises(InvalidInputError, match="more than 100 parts"):
        parse_message(ADA + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts)


@pytest.mark.parametrize(
    "pattern",
    [b"On \n", b"\n", b"> \n", b"From: \n", b"On a:\n", b"_", b"- ", b"-----Original ", b" \t"],
)
def test_plain_text_made_to_slow_down_parsers_is_read_at_once(pattern: bytes) -> None:
    raw = PLAIN + pattern * (200_000 // len(pattern))
    start = perf_counter()

    mail = parse_message(raw)

    assert perf_counter() - start < 1
    assert len(mail.text) <= MAX_TEXT


@pytest.mark.parametrize(
    "pattern", [b'<a href="', b"<div>", b"<!--", b"<script>", b"<", b"&", b"</p ", b"<blockquote>"]
)
def test_html_made_to_slow_down_parsers_is_read_at_once(pattern: bytes) -> None:
    raw = ADA + b"Content-Type: text/html\r\n\r\n" + pattern * (250_000 // len(pattern))
    start = perf_counter()

    parse_message(raw)

    assert perf_counter() - start < 1


def test_ten_times_the_text_takes_about_ten_times_the_time() -> None:
    def seconds(lines: int) -> float:
        raw = PLAIN + b"On \n" * lines
        return min(_time(raw) for _ in range(5))

    assert seconds(15_000) < 40 * seconds(1_500)


def test_a_message_without_an_id_gets_the_same_one_every_time() -> None:
    raw = ADA + b"\r\nhello"

    assert parse_message(raw).message_id == parse_message(raw).message_id
    assert parse_message(raw).message_id != parse_message(raw + b"!").message_id


@pytest.mark.parametrize("date", [b"nonsense", b"Mon, 99 Foo 2026", b"\xff", b""])
def test_a_date_that_makes_no_sense_is_no_date(date: bytes) -> None:
    assert parse_message(ADA + b"Date: " + date + b"\r\n\r\nhello").sent_at is None


def _time(raw: bytes) -> float:
    start = perf_counter()
    parse_message(raw)
    return perf_counter() - start
