"""The English that the embedded model brings along, as patterns: forms of questions and answers.

They name no tool and no shop.
"""

import re


def _form(pattern: str) -> re.Pattern[str]:
    """Compile a pattern; case and the line breaks it is written with do not count."""
    return re.compile(re.sub(r"\n\s*", "", pattern), re.IGNORECASE)


_LEAD = r"^\W*(?:(?:and|also|then|so|but|plus|or|ok|okay|well|please|now)\W+)*"

# What a person answers

ABANDON = _form(
    r"""^\W*(?:(?:oh|ok(?:ay)?|no|well|actually|sorry)\W+)*
    (?:never\s?mind|forget (?:it|that|about it)|
    (?:please )?(?:stop|drop it|leave it(?: be)?|cancel that|skip (?:it|that))|
    (?:i(?:'ve| have)? )?changed my mind(?=\W*$|[.!])|don'?t bother|let'?s leave it)\b"""
)
AFFIRM = _form(
    r"""^\W*(?:yes|yep|yeah|yup|sure|ok|okay|alright|all right|please do|of course|go (?:on|ahead)|
    continue|do (?:it|that|so)|that (?:would be|sounds) \w+|next|the next one|the other one|
    carry on|proceed|done|i(?: a|')m signed in|signed in)\b[\s,.!]*
    (?:(?:please|thanks|thank you|do(?: it)?|go ahead|proceed|confirm|that would be \w+|
    that(?:'s| is) (?:right|correct|fine)|and (?:now|the other|the rest)\b.*|
    i (?:would|do)|now|it is done)[\s,.!]*)*$"""
)
ACCEPTS = _form(r"^\W*(?:yes|yep|yeah|yup|sure|ok|okay|please do|of course)\b")
DENY = _form(
    r"""^\W*(?:no|nope|nah|not now|no need|not really)\b[\s,.!]*
    (?:thanks?|thank you|please)*[\s.!]*$"""
)
UNKNOWN = _form(
    r"""\b(?:do not|don'?t|can'?t|cannot|can not) (?:know|remember|recall|find|have)\b|
    \bno idea\b|\bnot sure\b|\bnot at hand\b|\blost\b.*\b(?:number|mail|invoice)\b"""
)
CORRECTION = _form(
    r"""^\W*(?:(?:no|sorry|oops|wait|actually|hmm)\W+)+(?:i (?:meant?|mean)\b)?|
    \bi meant?\b|\b(?:wrong (?:one|order|number|item))\b|^\W*not (?:that|this) one\b"""
)
FOLLOW_UP = _form(
    r"""^\W*(?:(?:and|or|ok(?:ay)?|also|then|now)\W+)*
    (?:what about|how about|and|or|the same|same)\b\s*(?:(?:for|with|of|in)\b)?"""
)
IN_PLACE = _form(r"^\W*(?:(?:and|or|what about|how about)\W+)+(?:in|as|with)\b")
IN_VARIANT = _form(r"\b(?:in|as|with)\s+(?!stock\b)(?:an?\s+)?[\w-]+")
CODE = _form(r"^\D{0,40}(?<!\d)\d{6}(?!\d)\D{0,20}$")

# How a sentence is built

PRONOUN = _form(
    r"""\b(?:it|its|it'?s|that|this|them|those|these|they|one|
    the (?:same|parcel|package|order|delivery))\b"""
)
IT = _form(r"\b(?:it|them)\b")
ONE = _form(r"\bones?\b")
FORBIDS = _form(r"\b(?:do not|don't|dont|never) (\w+)")
CONTRACTED = _form(r"\b(where|what|who|when|how|that)s\b")
"""Words whose apostrophe is left out: "wheres my parcel"."""
FAULT_CODE = _form(
    r"""(?<![\w-])[a-z]{1,2}-\d{2,3}(?![\w-])|
    \b(?:error|fault|code|shows?|says?|displays?)\W+(?:\w+\W+)?[a-z]{1,2}\d{1,3}\b"""
)
"""A code on a display: E-04, "it shows F12"; E14 alone may be part of an address."""
FURTHER = _form(r"\b(?:also|as well|too|another)\b")
OWN = _form(r"\b(?:my|mine|this|that|it|#\d+)\b")
GREETING = _form(
    r"""^\W*(?:(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|dear \w+|greetings)\b
    (?:\s+(?:there|team|all|everyone|guys)\b)?)[\s,.!:)-]*"""
)
COURTESY = _form(
    r"""^\W*(?:(?:thank(?:s| you)(?: (?:so much|a lot|very much|in advance))?
    (?: for [^.,!?]{1,40}(?=[.,!?]))?|cheers|great|perfect|
    awesome|wonderful|absolutely|certainly|sure(?: thing)?|got it|i see|ok(?:ay)?|alright|sorry|
    yes|yeah|yep|hmm+|oh|ah|well|so|first(?:ly)?|next|finally|one last thing|
    in that case|if so)\b[\s,.!:-]*)+"""
)
ORDERS = _form(
    r"""\b(?:but|now|also|next|please|can you|could you|i(?:'d| would) like|i (?:want|need)|however|
    instead|wait)\b"""
)
"""Signs that more is said than thanks."""
POLITE = _form(
    r"""^\W*(?:(?:ok(?:ay)?|great|good|perfect|wonderful|awesome|excellent|fantastic|lovely|cheers|no|
    nope|nah|oh|ah)\b[\s,.!]*)*
    (?:thank(?:s| you)(?! for nothing)[^,;:?]{0,80}|(?:i )?(?:really )?appreciate[^,;:?]{0,60}|
    much appreciated|(?:great|glad) to hear[^,;:?]{0,40}|
    (?:you )?have a (?:great|nice|good|lovely|wonderful|fantastic)[^,;:?]{0,30}|(?:good)?bye|
    take care|(?:i think )?(?:that|this)(?:'s| is| was| will be|'ll be)? (?:all|everything|it)\b
    [^,;:?]{0,40}|i'?m (?:done|all set|good)\b[^,;:?]{0,20}|
    (?:that|this)(?:'s| is| was) (?:great|helpful|perfect|wonderful|fine)\b[^,;:?]{0,20}|
    you(?:'re| are) (?:so |very )?(?:kind|helpful)|i'?m (?:so )?(?:glad|happy)[^,;:?]{0,30}|
    if (?:anything|something) else[^;:?]{0,60}|nothing (?:else|more)[^,;:?]{0,20}|
    no further[^,;:?]{0,30})[\s.!]*$"""
)
"""A sentence of thanks or farewell, and nothing else."""
CLOSES = _form(
    r"""\b(?:that|this)(?:'s| is| was| will be)? (?:all|everything|it)\b|
    \bbye\b|\bhave a\b|\btake care\b|
    \bdone\b|\ball set\b|\bnothing (?:else|more)\b|\bno further\b"""
)
ASKS_HELP = _form(
    r"""^\W*(?:(?:and|so|please)\W+)*(?:(?:can|could|would|will) you (?:please )?
    (?:kindly )?(?:help|assist)
    (?: me)?(?: out)?(?: (?:with|on) (?:that|this|it|those|these))?|
    (?:is|would|will) (?:that|this|it) (?:be )?(?:possible|ok|okay|doable|work)|
    (?:can|could) (?:that|this|it) be done|is there (?:a|any|another)(?: other)? way
    (?:to|we can|we could|you can|that)
    (?: \w+){1,4}|let me know|what do you (?:think|need))\W*$"""
)
QUESTION = _form(
    _LEAD
    + r"""(?:how (?:do|can|should|would|could|long|much|often|hot|to)\b|
    what (?:is|are|if|does|happens|kind|do you)\b|what's\b|why\b|
    (?:do|can|does) (?:you|i|one|people|it)\b|is (?:it|there)\b|are there\b|
    (?:tell|explain)(?: to)? me (?:how|what|why|about)\b)"""
)
INSTRUCTION = _form(
    _LEAD
    + r"""(?:how (?:do|can|should|would|could) (?:i|we|you|one)|how to|
    where (?:do|can|could|should) (?:i|we|you|one)|
    what (?:do i|should i|must i) (?:need|do|have)|why (?:does|is)|what happens (?:if|when)|
    what (?:is|are) (?:your|the) (?:policy|policies|rules?|conditions|terms))\b"""
)
RULE = _form(
    _LEAD
    + r"""(?:(?:can|could|may) (?:i|we|one|people|customers)\b|(?:am|are) (?:i|we) allowed\b|
    (?:is|would) it (?:be )?(?:possible|allowed|ok|okay|permitted)\b|is there (?:a|any) way\b|
    do you (?:allow|let|permit)\b)"""
)
WONDERS = _form(
    _LEAD
    + r"""(?:(?:hmm+|wait(?: a (?:second|minute|moment))?|oh|ah)\W+)*
    (?:should(?:n'?t)? (?:i|it|we|there|that)|why|how come|what if|does(?:n'?t)?|
    did(?:n'?t)?|was(?:n'?t)?|were(?:n'?t)?|
    is(?:n'?t)? (?:that|this|there))\b"""
)
"""Questions about a change that do not order it."""
OFFERS = _form(
    _LEAD + r"(?:do you (?:also )?(?:have|sell|stock|carry)|have you got|can i (?:buy|get))\b"
)
HAZARD = _form(
    r"""\b(?:burn(?:ed|t|s)? (?:me|my|his|her|our|a child|the child)\b|
    (?:caught|catches|on) fire\b|in flames\b|smok(?:es|ed|ing)\b|
    (?:smoke|flames|sparks) (?:com|c[oa]me|ris)|
    spark(?:s|ed|ing)\b|explod(?:ed|es|ing)\b|melt(?:ed|s|ing)\b|
    (?:electric(?:al)?|got a|gave me a|gives me a) shock|(?:electrocuted|shocked)\b|
    injur(?:ed|y|ies)\b|(?:hurt|cut|hurts|cuts) (?:me|my|myself)\b|bleed(?:s|ing)\b|
    (?:is|are|has|was|started|got|looks) (?:all |very |badly )?
    (?:swollen|swelling|bulging|burning|overheating)\b|
    (?:battery|batteries|accu) (?:swells|swelled|bulges|leaks|leaked))"""
)
GENERAL = _form(
    r"""\b(?:if|when|before|unless|in case|how do|how can|does|do|did|will|would|could|can|may)\b"""
)
AMOUNT = _form(
    r"""\b(?:of|me|back|want|need|demand|get)\s+(?:a |the |another |about )?
    (?:[€$£]\s?\d[\d.,]*|\d[\d.,]*\s?(?:€|\$|£|(?:euros?|eur|dollars?|usd|pounds?|gbp)\b))"""
)
STATES = _form(
    _LEAD
    + r"""(?:i|we)(?:'m| am| are|'ve| have)? (?:\w+ )?
    (?:need|want|wanted|must|have|hope|trying|looking|planning)\b"""
)
OPENER = _form(
    r"""^\W*(?:(?:and|also|then|so|but|plus|or|now|second(?:ly)?|first(?:ly)?|finally|please|
    kindly|maybe|perhaps|just|oh|well|additionally|besides)\W+)*
    (?:what(?:'s|s)?|where(?:'s|s)?|when(?:'s)?|who|whom|whose|which|why|how|
    (?:can|could|would|will|do|does|did|is|are|was|were|has|have|had|may|shall|should|am)(?:n'?t)?\s+
    (?:#|\w+)|
    (?:i|we)(?:'d| would) (?:\w+ )?(?:like|love|rather|prefer)|
    (?:i|we)(?:'m| am| are| was| were|'ve been) (?:\w+ )?
    (?:looking|trying|hoping|wondering|calling|writing)|
    (?:i|we) (?:also |just |really |still |actually )*
    (?:want|need|wish|have to|must|wonder|wanted|hope)\b|
    (?:i|we) have an? (?:other )?question|
    tell me|let me|let us|let's|give me|show me|help me)(?!\w)"""
)
JOINT = _form(
    r"""(?:\s?[,;]\s?|\s)(?:and then|and also|and|also|then|plus|but also|but|as well as)\s|
    \s?[;,]\s"""
)
CONDITION = _form(
    r"""\b(?P<word>(?:but )?only if|as long as|provided(?: that)?|assuming(?: that)?|in case|
    if|unless)\s+"""
)
WHETHER = _form(
    r"""\b(?:tell me|know|see|check|ask|asking|wonder(?:ing)?|sure|clear|understand|find out|
    look|what|how about|even|as)\s*,?\s*$"""
)
OTHERWISE = _form(r"^\W*(?:and )?(?:otherwise|if not|or else|else)\b[\s,]*")
SUBORDINATE = _form(r"\s?(?:,|\b(?:because|since|except|as (?:it|i|they|the)|so that|but)\b)")
NEGATION = _form(
    r"\b(?:not|never|no|nothing|without|\w+n't|hasnt|isnt|didnt|wasnt|havent|yet to)\b"
)
MOODS = (
    (
        "<wants>",
        _form(
            _LEAD
            + r"""(?:(?:i|we)(?:'d| would) (?:\w+ )?(?:like|love|rather)|
            (?:i|we) (?:\w+ )?(?:want|need|wish)\b|
            (?:i|we)(?:'m| am| are| was| were) (?:hoping|looking|trying)\b)|
            ^\W*(?:please|pls|kindly)\b|^\W*(?:can|could|would|will) you (?:please |pls )"""
        ),
    ),
    ("<asks what>", _form(_LEAD + r"(?:what|where|when|who|which|why|how|whose)\b")),
    (
        "<asks whether>",
        _form(
            _LEAD
            + r"""(?:can|could|may|am|is|are|was|were|do|does|did|has|have|will|would|should)\b"""
        ),
    ),
    ("<asks>", _form(r"\?\s*$")),
)
"""Grammatical forms, the first that fits."""

# Which one of several

LATEST = _form(r"\b(?:last|latest|newest|most recent|recent|just (?:placed|ordered|bought))\b")
OLDEST = _form(r"\b(?:oldest|earliest|very first)\b")
EVERY = _form(
    r"""\b(?:both|everything|every one|each|all but|
    all (?:of|my|our|the(?! best)|these|those|them|orders|items|\d+)|
    the (?:whole|entire|complete) (?:order|thing|lot))\b|^\W*all\W*$"""
)
ADDRESS_OF = _form(
    r"""\b(?:same|match|as (?:the|my|in|on)|address (?:of|from|in|on|for)|of order|
    (?:my|the|our) (?:default|home|current|profile|account|original|old|previous|new|usual|other|
    registered)|on file|back|revert|
    this (?:new )?address|that address)\b"""
)
WHOLE_ONE = _form(r"\bthe (?:whole|entire|complete) \w+\b")
BOTH = _form(r"\bboth\b")
CHECKS = _form(
    _LEAD
    + r"""(?:(?:can|could|would|will) you (?:please |kindly |also )*)?
    (?:check|tell me|let me know|see (?:if|whether)|look (?:up|into|at)|
    confirm (?:if|whether|that|the|what|which)|find out|verify (?:if|whether|that|the))\b"""
)
"""Words that want to know, whatever they are about."""
BECOMES = _form(
    r"""\s(?:to (?:a|an|the|be|one|something)|for (?:a|an|the|one|something)|
    into|with (?:a|an|the|one)|instead)\b"""
)
"""What comes between a thing and what shall take its place."""
KEPT = _form(
    r"""(?:[,;]|\b(?:but|and|while|so))?\s*\b
    (?:i(?:'d| would| will|'ll)? (?:like|want|wish)? ?(?:to )?)?(?:please )?
    (?:keep|retain|leave|still want)\b(?!(?: \w+){1,6} (?:out|off)\b)[^.;!?\n]*?
    (?=\b(?:but|while)\b|\band (?:please )?(?:cancel|remove|take|drop)\b|[.;!?\n]|$)"""
)
"""What a customer says of the things that stay: "but keep the lamp"."""
NOT_THIS = _form(
    r"""\b(?:not|rather than|instead of)\s+(?:by |with |in |for |on )?
    ((?:(?:the|my|an?|that|this)\s+)?[\w'-]+(?:\s+ones?)?)(?=\s*(?:[,.;!?]|\bbut\b|$))"""
)
"""What a person does not mean: "not the mug, the bowl"."""
EXCEPT = _form(r"\b(?:except(?: for)?|but not|all but|apart from|other than|without)\b(.*)")

# Values

EMAIL = _form(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
POSTCODE = _form(
    r"""\b(?:post(?:al)?\s?code|zip(?: code)?|plz)\s*(?:is|of|:|=)?\s*
    (?P<marked>(?=[A-Z -]*\d)[A-Z0-9][A-Z0-9 -]{2,8})|
    \b(?P<gb>[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})\b|\b(?P<nl>\d{4} ?[A-Z]{2})\b"""
)
BARE_POSTCODE = _form(
    r"""(?<![\w@.#-])(?:[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}|\d{4}\s?[A-Z]{2}|
    [A-Z]{0,2}-?\d{3,6}(?:-\d{3,4})?)(?![\w@])"""
)
_MONTH = r"""(?:january|february|march|april|may(?= \d|$)|june|july|august|september|october|
    november|december)"""
BARE_NAME = _form(
    r"""(?m:^)\W*(?:(?:sure|yes|ok(?:ay)?|of course|certainly|absolutely|hi|hello|thanks)
    (?: thing)?\b\W*)*
    ((?-i:[A-ZÀ-Ý][a-zà-ÿ'-]+(?:\s+[A-ZÀ-Ý][\w'-]+){1,3}))(?=\s*(?:[,.;:]|\d|and\b|but\b|$))"""
)
PERIOD = _form(
    r"""\b(?:today|yesterday|tomorrow|tonight|
    (?:this|last|past|previous|next|current|coming) (?:\d+ |\w+ )?
    (?:hours?|days?|weeks?|months?|quarters?|years?|weekend)|
    (?:\d+|two|three|four|six|twelve) (?:days?|weeks?|months?|years?)(?: ago)?|
    (?:for |in |over )?(?:the )?(?:last |past )?half (?:a |the )?year|
    (?:since |in |during |for |until )?"""
    + _MONTH
    + r"""(?: (?:19|20)\d\d)?|
    year to date|so far this (?:week|month|year)|q[1-4](?: (?:19|20)\d\d)?|
    (?:in |since |during )(?:19|20)\d\d)\b"""
)
YEAR_BEFORE = _form(r"(?:\b(?:in|since|from|of|year|until|q[1-4]|" + _MONTH + r")|\d[./-])\s*$")
