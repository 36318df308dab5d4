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
    """The tools that the sample shop offers, as they are declared.

    Its rules take an order as a proof, not an e-mail address or a name alone.
    """
    return {name: t for name, t in load_tools(TOOLS).items() if name != "verify_customer"}
