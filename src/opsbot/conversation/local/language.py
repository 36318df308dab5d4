"""The English that the embedded model brings along, as words; it names no tool and no shop.

What people say about tools comes from the tools' own examples. Here is only what every
conversation has: greetings, thanks, words that carry no meaning, numbers in words.
"""

HELLO = "~hello"
THANKS = "~thanks"
BYE = "~bye"
ABOUT = "~about"
UPSET = "~upset"
SMALL_TALK = {
    HELLO: (
        "hello",
        "hi there",
        "good morning",
        "hey, how are you?",
        "good evening, is anybody there?",
    ),
    THANKS: (
        "thank you",
        "thanks a lot, that helps",
        "great, thank you so much for your help",
        "perfect",
        "awesome, you are very kind",
        "cheers, that is all I needed",
    ),
    BYE: (
        "goodbye",
        "bye, have a nice day",
        "that is all for now",
        "nope, that's it, nothing else",
        "see you later",
    ),
    ABOUT: (
        "who are you?",
        "what can you do?",
        "what can I ask you?",
        "are you a robot or a human?",
        "who am I talking to?",
        "what can you help me with?",
        "what is your name?",
        "how does this chat work?",
    ),
    UPSET: (
        "this is useless",
        "you do not understand me at all",
        "that did not help",
        "this is ridiculous, I am really angry",
        "that is not what I asked",
    ),
}
"""What has an answer without any tool, with examples."""

PERSON_EXAMPLES = (
    "I want to talk to a person",
    "a human, please",
    "connect me with somebody from your team",
    "can I speak to customer service?",
    "let me talk to a real employee",
    "can someone call me back?",
)
"""Said of whichever tool hands over to a person, beside its own examples."""

KNOWLEDGE_EXAMPLES = (
    "how do I do this?",
    "how does it work?",
    "what is your policy on that?",
    "do you offer this service?",
    "what happens if something goes wrong?",
    "why does it do that?",
    "can it be used with something else?",
    "how long does it usually take?",
    "is it safe to use it like that?",
)
"""What people ask of articles, whatever they are about; joins the own examples of that tool."""

COMMANDS = frozenset(
    {"check", "show", "tell", "find", "list", "give", "explain", "look", "investig"}
)
"""Stems that begin an order whatever the tools are."""
STOP_WORDS = frozenset(
    """
    a about actually all also am an and any anyone are as at be been but by can can't
    cannot could did do does doesn't don't for from get give got had has have haven't he
    hello help her hey hi him his how i i'd i'll i'm i've if in into is isn't it it's its
    just kindly know let like look looking may maybe me might mine much many my need no
    not now of off ok okay on one ones or our ours out over please really said say see
    shall she should show so some still sure take tell than thank thanks that that's the
    their them then there these they thing think this those to too up us use very want
    wants was wasn't we were what what's when where where's which who why will with within
    would yes yet you your yours after again already always anymore anyway ever else even
    instead quite rather though together whether
    """.split()  # noqa: SIM905  (a list of words reads as words)
)
ASKING_STEMS = frozenset(
    """
    stock avail availabl left sold sell buy order cost price pricey much mani heavi weigh
    weight big larg size colour color come back again kind type number amount quantiti
    piec unit check show list find tell today tomorrow now right soon still current cheap
    expens charg deliveri ship exist abl possibl anymor moment new total
    top most best worst main common often frequent promis make made
    """.split()  # noqa: SIM905  (a list of words reads as words)
)
"""Stems that ask about a thing rather than name it."""

ORDINALS = {
    "first": 0,
    "1st": 0,
    "second": 1,
    "2nd": 1,
    "third": 2,
    "3rd": 2,
    "fourth": 3,
    "4th": 3,
    "fifth": 4,
    "5th": 4,
    "sixth": 5,
    "6th": 5,
}
NUMBER_WORDS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "single": 1,
    "two": 2,
    "a pair": 2,
    "a couple": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "a dozen": 12,
    "dozen": 12,
    "twenty": 20,
    "thirty": 30,
    "fifty": 50,
    "a hundred": 100,
    "hundred": 100,
    "two hundred": 200,
    "a thousand": 1000,
}

SAME_STATE = (
    ("ship", "sent", "dispatch", "left", "out", "transit", "post", "mail", "gone", "way", "leav"),
    ("deliv", "arriv", "receiv", "came", "here"),
    ("pack", "packag", "readi"),
    ("stock", "avail"),
    ("paid", "pay", "charg", "captur"),
    ("cancel", "stop", "call"),
    ("return", "back", "refund"),
)
"""Stems that say the same of an order or an item."""

_FOREIGN = frozenset(
    """
    ich du er wir ihr sie der das den dem ein eine einen ist sind war wo wie wann warum meine mein
    meinen kann nicht und oder mit von bitte danke hallo bestellung haben habe wird noch ihre
    je tu nous vous le la les un une des est sont où ou quand pourquoi comment mon ma mes votre
    ne pas et avec pour merci bonjour commande puis
    el los las uno una es son dónde donde está esta cuando cómo como mi mis su por qué que con
    para gracias hola pedido puedo
    il lo gli di è dove quando perché come mio mia grazie ciao ordine posso non
    ik jij wij het een zijn waar hoe wanneer waarom mijn kan niet bestelling dank hallo
    """.split()  # noqa: SIM905  (a list of words reads as words)
)
"""Frequent words of neighbouring languages; those that English has too count for nothing."""
_SHARE_OF_LATIN = 0.5


def is_foreign(text: str) -> bool:
    """Tell whether a text is clearly not English: by its frequent words, or by its letters."""
    letters = [c for c in text if c.isalpha()]
    latin = sum(c < "\u0250" for c in letters)
    if letters and latin < _SHARE_OF_LATIN * len(letters):
        return True
    words = [w.strip(".,;:!?\"'()\u00bf\u00a1") for w in text.lower().split()]
    foreign = sum(w in _FOREIGN and w not in STOP_WORDS and w not in _ALSO_ENGLISH for w in words)
    english = sum(w in STOP_WORDS for w in words)
    return foreign > 1 and foreign > english


_ALSO_ENGLISH = frozenset({"war", "den", "des", "come", "ma", "pour", "son", "quiet"})
