"""Fixtures of the retrieval tests."""

from tests.retrieval_fixtures import encoder, folder, knowledge, sample_knowledge

__all__ = ["encoder", "folder", "knowledge", "sample_knowledge"]
