"""The rows of a CSV file of questions and answers, as spreadsheets and help desks write them."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from opsbot.errors import InvalidInputError

MAX_ROWS = 20_000
_LONGEST_QUESTION = 300

_DELIMITERS = ",;\t|"
_COLUMNS: Mapping[str, str] = {
    "question": "question questions q faq prompt frage fragen pregunta domanda vraag pytanie",
    "answer": "answer answers a response reply antwort antworten réponse reponse respuesta "
    "risposta antwoord resposta odpowiedź svar",
    "product": "product products sku skus model item produkt produkte produit producto prodotto",
    "language": "language lang locale sprache langue idioma lingua taal",
    "audience": "audience visibility readers zielgruppe cible",
    "category": "category topic section group kategorie thema catégorie categoría",
}
_AUDIENCES: Mapping[str, str] = {
    "public": "public customer customers everyone all external öffentlich kunden",
    "staff": "staff internal intern team employees mitarbeiter",
}
_LANGUAGE = re.compile(r"[a-z]{2}(?:-[A-Z]{2})?")


@dataclass(frozen=True)
class Row:
    """One question with its answer, and what the row says of itself."""

    number: int
    """As a spreadsheet counts: the header is row 1."""
    question: str
    answer: str
    category: str
    audience: str
    """`public`, `staff`, or empty: the file's sidecar says it."""
    language: str
    products: tuple[str, ...]

    @property
    def part(self) -> str:
        """The article of this file that the row belongs to; empty: it names nothing."""
        words = [self.audience, self.language, *self.products]
        return "-".join(_plain_words(" ".join(words)))


@dataclass
class Sheet:
    """The rows of a file, and why others were left out, as sentences."""

    rows: list[Row] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def list_parts(path: str, content: bytes) -> list[str]:
    """Return the articles a file holds; the empty name is that of rows that name nothing.

    Raises:
        InvalidInputError: it holds no questions and answers.
    """
    return sorted({row.part for row in read_sheet(path, content).rows})


def decode_table(path: str, content: bytes) -> str:
    """Return the text of a table in the encodings that spreadsheets write.

    Raises:
        InvalidInputError: it is in none of them.
    """
    is_wide = content[:2] in {b"\xff\xfe", b"\xfe\xff"}
    for encoding in ("utf-16",) if is_wide else ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidInputError(f"{path} is not text; save it as CSV with the encoding UTF-8.")


def read_sheet(path: str, content: bytes) -> Sheet:
    """Return the rows of a file that hold a question and its answer.

    Raises:
        InvalidInputError: it has no columns for them, or no such row.
    """
    text = decode_table(path, content).replace("\0", "")
    first, _, rest = text.partition("\n")
    told = re.fullmatch(r"sep=(.)\r?", first)
    sheet, questions = Sheet(), dict[tuple[str, str], int]()
    try:
        for number, cells in _read_records(path, rest if told else text, told[1] if told else ""):
            fault = _add(sheet, questions, number, cells)
            if fault:
                sheet.faults.append(f"Row {number} is left out: {fault}")
    except csv.Error as error:
        raise InvalidInputError(f"{path} is not a CSV file that can be read: {error}.") from error
    if not sheet.rows:
        reason = sheet.faults[0] if sheet.faults else "It has a header and no rows."
        raise InvalidInputError(f"{path} holds no question with an answer. {reason}")
    return sheet


def _read_records(path: str, text: str, told: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the records below the header: number, and cells by our names of the columns."""
    for delimiter in told or _DELIMITERS:
        records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        columns = _find_columns(next(records, []))
        if {"question", "answer"} <= columns.keys():
            break
    else:
        raise InvalidInputError(
            f"{path} has no columns for questions and answers; call them question and answer."
        )
    for number, record in enumerate(records, start=2):
        if number > MAX_ROWS + 1:
            raise InvalidInputError(f"{path} has more than {MAX_ROWS:,} rows; split it.")
        if any(cell.strip() for cell in record):
            yield (
                number,
                {
                    name: record[place].strip() if place < len(record) else ""
                    for name, place in columns.items()
                },
            )


def _find_columns(header: Sequence[str]) -> dict[str, int]:
    """Return the place of each column we know, by our name for it."""
    found = dict[str, int]()
    for place, cell in enumerate(header):
        words = cell.strip().strip("*:?").casefold().split()
        for name, synonyms in _COLUMNS.items():
            if words and name not in found and {words[0], words[-1]} & set(synonyms.split()):
                found[name] = place
                break
    return found


def _add(
    sheet: Sheet, questions: dict[tuple[str, str], int], number: int, cells: Mapping[str, str]
) -> str:
    """Add a row to the sheet; or return why not, as the end of a sentence."""
    question = " ".join(cells["question"].split()).lstrip("# ")
    audience = _find_audience(cells.get("audience", ""))
    language = cells.get("language", "").replace("_", "-")
    language = language[:2].lower() + language[2:].upper()
    if fault := _find_fault(question, cells, audience, language):
        return fault
    names = re.split(r"[,;|]", cells.get("product", ""))
    products = tuple(name.strip() for name in names if name.strip())
    category = " ".join(cells.get("category", "").split())
    row = Row(number, question, cells["answer"], category, audience or "", language, products)
    before = questions.setdefault((row.part, question.casefold()), number)
    if before != number:
        return f"it asks the same as row {before}."
    sheet.rows.append(row)
    return ""


def _find_fault(
    question: str, cells: Mapping[str, str], audience: str | None, language: str
) -> str:
    if not question:
        return "it has no question."
    if not cells["answer"]:
        return "it has no answer."
    if len(question) > _LONGEST_QUESTION:
        return f"its question has more than {_LONGEST_QUESTION} characters."
    if audience is None:
        return f"its audience is {cells['audience'][:40]!r}, neither public nor staff."
    if language and not _LANGUAGE.fullmatch(language):
        return f"its language is {cells['language'][:40]!r}, no code such as en or de."
    return ""


def _find_audience(cell: str) -> str | None:
    """Return the audience a cell names; empty when it names none, None when nobody knows it."""
    if not cell:
        return ""
    named = (name for name, words in _AUDIENCES.items() if cell.casefold() in words.split())
    return next(named, None)


def _plain_words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).lower()
    return re.findall(r"[a-z0-9]+", plain)
