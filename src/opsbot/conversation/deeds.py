"""Read what a sentence says was done, or will be: in English and in German.

The words of a model from outside are held against what tools reported. Both are read here in the
same way, so that "Ihre Bestellung wurde storniert" rests on a report that says "is cancelled".
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

ANY = "any"
"""A deed that is not named: "Done!"."""

_DONE = {
    "cancel": r"cancell?ed|called off|voided|revoked|stopped|storniert|widerrufen|abgebrochen"
    r"|gek\u00fcndigt|annulliert",
    "refund": r"refunded|reimbursed|credited|repaid|paid back|compensated|transferred"
    r"|(?:zu)?(?:r\u00fcck)?erstattet|gutgeschrieben|(?:zur\u00fcck)?gezahlt"
    r"|(?:zur\u00fcck)?\u00fcberwiesen|ausgezahlt",
    "change": r"changed|updated|modified|amended|adjusted|corrected|switched|edited|added"
    r"|ge\u00e4ndert|aktualisiert|angepasst|korrigiert|umgestellt|hinzugef\u00fcgt",
    "return": r"returned|retourniert|zur\u00fcckgegeben|zur\u00fcckgeschickt",
    "send": r"(?:re)?sent|(?:re)?shipped|dispatched|(?:e-?)?mailed|forwarded|verschickt|versendet"
    r"|versandt|gesendet|geschickt|weitergeleitet",
    "create": r"created|opened|booked|issued|registered|arranged|scheduled|placed|submitted|filed"
    r"|reserved|generated|logged|initiated|angelegt|erstellt|er\u00f6ffnet|gebucht|registriert"
    r"|ausgestellt|eingereicht|reserviert|eingeleitet|veranlasst",
    "redeem": r"redeemed|applied|eingel\u00f6st|angewendet|verrechnet",
    "replace": r"replaced|exchanged|swapped|ersetzt|umgetauscht|ausgetauscht|getauscht",
    "delete": r"deleted|erased|removed|gel\u00f6scht|entfernt",
    "approve": r"approved|authori[sz]ed|granted|accepted|confirmed|waived|genehmigt|freigegeben"
    r"|best\u00e4tigt|bewilligt|akzeptiert",
    "process": r"processed|completed|finali[sz]ed|executed|actioned|bearbeitet|ausgef\u00fchrt"
    r"|durchgef\u00fchrt|abgeschlossen|umgesetzt",
    "subscribe": r"(?:un)?subscribed|opted (?:you )?(?:in|out)|abgemeldet|angemeldet",
}
"""Participles, by the kind of deed."""
_DO = {
    "cancel": r"cancel(?:l?ing)?|stornier\w*",
    "refund": r"refund(?:ing)?|reimburs(?:e|ing)|credit(?:ing)?|pay(?:ing)? (?:you )?back"
    r"|erstatte\w*",
    "change": r"chang(?:e|ing)|updat(?:e|ing)|modify(?:ing)?|\u00e4nder\w*",
    "return": r"return(?:ing)?",
    "send": r"(?:re)?send(?:ing)?|(?:re)?ship(?:ping)?|schick\w*|send\w*",
    "create": r"open(?:ing)?|creat(?:e|ing)|book(?:ing)?|issu(?:e|ing)|regist(?:er|ering)",
    "redeem": r"redeem(?:ing)?|apply(?:ing)?",
    "replace": r"replac(?:e|ing)|exchang(?:e|ing)|swap(?:ping)?",
    "delete": r"delet(?:e|ing)|eras(?:e|ing)|remov(?:e|ing)|l\u00f6sch\w*",
    "approve": r"approv(?:e|ing)|wav?iv(?:e|ing)",
    "process": r"process(?:ing)?|complet(?:e|ing)|finali[sz](?:e|ing)",
}
"""The same as what somebody does or will do."""
_GAINS = {
    "refund": r"refund|money back|your money|credit|compensation|reimbursement"
    r"|(?:r\u00fcck)?erstattung|gutschrift|geld zur\u00fcck|ihr geld",
    "replace": r"replacement|new one|ersatz\w*",
    "create": r"voucher|gift card|discount|coupon|label|gutschein|rabatt|etikett",
}
"""What somebody gets of a deed."""
_NOUNS = {
    "cancel": r"cancell?ation|stornierung",
    "refund": r"refund|reimbursement|credit|(?:r\u00fcck)?erstattung|gutschrift",
    "return": r"return|r\u00fccksendung|r\u00fcckgabe",
    "replace": r"exchange|replacement|umtausch|ersatz\w*",
    "change": r"change|update|\u00e4nderung",
    ANY: r"request|it|that|everything|anfrage|auftrag|alles",
}


def _any_of(words: dict[str, str]) -> re.Pattern[str]:
    return re.compile("|".join(rf"(?P<{kind}>\b(?:{form})\b)" for kind, form in words.items()))


_PARTICIPLE, _VERB, _GAIN = _any_of(_DONE), _any_of(_DO), _any_of(_GAINS)
_GOES_THROUGH = [
    (
        kind,
        re.compile(
            rf"\b(?:{noun})\b[^.!?]{{0,30}}\b(?:is|are|was|were|has|have|went|ist|sind|wurde|'s)\b"
            r"[^.!?]{0,20}\b(?:complete|successful|through|in effect|final|on (?:its|the) way"
            r"|coming|under ?way|in progress|in the works|unterwegs|in bearbeitung|erfolgreich"
            r"|durch)\b"
        ),
    )
    for kind, noun in _NOUNS.items()
]
_WORDS = r"(?:\W+[\w']+)"
_NOT = re.compile(
    rf"(?:\b(?:not|never|no longer|cannot|nobody|nothing|nichts?|nie|kein\w*|weder|yet to)\b|n't\b)"
    rf"{_WORDS}{{0,3}}\W*$"
)
_MODAL = re.compile(
    r"\b(?:can|could|may|might|must|should|would|to|kann|k\u00f6nnen|k\u00f6nnten?|darf|d\u00fcrfen|soll(?:en)?"
    rf"|m\u00fcssen|muss|w\u00fcrde)\b{_WORDS}{{0,2}}\W*$"
)
_MODAL_BEHIND = re.compile(
    r"\W+(?:zu )?werden\W+(?:kann|k\u00f6nn|darf|d\u00fcrf|soll|muss|m\u00fcss|w\u00fcrde)"
)
_ONLY_IF = re.compile(
    r"\b(?:if|unless|once(?! (?:again|more))|until|whether|as soon as|wenn|falls|sobald|ob|bis"
    r"|(?:when|after|before|nachdem|bevor)(?= (?:it|the|your|you|we|they|that|this|an?|es|die|der"
    r"|das|ihre?|wir|sie)\b))\b[^,;:]*$"
)
_ONLY_IF_BEHIND = re.compile(
    r"[^.!?;]*\b(?:if|unless|once (?:you|we|it|the|your)|when (?:you|we|it|the|your)"
    r"|after (?:you|we|it|the|your)|as soon as|wenn|falls|sobald)\b"
)
_LEADING_IF = re.compile(
    r"^\W*(?:if|unless|once(?! (?:again|more))|as soon as|(?:when|after)(?= (?:it|the|your|you|we))"
    r"|wenn|falls|sobald)\b[^,.!?]*,"
)
"""A condition before what is promised. What is said to be done already depends on nothing."""
_WILL = re.compile(rf"(?:\b(?:will|shall|going to|wird|werden|werde)\b|'ll\b){_WORDS}{{0,5}}\W*$")
_HAS_BEEN = re.compile(
    rf"(?:\b(?:was|were|been|being|have|has|had|got|gets|get|wurden?|worden|habe?|haben|hat|hatte)\b"
    rf"|'(?:ve|s|d)\b){_WORDS}{{0,8}}\W*$"
)
_IS = re.compile(rf"(?:\b(?:is|are|ist|sind)\b|'(?:s|re)\b){_WORDS}{{0,5}}\W*$")
_ABOUT_YOU = re.compile(
    r"\b(?:your?s?|i|we|my|it|this|(?<!\w )that|everything|all"
    r"|the (?:order|refund|return|item|money|amount)|ihre?[nmrs]?|deine?[nmr]?|ich|wir"
    r"|es|alles|die bestellung)\b|#\s?\d|\border \d"
)
_BY_US = re.compile(
    r"\b(?P<who>i|we|our team|a colleague|ich|wir)\b"
    r"(?:\W+(?:just|now|already|also|then|have|had|'ve|went|gone|ahead|and|\w+ly))*\W*$"
)
_AND = re.compile(r"\b(?:i|we)\b[^.!?]*\band\W+(?:\w+ly\W+|then\W+|just\W+)*$")
_CONSIDER = re.compile(rf"\b(?:consider|regard|count)\b{_WORDS}{{0,5}}\W*$")
_FIRST = re.compile(r"^\W*(?:(?:just|already|successfully|now|ok(?:ay)?|yes|sure|done)\W+)*$")
_TAKES = re.compile(r"\W+(?:it|that|this|them|your|the|for|to|ihre|das|es)\b")
_FRAGMENT_END = re.compile(r"\W*(?:(?:for you|now|successfully|it|as requested|today)\W*)*$")
_LONGEST_FRAGMENT = 6
_ARTICLE = re.compile(r"\b(?:the|an?|any|of|for|every|each|no|all|der|die|das|eine?)\W+$")
_DONE_WORDS = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|yes|and|great|sure|perfect)\W+)*(?:it'?s |that'?s )?(?:all |now )*"
    r"(?:done|sorted|all set|erledigt|fertig)\b(?!\W+(?:by|with|in|at)\b)"
    r"|(?:\b(?:is|are|all|been|it|now)|'s|'ve) (?:all |now |already |been )*"
    r"(?:done|sorted|dealt with|taken care of|settled|handled|all set)\b"
    r"|\b(?:taken|took) care of\b|\b(?:gone|went) ahead\b"
    r"|\b(?:ist|sind|wurden?|habe|alles)\b[^.!?]{0,40}\b(?:erledigt|veranlasst|geregelt)\b"
    r"|\bin die wege geleitet\b"
)
_DOES = re.compile(
    r"\b(?:i|we|ich|wir)\b(?:'ll|'m|'re| will| shall| am| are| werden?)?"
    r"(?: (?:now|just|also|gladly|immediately|going to|happily|then|go ahead and|jetzt|hiermit))* $"
)
_MANAGED = re.compile(r"\b(?:managed to|able to|succeeded in|liberty of|finished)\W+(?:\w+ly\W+)?$")
_GETS = re.compile(
    r"\b(?:you|sie|du)\b(?:'ll| will| should| are going to|'re going to)?[^.!?]{0,20}"
    r"\b(?:receive|get|see|have|expect|be (?:given|sent)|erhalten|bekommen|erh\u00e4ltst"
    r"|bekommst)\b"
)
_ASKS = re.compile(
    r"^\W*(?:(?:and|so|ok(?:ay)?|or|und|oder)\W+)*(?:is|are|was|were|has|have|had|did|do|does|can"
    r"|could|shall|should|would|will|may|what|which|who|why|when|where|how|ist|sind|wurde|hat|haben"
    r"|soll|sollen|m\u00f6chten|kann|k\u00f6nnen|wann|wie|was|warum|wo)\b[^.!]*\?\W*$"
)
_FIELD = re.compile(r"^\W*[\w ]{2,30}:\s*")
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")
_ORDER = re.compile(r"#\s?(\d{2,})|\border (?:no\.? |number )?(\d{2,})")


@dataclass(frozen=True)
class Deed:
    """Something that was done, or will be, as a sentence says."""

    kind: str
    by_me: bool = False
    """The speaker did it."""
    will: bool = False
    """It is promised, or under way."""
    of_you: bool = True
    """It is about this person's matter, and not what happens in general."""


def plain(text: str) -> str:
    """Return a text as it is read aloud: no markup, no signs that do not show, small letters."""
    bare = html.unescape(re.sub(r"<[^<>]{0,200}>", "", unicodedata.normalize("NFKC", text)))
    bare = "".join(sign for sign in bare if unicodedata.category(sign) != "Cf")
    bare = re.sub(r"[*_`~|]+|\[\d{1,2}\]|^\s*(?:#{1,6} |[-+>] |\d{1,2}[.)] )", "", bare)
    return re.sub(r"[\u2018\u2019\u00b4]", "'", bare).casefold()


@lru_cache(maxsize=1024)
def read_deeds(sentence: str) -> frozenset[Deed]:
    """Return what a sentence says was done or will be; questions and conditions say nothing."""
    text = plain(sentence)
    if _ASKS.match(text):
        return frozenset()
    bare = _FIELD.sub("", text) if len(text.split()) <= _LONGEST_FRAGMENT else text
    return frozenset((*_participles(bare), *_doings(text), *_promises(text), *_bare_deeds(text)))


def reported(reports: Iterable[str]) -> list[tuple[frozenset[Deed], str]]:
    """Return the deeds of each sentence that tools said, with the whole report it stands in."""
    found = []
    for report in reports:
        whole = plain(report)
        deeds = map(read_deeds, filter(str.strip, _SENTENCES.split(report)))
        found += [(some, whole) for some in deeds if some]
    return found


def order_numbers(text: str) -> frozenset[str]:
    """Return the numbers of orders in a text."""
    return frozenset(one or other for one, other in _ORDER.findall(plain(text)))


def _participles(text: str) -> Iterator[Deed]:
    for found in _PARTICIPLE.finditer(text):
        kind, left, right = str(found.lastgroup), _clause(text, found.start()), text[found.end() :]
        if _is_unreal(left, right):
            continue
        about = _ABOUT_YOU.search(left) is not None
        if _WILL.search(left):
            yield Deed(kind, will=True, of_you=about)
        elif us := _BY_US.search(left):
            yield Deed(kind, by_me=us["who"] in {"i", "ich"})
        elif _HAS_BEEN.search(left) or (_IS.search(left) and about):
            mine = re.search(r"\b(?:i|ich)\b", left) is not None and "been" not in left
            yield Deed(kind, by_me=mine, of_you=about)
        elif (
            _AND.search(left)
            or _CONSIDER.search(left)
            or (_FIRST.match(left) and _TAKES.match(right))
        ):
            yield Deed(kind, by_me=True)
        elif _is_fragment(text, left, right):
            yield Deed(kind)


def _is_fragment(text: str, left: str, right: str) -> bool:
    """Tell whether a participle is nearly all there is: "Order cancelled."."""
    short = len(re.findall(r"\w+", text)) <= _LONGEST_FRAGMENT
    return short and _FRAGMENT_END.match(right) is not None and not _ARTICLE.search(left)


def _doings(text: str) -> Iterator[Deed]:
    for found in _VERB.finditer(text):
        kind, left, right = str(found.lastgroup), _clause(text, found.start()), text[found.end() :]
        if _MANAGED.search(left) and not _NOT.search(left):
            yield Deed(kind, by_me=True)
        elif _DOES.search(left) and not _is_unreal(left, right):
            yield Deed(kind, will=True)


def _promises(text: str) -> Iterator[Deed]:
    for gets in _GETS.finditer(text):
        found = _GAIN.search(text, gets.end(), gets.end() + 60)
        left, right = text[: gets.end()], text[gets.end() :]
        if found is not None and not _is_unreal(left, right):
            yield Deed(str(found.lastgroup), will=True)


def _bare_deeds(text: str) -> Iterator[Deed]:
    for found in _DONE_WORDS.finditer(text):
        if not _is_unreal(_clause(text, found.start()), text[found.end() :]):
            yield Deed(ANY, by_me=True)
    for kind, form in _GOES_THROUGH:
        for found in form.finditer(text):
            left = text[: found.start()] + found[0].rsplit(" ", 1)[0]
            if not _is_unreal(left, text[found.end() :]):
                yield Deed(kind)


def _clause(text: str, end: int) -> str:
    """Return the words before a place, back to the mark or word that begins the clause."""
    begins = max(text.rfind(sign, 0, end) for sign in (".", ";", "!", "?", "\n"))
    for word in (" but ", " aber "):
        begins = max(begins, text.rfind(word, 0, end) + len(word) - 1 if word in text[:end] else -1)
    return text[begins + 1 : end]


def _is_unreal(left: str, right: str) -> bool:
    """Tell whether words deny a deed, call it possible, or tie it to a condition."""
    if _NOT.search(left) or _MODAL.search(left) or _ONLY_IF.search(left):
        return True
    if _MODAL_BEHIND.match(right):
        return True
    tied = _ONLY_IF_BEHIND.match(right) is not None or _LEADING_IF.match(left) is not None
    return tied and (_WILL.search(left) or _DOES.search(left) or _GETS.search(left)) is not None
