import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsbot.content import content_root
from opsbot.retrieval.languages import choose_language, detect, stemmer_name

PARAGRAPHS = {
    "de": "Ziehen Sie den Netzstecker, bevor Sie den Trichter abnehmen. Wischen Sie das Mahlwerk "
    "mit einem trockenen Tuch ab und setzen Sie es wieder ein.",
    "fr": "Débranchez le moulin avant de retirer la trémie. Essuyez les meules avec un chiffon sec "
    "et remettez-les en place dans le moulin.",
    "es": "Desenchufe el molinillo antes de quitar la tolva. Limpie las muelas con un paño seco y "
    "vuelva a colocarlas en el molinillo.",
    "it": "Scollegare il macinacaffè prima di togliere la tramoggia. Pulire le macine con un panno "
    "asciutto e rimetterle al loro posto nel macinacaffè.",
    "nl": "Haal de stekker uit het stopcontact voordat je de trechter verwijdert. Veeg de molen "
    "schoon met een droge doek en zet hem weer op zijn plaats.",
    "pt": "Desligue o moinho da tomada antes de retirar o funil. Limpe as mós com um pano seco e "
    "volte a colocá-las no moinho.",
    "sv": "Dra ur kontakten innan du tar av tratten. Torka av kvarnen med en torr trasa och sätt "
    "tillbaka den på sin plats.",
    "da": "Tag stikket ud, før du fjerner tragten. Tør kværnen af med en tør klud, og sæt den på "
    "plads igen.",
    "pl": "Wyjmij wtyczkę z gniazdka przed zdjęciem leja. Wytrzyj młynek suchą szmatką i włóż go "
    "z powrotem na miejsce.",
    "en": "Unplug the grinder before you remove the hopper. Wipe the burrs with a dry cloth and "
    "put them back.",
    "ru": "Отключите кофемолку от сети, прежде чем снимать бункер.",
    "uk": "Вимкніть кавомолку з розетки, перш ніж знімати її лійку.",
    "el": "Βγάλτε το φις από την πρίζα πριν αφαιρέσετε τη χοάνη.",
    "ja": "ホッパーを外す前に、プラグを抜いてください。",
    "zh": "取下料斗前请先拔掉电源插头。",
    "ko": "호퍼를 분리하기 전에 플러그를 뽑으세요.",
}
QUESTIONS = {
    "Wie entkalke ich den Wasserkocher?": "de",
    "Wo ist meine Bestellung?": "de",
    "Comment détartrer la bouilloire ?": "fr",
    "Puis-je retourner la lampe ?": "fr",
    "¿Dónde está mi pedido?": "es",
    "Dov'è il mio ordine?": "it",
    "Waar is mijn bestelling?": "nl",
    "Where is my order?": "en",
    "clean grinder": "en",
    "LL-GRD-02 E-17": "en",
    "Is the Crème brûlée bowl dishwasher safe": "en",
    "": "en",
}


@pytest.mark.parametrize("language", PARAGRAPHS)
def test_a_paragraph_tells_its_language(language: str) -> None:
    assert detect(PARAGRAPHS[language]) == language


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_tells_its_language(question: str) -> None:
    assert detect(question) == QUESTIONS[question]


def test_the_sample_shop_writes_english() -> None:
    articles = sorted((content_root() / "knowledge").rglob("*.md"))

    found = {path.name: detect(path.read_text(encoding="utf-8")) for path in articles}

    assert len(found) > 20
    assert set(found.values()) == {"en"}


def test_a_text_that_tells_nothing_is_in_the_language_one_expects() -> None:
    assert detect("4 x 40 W / 230 V", default="de") == "de"
    assert detect("The lamp is in the box.", default="de") == "en"


@given(st.text(max_size=300))
def test_any_text_has_some_language(text: str) -> None:
    assert len(detect(text)) == 2


def test_a_language_has_its_stemmer() -> None:
    assert [stemmer_name(code) for code in ("de", "pt-BR", "zh")] == [
        "german",
        "portuguese",
        "english",
    ]


@pytest.mark.parametrize(
    ("question", "spoken", "chosen"),
    [
        ("Wie reinige ich die Lampe?", ["de", "en"], "de"),
        ("How do I clean the lamp?", ["de", "en"], "en"),
        ("Wie reinige ich die Lampe?", ["en", "en-GB"], "en"),
        ("Comment nettoyer la lampe ?", ["de", "en"], "en"),
        ("E-17", ["de", "en"], "en"),
        ("E-17", ["de-AT", "fr"], "de"),
        ("E-17", [], "en"),
    ],
)
def test_a_question_is_read_in_its_language_where_articles_are_in_it(
    question: str, spoken: list[str], chosen: str
) -> None:
    assert choose_language(question, spoken) == chosen
