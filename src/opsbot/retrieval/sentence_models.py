"""Any other embedding model, run by sentence-transformers: for shops that write other languages.

Slower to start and to run than the packaged one, and with torch in memory: about 500 MB more.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from opsbot.errors import UnavailableError
from opsbot.retrieval.encoder import CACHED_BYTES, Encoded, VectorCache, Vectors
from opsbot.retrieval.late import pack_states

KEY_PREFIX = "sentence-transformers:"

_BATCH = 16


class SentenceEncoder:
    """A model of sentence-transformers. Safe to use from several threads."""

    def __init__(self, name: str, model: Any) -> None:
        self._model = model
        self._cache = VectorCache(CACHED_BYTES)
        self.dimensions = int(model.get_embedding_dimension())
        self.key = f"{KEY_PREFIX}{name}@{_fingerprint(model)}"

    @classmethod
    def open(cls, name: str) -> "SentenceEncoder":
        """Load the model called `name`: a folder, or a name on the Hugging Face Hub.

        Raises:
            UnavailableError: there is no such model, or it cannot be fetched.
        """
        # It imports torch, which takes seconds and most of this process's memory.
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415

        try:
            model = SentenceTransformer(name, device="cpu")
        except (OSError, ValueError, RuntimeError) as error:
            raise UnavailableError(
                f"The embedding model {name} cannot be loaded ({error}); set "
                "OPSBOT_EMBEDDING_MODEL to the folder or the name of a sentence-transformers model."
            ) from error
        return cls(name, model)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of `texts`, shape (len(texts), dimensions), each row of length 1."""
        known = self._cache.find(texts)
        if missing := [text for text in dict.fromkeys(texts) if text not in known]:
            vectors = self._model.encode(
                missing, batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False
            )
            made = {t: v.astype(np.float32) for t, v in zip(missing, vectors, strict=True)}
            self._cache.keep(made)
            known |= made
        return np.array([known[text] for text in texts], np.float32).reshape(-1, self.dimensions)

    def encode_pieces(self, texts: Sequence[str]) -> list[Encoded]:
        """Return the vectors of `texts` together with those of their word pieces."""
        if not texts:
            return []
        made = self._model.encode(
            list(texts), batch_size=_BATCH, output_value=None, show_progress_bar=False
        )
        return [
            self._to_encoded(text, features) for text, features in zip(texts, made, strict=True)
        ]

    def _to_encoded(self, text: str, features: Any) -> Encoded:
        vector = features["sentence_embedding"].numpy().astype(np.float32)
        vector /= np.linalg.norm(vector)
        mask = features["attention_mask"].numpy().astype(bool)
        states = features["token_embeddings"].numpy().astype(np.float32)[mask]
        words = self._words_of(text)[: len(states)]
        kept = [place for place, word in enumerate(words) if any(map(str.isalnum, word))] or [0]
        return Encoded(vector, pack_states(states[kept]), tuple(words[place] for place in kept))

    def _words_of(self, text: str) -> list[str]:
        """Return the word that each token is a piece of; empty for the marks of start and end."""
        tokens = self._model.tokenizer(
            text,
            truncation=True,
            max_length=self._model.max_seq_length,
            return_offsets_mapping=True,
        )
        spans = dict[int | None, tuple[int, int]]()
        for number, (start, end) in zip(tokens.word_ids(), tokens["offset_mapping"], strict=True):
            first, _ = spans.get(number, (start, end))
            spans[number] = (first, end)
        spans[None] = (0, 0)
        return [text[slice(*spans[number])] for number in tokens.word_ids()]


def _fingerprint(model: Any) -> str:
    """Return a hash of the weights: another model under the same name makes other vectors."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().float().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
