"""What the sender wrote this time: without the quoted mails below it and without the signature.

Published reply parsers take seconds for a few kilobytes of `On` lines. Here every line is looked
at once, with a fixed number of its neighbours.
"""

import re

MAX_LINES = 2_000
"""Lines that are looked at; what follows is dropped."""
_REACH = 3
"""Lines over which a mail program may break its line of introduction."""
_LONGEST_INTRO = 400

_INTRO_START = re.compile(r"(on|am|le|el|il|op|em)\s", re.IGNORECASE)
_INTRO_END = re.compile(
    r"(wrote|schrieb[^\n]{0,200}|a écrit|escribió|ha scritto|schreef[^\n]{0,200}|escreveu)\s?:$",
    re.IGNORECASE,
)
_DIVIDER = re.compile(
    r"(-{2,} ?(original message|ursprüngliche nachricht|forwarded message|message d'origine) ?-{2,}"
    r"|_{20,})$",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"\*?(from|von|de|sent|gesendet|to|an|subject|betreff|date)\s?:", re.IGNORECASE
)
_PHONE = re.compile(r"(sent from my|von meinem .{2,40} gesendet|get outlook for)", re.IGNORECASE)
_BLANKS = re.compile(r"\n{3,}")


def strip_quotes(text: str) -> str:
    """Return the new words of a mail; all of it when nothing else would be left."""
    lines = [line.rstrip() for line in text.split("\n", MAX_LINES)[:MAX_LINES]]
    kept: list[str] = []
    for number, line in enumerate(lines):
        if _ends_here(lines, number):
            break
        if not line.lstrip().startswith(">"):
            kept.append(line)
    fresh = _BLANKS.sub("\n\n", "\n".join(kept)).strip()
    return fresh or "\n".join(lines).strip()


def _ends_here(lines: list[str], number: int) -> bool:
    """Tell whether the sender's own words end above this line."""
    line = lines[number].strip()
    if line == "--" or _DIVIDER.match(line) or _PHONE.match(line):
        return True
    return _introduces_quote(lines, number) or _starts_header_block(lines, number)


def _introduces_quote(lines: list[str], number: int) -> bool:
    """Recognise "On Monday, Ada wrote:", also when it is broken over a few lines."""
    if not _INTRO_START.match(lines[number].lstrip()):
        return False
    joined = ""
    for line in lines[number : number + _REACH]:
        joined = f"{joined} {line[:_LONGEST_INTRO].strip()}"[-_LONGEST_INTRO:]
        if line.endswith(":"):
            return _INTRO_END.search(joined) is not None
    return False


def _starts_header_block(lines: list[str], number: int) -> bool:
    """Recognise the block of From, Sent, To, Subject that Outlook puts above a quoted mail."""
    block = lines[number : number + _REACH]
    return len(block) == _REACH and all(_HEADER.match(line.lstrip()[:40]) for line in block)
