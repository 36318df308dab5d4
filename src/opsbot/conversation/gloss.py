"""German wishes in English, word by word: enough to tell which change somebody asks for.

The embedded model understands English. A model from outside speaks German as well, and what its
customers ask for has to be found in their words all the same.
"""

import re

_WORDS = {
    r"stornier\w*|abbestell\w*|annullier\w*": "cancel",
    r"zurück(?:zu)?(?:geben|schicken|senden)|retour\w*|rücksend\w*|rückgabe": "return",
    r"umtausch\w*|umzutauschen|austausch\w*|tausch\w*": "exchange",
    r"ersatz\w*|ersetz\w*": "replacement",
    r"(?:rück)?erstatt\w*|geld zurück": "refund",
    r"(?:ab|um)?änder\w*|zu ändern|geändert|korrigier\w*|aktualisier\w*": "change",
    r"liefer(?:adresse|anschrift)": "delivery address",
    r"adresse\w*|anschrift": "address",
    r"umgezogen|umzug": "moved",
    r"bestellung(?:en)?|auftrag": "order",
    r"bestellt\w*": "ordered",
    r"artikel|produkt\w*|ware": "item",
    r"rücksendungen?|retoure": "return",
    r"paket\w*|sendung|lieferung": "parcel",
    r"rechnung": "invoice",
    r"zahlung(?:sart|smittel|smethode)?|bezahl\w*|zahlen": "payment",
    r"karte|kreditkarte": "card",
    r"gutschein\w*": "gift card",
    r"punkte\w*|treuepunkte": "points",
    r"einlös\w*|einzulösen": "redeem",
    r"registrier\w*|anmeld\w*": "register",
    r"abmeld\w*|abbestellen": "unsubscribe",
    r"lösch\w*": "delete",
    r"daten": "data",
    r"kaputt\w*|defekt\w*|beschädigt\w*|zerbrochen\w*|gebrochen": "broken",
    r"fehlt|fehlen|fehlend\w*": "missing",
    r"falsch\w*": "wrong",
    r"angekommen|geliefert": "arrived",
    r"widerruf\w*|widerrufen": "withdraw from the contract",
    r"farbe": "colour",
    r"größe": "size",
    r"schick(?:en|e|t)?|send(?:en|e|et)?": "send",
    r"(?:ich )?möchte(?:n)?|ich will|ich würde gern\w*|hätte gern\w*": "I want to",
    r"können sie|könnten sie|kannst du|könntest du": "can you",
    r"bitte": "please",
    r"mein\w*": "my",
    r"dies\w*|den|die|das|dem|der": "the",
    r"ein(?:e[nmrs]?)?": "a",
    r"und": "and",
    r"oder": "or",
    r"für": "for",
    r"von|aus": "from",
    r"auf|in": "to",
    r"zu|zum|zur": "to",
    r"ich": "I",
    r"mir|mich": "me",
    r"es|sie": "it",
    r"ist|sind": "is",
    r"nicht mehr": "no longer",
    r"nicht|kein\w*": "not",
    r"wegen": "because of",
    r"nach": "to",
    r"neu\w*": "new",
    r"andere\w*": "another",
    r"per|mit": "with",
}
_GERMAN = re.compile(
    r"\b(?:ich|bitte|meine?[nmrs]?|nicht|und|bestellung|möchte|können|könnten|ist|das|wurde)\b",
    re.IGNORECASE,
)
_LEAST = 2
"""German words from which a text is taken for German."""
_ANY = re.compile(
    "|".join(rf"(?P<w{place}>\b(?:{form})\b)" for place, form in enumerate(_WORDS)), re.IGNORECASE
)
_ENGLISH = list(_WORDS.values())
_VERB_LAST = re.compile(
    r"(I want to|can you|please)\s+([^.!?]{2,100}?)\s+"
    r"(cancel|return|exchange|change|redeem|register|delete|send)\b"
)
_IS_ARRIVED = re.compile(r"\bis (\w+) arrived\b")
_ORDERS_NOT = re.compile(
    r"\b(?:stornier|änder|schick|send|lösch|tausch|erstatt)\w*[^,.!?]{0,60}?\bnicht\b(?! mehr)"
    r"|\b(?:nicht|keine?n?)\b(?! mehr)[^,.!?]{0,40}?"
    r"\b(?:\w*zu)?(?:stornier|änder|schick|send|lösch|tausch|erstatt|zurück)\w*",
    re.IGNORECASE,
)


def in_english(text: str) -> str:
    """Return a German text in English words, any other as it is."""
    if len(_GERMAN.findall(text)) < _LEAST:
        return text
    english = _ANY.sub(lambda found: _ENGLISH[int((found.lastgroup or "w0")[1:])], text)
    return _IS_ARRIVED.sub(r"arrived \1", _VERB_LAST.sub(r"\1 \3 \2", english))


def orders_not(text: str) -> bool:
    """Tell whether German words forbid a change: "bitte stornieren Sie nicht"."""
    return len(_GERMAN.findall(text)) >= _LEAST and _ORDERS_NOT.search(text) is not None
