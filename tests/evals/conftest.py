from pathlib import Path

import pytest

from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.toolkit.loading import AnyTool, load_tools

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="session")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> MiniLmEncoder:
    return MiniLmEncoder.open(tmp_path_factory.mktemp("minilm"))


@pytest.fixture(scope="session")
def shop_tools() -> dict[str, AnyTool]:
    """The tools of the sample shop, as they are declared."""
    return load_tools(TOOLS)
