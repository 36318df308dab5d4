"""Search libraries to compare with, each as its documentation sets it up for hybrid search.

None of them is a dependency of opsbot. A class takes the passages and the folder of the embedding
model, and its `search` returns the numbers of the best passages for a question, best first.
"""

import importlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

FOUND = 50
"""Passages asked for, so that ten articles are among them."""


class Peer(Protocol):
    """A library with some passages indexed."""

    def search(self, question: str) -> Sequence[int]:
        """Return the numbers of passages, best first."""
        ...


class Haystack:
    """BM25 and embeddings in memory, joined by concatenation, the joiner's default."""

    needs = "haystack-ai sentence-transformers-haystack"

    def __init__(self, passages: Sequence[str], model: Path) -> None:
        os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"  # noqa: TID251  (no call of ours leaves)
        embedders = _load("haystack_integrations.components.embedders.sentence_transformers", self)
        haystack = _load("haystack", self)
        memory = _load("haystack.components.retrievers.in_memory", self)
        stores = _load("haystack.document_stores.in_memory", self)
        joiners = _load("haystack.components.joiners", self)
        store = stores.InMemoryDocumentStore()
        embedder = embedders.SentenceTransformersDocumentEmbedder(
            model=str(model), progress_bar=False
        )
        documents = [
            haystack.Document(content=text, meta={"number": number})
            for number, text in enumerate(passages)
        ]
        store.write_documents(embedder.run(documents)["documents"])
        pipeline = haystack.Pipeline()
        pipeline.add_component(
            "embedder",
            embedders.SentenceTransformersTextEmbedder(model=str(model), progress_bar=False),
        )
        pipeline.add_component("dense", memory.InMemoryEmbeddingRetriever(store, top_k=FOUND))
        pipeline.add_component("words", memory.InMemoryBM25Retriever(store, top_k=FOUND))
        pipeline.add_component("joiner", joiners.DocumentJoiner())
        pipeline.connect("embedder.embedding", "dense.query_embedding")
        pipeline.connect("dense", "joiner")
        pipeline.connect("words", "joiner")
        self._pipeline = pipeline

    def search(self, question: str) -> list[int]:
        """Return the numbers of passages, best first."""
        ran = self._pipeline.run({"embedder": {"text": question}, "words": {"query": question}})
        return [document.meta["number"] for document in ran["joiner"]["documents"]]


class LlamaIndex:
    """A vector index and BM25, fused by the mode "simple", the retriever's default."""

    needs = "llama-index-core llama-index-retrievers-bm25 llama-index-embeddings-huggingface"

    def __init__(self, passages: Sequence[str], model: Path) -> None:
        core = _load("llama_index.core", self)
        schema = _load("llama_index.core.schema", self)
        retrievers = _load("llama_index.core.retrievers", self)
        words = _load("llama_index.retrievers.bm25", self)
        embeddings = _load("llama_index.embeddings.huggingface", self)
        embedder = embeddings.HuggingFaceEmbedding(model_name=str(model), device="cpu")
        nodes = [schema.TextNode(id_=str(n), text=text) for n, text in enumerate(passages)]
        index = core.VectorStoreIndex(nodes, embed_model=embedder)
        both = [
            index.as_retriever(similarity_top_k=FOUND),
            words.BM25Retriever.from_defaults(
                nodes=nodes, similarity_top_k=min(FOUND, len(passages))
            ),
        ]
        # One query: more would need a language model to write them.
        self._retriever = retrievers.QueryFusionRetriever(
            both,
            llm=core.llms.MockLLM(),
            similarity_top_k=FOUND,
            num_queries=1,
            use_async=False,
        )

    def search(self, question: str) -> list[int]:
        """Return the numbers of passages, best first."""
        return [int(found.node.node_id) for found in self._retriever.retrieve(question)]


class Txtai:
    """Embeddings with `hybrid=True`."""

    needs = "txtai faiss-cpu"

    def __init__(self, passages: Sequence[str], model: Path) -> None:
        txtai = _load("txtai", self)
        self._embeddings = txtai.Embeddings(path=str(model), hybrid=True)
        self._embeddings.index([(n, text, None) for n, text in enumerate(passages)])

    def search(self, question: str) -> list[int]:
        """Return the numbers of passages, best first."""
        return [int(number) for number, _ in self._embeddings.search(question, FOUND)]


class LangChain:
    """An ensemble of BM25 and Chroma with equal weights, as in its guide to hybrid search."""

    needs = (
        "langchain-classic langchain-community langchain-chroma langchain-huggingface rank-bm25 "
        "sentence-transformers"
    )

    def __init__(self, passages: Sequence[str], model: Path) -> None:
        classic = _load("langchain_classic.retrievers", self)
        community = _load("langchain_community.retrievers", self)
        chroma = _load("langchain_chroma", self)
        huggingface = _load("langchain_huggingface", self)
        numbers = [{"number": number} for number in range(len(passages))]
        words = community.BM25Retriever.from_texts(list(passages), metadatas=numbers, k=FOUND)
        store = chroma.Chroma.from_texts(
            list(passages),
            huggingface.HuggingFaceEmbeddings(model_name=str(model)),
            metadatas=numbers,
            collection_name=f"peer-{id(self)}",
        )
        dense = store.as_retriever(search_kwargs={"k": min(FOUND, len(passages))})
        self._ensemble = classic.EnsembleRetriever(retrievers=[words, dense], weights=[0.5, 0.5])

    def search(self, question: str) -> list[int]:
        """Return the numbers of passages, best first."""
        return [found.metadata["number"] for found in self._ensemble.invoke(question)]


PEERS: dict[str, Callable[[Sequence[str], Path], Peer]] = {
    "haystack": Haystack,
    "llamaindex": LlamaIndex,
    "txtai": Txtai,
    "langchain": LangChain,
}


def _load(module: str, peer: Any) -> Any:
    """Import a module of a peer.

    Raises:
        SystemExit: it is not installed; the text says what to install.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise SystemExit(
            f"{type(peer).__name__} is not installed ({error}): pip install {peer.needs}"
        ) from error
