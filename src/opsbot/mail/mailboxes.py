"""Hand new messages over, one by one; and a folder of dropped `.eml` files as a mailbox.

A message is marked as read only after the function it was handed to returned. One that cannot be
handled is put aside with the reason, so that it stops nobody behind it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from opsbot.errors import OpsbotError, UnavailableError
from opsbot.mail.incoming import MAX_BYTES, IncomingMail, parse_message

BATCH = 50
"""Most messages of one call."""

MailHandler = Callable[[IncomingMail], object]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Handled:
    """What came of one message."""

    message_id: str | None
    """None when the message could not be read."""
    problem: str | None
    """Why it could not be handled, in words; None when all went well."""


def fetch_dropped(folder: Path, handle: MailHandler) -> int:
    """Handle the `.eml` files of a folder, oldest name first; return how many went well.

    A handled file moves to `done/`, any other to `failed/` with a `.reason.txt` beside it.

    Raises:
        UnavailableError: the folder cannot be read or written, or something that the handler
            needs did not answer. The files that are left are tried again next time.
    """
    try:
        for name in ("done", "failed"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        paths = sorted(path for path in folder.glob("*.eml") if path.is_file())
        return sum(_take_file(path, handle) for path in paths[:BATCH])
    except OSError as error:
        message = f"The mail folder {folder} cannot be used: {error.strerror or error}."
        raise UnavailableError(message) from error


def hand_over(raw: bytes, handle: MailHandler) -> Handled:
    """Read one message and hand it over; what goes wrong with it becomes a sentence.

    Raises:
        UnavailableError: something that the handler needs did not answer; try again later.
    """
    message_id = None
    try:
        mail = parse_message(raw)
        message_id = mail.message_id
        handle(mail)
    except UnavailableError:
        raise
    except OpsbotError as error:
        return Handled(message_id, str(error))
    except Exception as error:  # noqa: BLE001  (a hostile mail must not stop the ones behind it)
        _log.exception("A message could not be handled")
        return Handled(message_id, f"The message could not be handled ({type(error).__name__}).")
    return Handled(message_id, None)


def _take_file(path: Path, handle: MailHandler) -> bool:
    raw = b"x" * (MAX_BYTES + 1) if path.stat().st_size > MAX_BYTES else path.read_bytes()
    problem = hand_over(raw, handle).problem
    target = path.parent / ("done" if problem is None else "failed") / path.name
    path.replace(target)
    if problem is not None:
        target.with_suffix(".reason.txt").write_text(f"{problem}\n", encoding="utf-8")
    return problem is None
