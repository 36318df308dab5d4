"""The small words of a language: which say nothing alone, which turn a sentence round.

A language that is not listed has no free words: its sentences are proved almost word for word.
"""

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Words:
    """The closed classes of one language."""

    free: frozenset[str]
    """Say nothing alone: they may be added and left out."""
    negations: frozenset[str]
    limits: frozenset[str]
    """May neither be added nor left out within a clause: "only", "off", "before"."""
    joins: frozenset[str]
    """Begin a new clause, or the next thing of a list, on the same footing."""
    clauses: frozenset[str]
    """Begin a clause of its own."""
    must: frozenset[str]
    may: frozenset[str]
    be: frozenset[str]
    pronouns: frozenset[str]
    """Stand for what was named before, when a sentence begins with one."""
    openers: frozenset[str]
    """Free before a comma at the beginning of a sentence: "First, …"."""
    by: str
    """Names who does it in a passive sentence."""
    silent: frozenset[str]
    """All that are no tokens."""
    small: frozenset[str]
    """All of them."""


def words_of(language: str) -> Words:
    """Return the small words of a language, by its two letters."""
    return _all().get(language[:2].lower(), _all()[""])


@cache
def _all() -> dict[str, Words]:
    return {"": _make(), "en": _english(), "de": _german()}


def _make(**classes: str) -> Words:
    by = classes.pop("by", "")
    names = set(Words.__dataclass_fields__) - {"by", "silent", "small"}
    found = {name: frozenset(classes.get(name, "").split()) for name in names}
    small = frozenset({by}).union(*found.values()) - {""}
    silent = small - found["openers"] - found["negations"] - found["limits"] | found["free"]
    return Words(**found, by=by, silent=silent, small=small)


def _english() -> Words:
    be = "am are be been being is was were isn aren wasn weren"
    pronouns = "he her him his it its itself she that their theirs them these they this those"
    return _make(
        be=be,
        pronouns=pronouns,
        free=f"""{be} {pronouns} a also an any around as at by did do does doing don doesn didn done
            else for from had has hasn have haven having here how i in into just let lets like may
            me might my of on onto one ones or our ours over own per please really simply so such
            than the there therefore through thus to too toward towardson us very via we what
            which who whom whose will with won would wouldn yes you your yours yourself between
            about again additionally advise and because but can could couldn ensure following get
            got however if important indeed kindly make note ought recommend recommended remember
            shall should shouldn step sure though although when whenever where whether while
            within e.g i.e eg ie etc vs ca approx approximately roughly must mustn cannot""",
        negations="""no nobody non none nor not nothing nowhere never neither without""",
        limits="""after all always almost alone away back before below both beneath beyond
            barely down each either every except excluding exclusively few hardly instead
            mostly nearly off only out outside partially partly rarely rather same seldom
            some sometimes then under unless until till up""",
        joins="and or nor as well plus",
        clauses="""although as because but however if once since so that though when
            whenever where whereas whether which while who then before after until till""",
        must="must shall should ought mustn shouldn",
        may="can could may might cannot couldn",
        openers="""absolutely additionally also certainly correct exactly finally first firstly
            great hello hi however lastly next no now ok okay otherwise right second
            secondly so sure then third thirdly well yes""",
        by="by",
    )


def _german() -> Words:
    be = "bin bist ist sind seid war waren wird werden wurde wurden sein gewesen worden"
    pronouns = "er es sie ihm ihn ihr ihre ihren ihrem ihrer diese dieser dieses diesen diesem dies"
    return _make(
        be=be,
        pronouns=pronouns,
        free=f"""{be} {pronouns} aber als also am an auch auf aus bei beim bitte da dabei damit das
            dass dazu dein deine deinen dem den der des die du durch ein eine einem einen einer
            eines etwa für gegen gibt hat haben hier ich ihnen im in ins ja kann können könnte man
            mein mit muss müssen noch oder sich sicher sie so soll sollte sollten und uns unser
            unsere vom von wenn wie wir wo zu zum zur zwischen dürfen darf über um welche welcher
            welches sobald weil während ob""",
        negations="""nein nicht nichts nie niemals niemand kein keine keinen keinem keiner keines
            ohne weder""",
        limits="""alle allein ab aus außer ausschließlich bevor bis dann einige erst fast immer
            jede jeder jedes kaum links manche meist nach nachdem nur rechts selten statt unter
            vor manchmal""",
        joins="und oder sowie noch",
        clauses="""aber als bevor bis da damit dass falls indem nachdem ob obwohl sobald sodass
            sondern während weil welche welcher welches wenn wo denn dann""",
        must="muss müssen soll sollte sollten",
        may="kann können könnte darf dürfen",
        openers="zuerst dann danach zuletzt schließlich ja nein hallo erstens zweitens drittens",
        by="von",
    )
