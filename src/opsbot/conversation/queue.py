"""Which turn runs next: those of one conversation in order, those of many side by side.

A conversation never holds more than one thread, so that nobody can keep the others waiting.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from opsbot.errors import RateLimitedError, UnavailableError

WORKERS = 16
MOST_IN_CONVERSATION = 5
"""Messages of one conversation that may wait."""
MOST_WAITING = 500
"""Messages that may wait altogether."""

log = logging.getLogger(__name__)


class TurnQueue:
    """Runs turns in threads of its own."""

    def __init__(self, run: Callable[[str], None]) -> None:
        """`run` takes a message's turn; whatever it raises is logged."""
        self._run = run
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="turn")
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[str]] = {}
        """By conversation; a conversation that is here has a thread."""
        self._answered: dict[str, Future[None]] = {}

    def check_room(self, conversation_id: str | None) -> None:
        """Refuse one message more when too many wait already.

        Raises:
            RateLimitedError: in this conversation.
            UnavailableError: altogether.
        """
        with self._lock:
            here = len(self._waiting.get(conversation_id or "", ()))
            everywhere = len(self._answered)
        if here >= MOST_IN_CONVERSATION:
            words = "I am still answering your earlier messages. Please wait a moment."
            raise RateLimitedError(words, retry_after=5)
        if everywhere >= MOST_WAITING:
            raise UnavailableError("Very many people are writing just now. Please try again soon.")

    @property
    def is_idle(self) -> bool:
        """Whether no turn runs or waits."""
        return not self._answered

    def put(self, conversation_id: str, message_id: str) -> Future[None]:
        """Let a message's turn run when it is due; one that waits or runs is not put in again."""
        with self._lock:
            answered = self._answered.get(message_id)
            if answered is not None:
                return answered
            answered = self._answered[message_id] = Future()
            waiting = self._waiting.get(conversation_id)
            if waiting is not None:
                waiting.append(message_id)
                return answered
            self._waiting[conversation_id] = deque([message_id])
        self._threads.submit(self._work, conversation_id)
        return answered

    def close(self) -> None:
        """Let the running turns end, and begin no more."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            for answered in self._answered.values():
                answered.cancel()

    def _work(self, conversation_id: str) -> None:
        """Run one turn of a conversation, then let others have the thread."""
        with self._lock:
            message_id = self._waiting[conversation_id][0]
        try:
            self._run(message_id)
        except Exception:
            log.exception("the turn of message %s broke", message_id)
        with self._lock:
            waiting = self._waiting[conversation_id]
            waiting.popleft()
            if not waiting:
                del self._waiting[conversation_id]
            answered = self._answered.pop(message_id)
        answered.set_result(None)
        if waiting:
            try:
                self._threads.submit(self._work, conversation_id)
            except RuntimeError:
                log.info("stopping; the turns of %s run after the next start", conversation_id)
