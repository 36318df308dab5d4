import pytest

from opsbot.conversation.local.declarations import read_declaration
from opsbot.conversation.local.model import LocalChatModel
from opsbot.conversation.local.understand import Understanding
from opsbot.retrieval.encoder import MiniLmEncoder
from tests.local_model_chat import Chat
from tests.local_model_tools import SHOP, STAFF, WORKSHOP
from tests.local_model_world import SIGNED_IN, Visitor


@pytest.fixture(scope="session")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> MiniLmEncoder:
    return MiniLmEncoder.open(tmp_path_factory.mktemp("minilm"))


@pytest.fixture(scope="session")
def model(minilm: MiniLmEncoder) -> LocalChatModel:
    return LocalChatModel(minilm)


@pytest.fixture(scope="session")
def shop(minilm: MiniLmEncoder) -> Understanding:
    return Understanding([read_declaration(schema) for schema in SHOP], minilm)


@pytest.fixture(scope="session")
def workshop(minilm: MiniLmEncoder) -> Understanding:
    return Understanding([read_declaration(schema) for schema in WORKSHOP], minilm)


@pytest.fixture
def customer(model: LocalChatModel) -> Chat:
    """A signed-in customer with three orders."""
    return Chat(model, SHOP, SIGNED_IN)


@pytest.fixture
def visitor(model: LocalChatModel) -> Chat:
    """Somebody who must prove an order."""
    return Chat(model, SHOP, Visitor().answers())


@pytest.fixture
def member_of_staff(model: LocalChatModel) -> Chat:
    return Chat(model, STAFF, {})


@pytest.fixture
def cyclist(model: LocalChatModel) -> Chat:
    """A customer of a bicycle workshop, whose tools share nothing with the shop's."""
    return Chat(model, WORKSHOP, {})
