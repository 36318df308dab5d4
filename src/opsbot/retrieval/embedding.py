"""Give every passage its vectors: those of contents seen before come from the database."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select

from opsbot.db import Database
from opsbot.retrieval.encoder import Encoder
from opsbot.retrieval.models import VectorRow
from opsbot.retrieval.packing import pack_vector
from opsbot.retrieval.passages import Passage, title_text
from opsbot.retrieval.rows import split_batches
from opsbot.retrieval.storing import PackedVectors

Titled = tuple[str, Passage]
"""The title of an article, and one of its passages."""


def embed(
    database: Database, encoder: Encoder, passages: Iterable[Titled]
) -> dict[str, PackedVectors]:
    """Return the vectors of these passages by content hash; only new contents are encoded."""
    wanted = {passage.content_hash: (title, passage) for title, passage in passages}
    found = _find(database, encoder.key, list(wanted))
    return found | _encode(encoder, {k: v for k, v in wanted.items() if k not in found})


def _find(database: Database, model_key: str, hashes: Sequence[str]) -> dict[str, PackedVectors]:
    found = dict[str, PackedVectors]()
    with database.read() as session:
        for some in split_batches(hashes):
            query = select(
                VectorRow.content_hash, VectorRow.text, VectorRow.title, VectorRow.pieces
            ).where(VectorRow.content_hash.in_(some), VectorRow.model_key == model_key)
            for row in session.execute(query):
                found[row.content_hash] = PackedVectors(row.text, row.title, row.pieces)
    return found


def _encode(encoder: Encoder, missing: Mapping[str, Titled]) -> dict[str, PackedVectors]:
    if not missing:
        return {}
    texts = encoder.encode_pieces([p.searched_text(t) for t, p in missing.values()])
    titles = encoder.encode([title_text(t, p.headings) for t, p in missing.values()])
    return {
        content_hash: PackedVectors(pack_vector(text.vector), pack_vector(title), text.pieces)
        for content_hash, text, title in zip(missing, texts, titles, strict=True)
    }
