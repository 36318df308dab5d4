"""Which language a text is in, and how its words are brought to their stems.

A text is told by its script, and in the Latin script by its small words: every sentence has some,
and hardly two languages share them. It needs no model and takes microseconds.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping
from functools import cache

DEFAULT = "en"
"""What a text counts as when nothing tells its language."""

_READ = 20_000
"""Characters that are looked at; more would not change the outcome."""
_WORD = re.compile(r"(?<!\w)(?<!\d-)[^\W\d_]+(?:['\u2019][^\W\d_]+)?(?!-?\d|\w)")
"""A word that stands alone: the E of E-17 and the W of 40 W/m are none."""
_LEAST = 0.05
"""Share of the words that must speak for a language; tables and lists of parts have few."""
_ENOUGH = 0.9
"""What must speak for a language at least: about one small word of its own."""
_LEAD = 1.3
"""How far ahead of English another language must be."""
_LETTER_WEIGHT = 0.4
"""What a letter that few languages have counts, against a word."""

_SMALL_WORDS: Mapping[str, str] = {
    "en": """the of and to in is you that it for on are as with your be at this have from or can
        not by but what how when where why which do does will an if my there their was were has
        would should our any after before only its than then they been into a i me we he she no so
        or all more very just about these do over out up""",
    "de": """der die das und ist nicht ein eine einen einem einer den dem des sie ich wir ihr zu
        mit auf für von im wie was wenn oder auch aus bei nach über kann können werden wird sind
        hat haben mein meine mich mir es an als nur noch so vor zum zur dass sich bitte warum wo
        kein keine ihre ihren durch lange""",
    "fr": """le la les des du une un est et en que qui dans pour sur avec pas vous nous il elle au
        aux ce cette ces votre vos mon ma mes par plus ou être sont avez comment quand où
        pourquoi je ne se si leur après avant sans peut faut avoir quel quelle d'un d'une c'est
        n'est l'eau qu'il puis""",
    "es": """el la los las una un es y en que de del para por con no su sus se al lo como más si
        mi cómo cuándo dónde qué está están ser puede o este esta estos usted hay pero sin
        después antes muy cuál cuánto tiene yo le nos desde hasta ya debe""",
    "it": """il lo la gli le un una è e di del della dei delle che non per con su da dal dalla nel
        nella sono come quando dove perché mio mia si ci se più questo questa può al alla ai anche
        o prima dopo quanto quale deve ho hai""",
    "nl": """de het een en van is niet op te dat die in voor met zijn aan er maar om ook als naar
        bij uw mijn ik je we hoe wat waar wanneer waarom kan kunt worden wordt heeft heb hebben of
        door over uit nog dan geen deze dit na welke moet""",
    "pt": """o a os as um uma de do da dos das em no na nos nas que não para por com se como
        mais é são está ao à mas ou seu sua meu minha você quando onde porque qual pode este esta
        isto depois antes muito foi ser ter há sem até eu deve""",
    "sv": """och att det är en ett som på för med av den inte till om han jag vi ni du har kan
        ska hur vad när var varför min mitt din eller men från så denna detta efter innan vid
        mycket kommer också utan alla""",
    "da": """og at det er en et som på for med af den ikke til om han jeg vi du har kan skal
        hvordan hvad hvornår hvor hvorfor min mit din eller men fra så denne dette efter før ved
        meget kommer også uden alle være blive hvis""",
    "pl": """i w na z do się nie jest to że jak o co po za od dla przez czy oraz lub może być są
        ma jego mój moja kiedy gdzie dlaczego który która które tego przed bez już tylko ten ta
        można należy przy jeśli""",
}
_LETTERS: Mapping[str, str] = {
    "de": "äöüß",
    "fr": "çèêëàùûîœ",
    "es": "ñ¿¡áíóú",
    "it": "èàòù",
    "pt": "ãõçáâê",
    "sv": "åäö",
    "da": "æøå",
    "pl": "ąęłńśźż",
}
_SCRIPTS: Mapping[str, str] = {
    "CYRILLIC": "ru",
    "GREEK": "el",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CJK": "zh",
    "ARABIC": "ar",
    "HEBREW": "he",
    "DEVANAGARI": "hi",
    "THAI": "th",
}
_UKRAINIAN = re.compile("[іїєґ]")
_STEMMERS: Mapping[str, str] = {
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hi": "hindi",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}


def detect(text: str, *, default: str = DEFAULT) -> str:
    """Return the ISO 639-1 code of the language a text is in.

    Args:
        text: plain words or Markdown; a paragraph is told surely, a question mostly.
        default: what to return when nothing tells.
    """
    found = (word for word in _WORD.findall(text[:_READ]) if len(word) > 1 or word.islower())
    words = [word.lower().replace("\u2019", "'") for word in found]
    if not words:
        return default
    script = _find_script(words)
    if script is not None:
        return script
    scores = _score(words)
    best = max(scores, key=lambda code: scores[code])
    tells = scores[best] >= max(_ENOUGH, _LEAST * len(words))
    return best if tells and scores[best] > scores[DEFAULT] * _LEAD else _english(scores, default)


def stemmer_name(language: str) -> str:
    """Return what Snowball calls its stemmer for a language, such as `german` for `de-AT`.

    Languages without one get the English stemmer: it leaves most of their words alone.
    """
    return _STEMMERS.get(language[:2].lower(), "english")


def choose_language(question: str, spoken: Collection[str]) -> str:
    """Return the language whose rules bring the words of a question to their stems.

    It is the one that the question is written in, if articles are too; else that of the articles,
    English before others.

    Args:
        question: the words of who asks.
        spoken: the languages of the articles that are searched.
    """
    if all(map(is_english, spoken)):
        return DEFAULT
    primary = {name[:2].lower() for name in spoken}
    others = sorted(primary, key=lambda name: (name != DEFAULT, name))
    written = detect(question, default=others[0])
    return written if written in primary else others[0]


def is_english(language: str) -> bool:
    """Tell whether a code such as `en-GB` is one of English."""
    return language[:2].lower() == DEFAULT


@cache
def small_words(language: str) -> frozenset[str]:
    """Return the small words of a language, which tell nothing of what a text is about."""
    return frozenset(_SMALL_WORDS.get(language[:2].lower(), "").split())


def _find_script(words: list[str]) -> str | None:
    """Return the language that the script of most letters tells; None for the Latin script."""
    # Whole words of one script: the first letter of each says which.
    scripts = Counter(_script(letter) for word in words for letter in word[:3])
    name, _count = scripts.most_common(1)[0]
    if name == "LATIN":
        return None
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > scripts["CJK"] / 10 and name != "CYRILLIC":
        return "ja"
    if name == "CYRILLIC" and any(_UKRAINIAN.search(word) for word in words):
        return "uk"
    return _SCRIPTS.get(name)


@cache
def _script(letter: str) -> str:
    return unicodedata.name(letter, "LATIN").partition(" ")[0]


def _english(scores: Mapping[str, float], default: str) -> str:
    return DEFAULT if scores[DEFAULT] >= _ENOUGH else default


def _score(words: list[str]) -> dict[str, float]:
    """Return how much speaks for each language, in words."""
    weights, scores = _weights(), dict.fromkeys(_SMALL_WORDS, 0.0)
    for word in words:
        for code, weight in weights.get(word, ()):
            scores[code] += weight
    letters = Counter("".join(words))
    for code, telling in _LETTERS.items():
        scores[code] += _LETTER_WEIGHT * sum(letters[letter] for letter in telling)
    return scores


@cache
def _weights() -> dict[str, list[tuple[str, float]]]:
    """Return, for each small word, its languages and its weight; a shared word tells less."""
    owners: dict[str, list[str]] = {}
    for code, listed in _SMALL_WORDS.items():
        for word in set(listed.split()):
            owners.setdefault(word, []).append(code)
    return {word: [(code, 1 / len(codes)) for code in codes] for word, codes in owners.items()}
