"""Words of articles in other languages, and the word pieces that are remembered."""

from pathlib import Path

import sqlalchemy as sa

from opsbot.db import Database
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.models import PassageRow
from opsbot.retrieval.pieces import PieceCache
from opsbot.retrieval.retriever import Retriever
from opsbot.retrieval.rows import read_pieces
from opsbot.retrieval.verify import verify
from opsbot.settings import RetrievalSettings
from tests.retrieval_fixtures import NOON, write_article

MILL = """Das Gehäuse und die Mahlwerke werden nach dem Mahlen mit der Bürste gereinigt. Bitte \
nehmen Sie kein Wasser, weil die Lager sonst rosten.
"""


def test_a_german_article_is_found_by_other_forms_of_its_words(
    knowledge: Knowledge,
    database: Database,
    encoder: MiniLmEncoder,
    folder: Path,
    tmp_path: Path,
) -> None:
    retriever = Retriever(database, encoder, None, RetrievalSettings())
    before = [retriever.has_word(word, "customer") for word in ("Bürsten", "Lagers")]
    write_article(folder, "de/muehle.md", MILL, title="Mühle")
    ingest(database, folder, encoder, now=NOON)

    after = [retriever.has_word(word, "customer") for word in ("Bürsten", "Lagers", "Kessel")]
    hit = retriever.search("Wie reinige ich das Mahlwerk?", audience="customer")[0]

    assert (before, after) == ([False, False], [True, True, False])
    assert (hit.path, hit.language) == ("de/muehle.md", "de")
    found = verify(
        database, encoder, folder, uploads=None, data_dir=tmp_path, chroma_url="", now=NOON
    )
    assert found.findings == ()


def test_remembered_pieces_are_those_of_the_rows_and_few(
    knowledge: Knowledge, database: Database, encoder: MiniLmEncoder
) -> None:
    with database.connect() as connection:
        ids = list(connection.scalars(sa.select(PassageRow.id)))
        rows = read_pieces(connection, encoder.key, ids)
        expected = [rows[id_] for id_ in ids]
        cache = PieceCache(sum(map(len, expected[:3])))

        assert cache.read(connection, encoder.key, ids) == expected
        assert cache.read(connection, encoder.key, ids[::-1]) == expected[::-1]
        assert 0 < cache.size <= sum(map(len, expected[:3]))
        assert cache.read(connection, "another encoder", ids) == [b""] * len(ids)
        assert cache.read(connection, encoder.key, [*ids, 10**9]) == [*expected, b""]
