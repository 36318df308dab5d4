"""Hostile files: each is refused with a reason, in time, and the next one is read."""

import io
import os
import signal
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docx import Document

from opsbot.errors import InvalidInputError
from opsbot.retrieval.sandbox import Sandbox

SLOW_PAGE = b'<a href="' * 40_000
"""Python's parser of pages takes minutes for it."""
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY l0 "lol">{LAUGHS}]><d>&l9;</d>'
ENDLESS_TREE = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[2 0 R 2 0 R]/Count 1000000000>>endobj
trailer<</Root 1 0 R>>
"""
MANY_PAGES = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n" + (
    b"2 0 obj<</Type/Pages/Count 900/Kids[%b]>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>"
) % (b"3 0 R " * 900)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One for all files, as an ingest has it."""
    with Sandbox() as opened:
        yield opened


def make_document(text_part: bytes | None = None) -> bytes:
    """Return a Word document, with other bytes in the place of its text."""
    saved, changed = io.BytesIO(), io.BytesIO()
    document = Document()
    document.add_paragraph("Wipe the lamp.")
    document.save(saved)
    with zipfile.ZipFile(saved) as whole, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as to:
        for name in whole.namelist():
            is_text = name == "word/document.xml" and text_part is not None
            to.writestr(name, text_part if is_text and text_part else whole.read(name))
    return changed.getvalue()


@pytest.mark.parametrize(
    ("path", "content", "reason"),
    [
        ("deep.html", b"<div>" * 50_000, "nests more than 150 elements"),
        ("long.html", b"<p>x" * 600_000, "more than 2,000,000 characters"),
        ("nul.html", b"\xff\x00" * 100, "is not UTF-8 text"),
        ("bomb.docx", make_document(BOMB.encode()), "declares entities"),
        ("bomb16.docx", make_document(BOMB.encode("utf-16")), "declares entities"),
        ("huge.docx", make_document(b" " * 40_000_000), "unpacks to more than 30 MB of text"),
        ("cut.docx", make_document()[:-400], "is not a DOCX file that can be read"),
        ("nul.docx", bytes(1000), "is not a DOCX file that can be read"),
        ("tree.pdf", ENDLESS_TREE, "is not a PDF that can be read|pages; articles|broken PDF"),
        ("many.pdf", MANY_PAGES, "has 900 pages; articles may have 500"),
        ("nul.pdf", b"%PDF-1.4\n" + bytes(1000), "is not a PDF that can be read"),
        ("wide.csv", b"question,answer\na," + b"b" * 200_000, "field larger than field limit"),
        ("long.csv", b"question,answer\n" + b"a,b\n" * 30_000, "more than 20,000 rows"),
        ("nul.csv", bytes(1000), "no columns for questions and answers"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value[-5:] else "",
)
def test_a_hostile_file_is_refused_with_a_reason(
    sandbox: Sandbox, path: str, content: bytes, reason: str
) -> None:
    began = time.monotonic()

    with pytest.raises(InvalidInputError, match=reason) as caught:
        sandbox.parse(path, content)

    assert str(caught.value).startswith(path)
    assert str(caught.value).endswith(".")
    assert time.monotonic() - began < 10


def test_a_file_that_takes_too_long_is_given_up_and_the_next_one_is_read() -> None:
    with Sandbox(seconds=1) as sandbox:
        with pytest.raises(InvalidInputError, match=r"slow\.html takes longer than 1 seconds"):
            sandbox.parse("slow.html", SLOW_PAGE)

        assert sandbox.parse("good.html", b"<p>Wipe the lamp.").text.strip() == "Wipe the lamp."


def test_a_file_that_needs_too_much_memory_is_given_up_and_the_next_one_is_read() -> None:
    with Sandbox(megabytes=160, seconds=60) as sandbox:
        with pytest.raises(InvalidInputError, match=r"large\.html needs more than 160 MB"):
            sandbox.parse("large.html", b"<b>x</b>" * 200_000)

        assert sandbox.parse("good.html", b"<p>Wipe the lamp.").text.strip() == "Wipe the lamp."


def test_a_reader_that_dies_takes_nobody_with_it() -> None:
    errors, opened = list[str](), Sandbox(seconds=60)

    def read() -> None:
        try:
            opened.parse("deadly.html", SLOW_PAGE)
        except InvalidInputError as error:
            errors.append(str(error))

    with opened:
        opened.parse("first.html", b"<p>x")
        thread = threading.Thread(target=read)
        thread.start()
        os.kill(_wait_for_work(_children()), signal.SIGSEGV)
        thread.join()

        assert "deadly.html makes its reader break off" in errors[0]
        assert opened.parse("good.html", b"<p>Wipe the lamp.").text.strip() == "Wipe the lamp."


def test_half_a_character_arrives_whole_or_not_at_all(sandbox: Sandbox) -> None:
    page = "<meta charset=utf-8><p>A &#xD800; b \U0001f4a1".encode()

    assert "\U0001f4a1" in sandbox.parse("odd.html", page).text


def _children() -> set[int]:
    """Return the ids of the reading processes that we have started."""
    found = set[int]()
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            if b"opsbot.retrieval.reading" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.add(int(child))
    return found


def _wait_for_work(processes: set[int]) -> int:
    """Return the process that is at work."""

    def ticks(process: int) -> int:
        return int(Path(f"/proc/{process}/stat").read_text().split()[13])

    before: Callable[[int], int] = {process: ticks(process) for process in processes}.__getitem__
    for _ in range(2_000):
        for process in processes:
            if ticks(process) > before(process) + 20:
                return process
        time.sleep(0.01)
    raise AssertionError("No process reads.")
