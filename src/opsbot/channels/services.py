"""What the routes are given: the parts of the application, joined by `opsbot.app`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from opsbot.commerce.ports import Port
from opsbot.conversation.service import ConversationService
from opsbot.db import Database
from opsbot.drafts.drafter import Drafter
from opsbot.retrieval.gaps import Gaps
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.library import Library
from opsbot.settings import Settings
from opsbot.toolkit.executor import Executor


@dataclass(frozen=True)
class Services:
    """The running parts."""

    settings: Settings
    database: Database
    ports: Mapping[str, Port]
    """Where effects go; see `open_ports`."""
    knowledge: Knowledge
    library: Library
    gaps: Gaps
    executor: Executor
    conversations: ConversationService
    drafter: Drafter
    clock: Callable[[], datetime]
