"""Turns of one conversation in order, those of many side by side."""

import threading

import pytest

from opsbot.conversation.queue import MOST_IN_CONVERSATION, WORKERS, TurnQueue
from opsbot.errors import RateLimitedError


def test_one_conversation_cannot_keep_the_others_waiting() -> None:
    gate, done = threading.Event(), list[str]()

    def run(message_id: str) -> None:
        if message_id.startswith("slow"):
            gate.wait(20)
        done.append(message_id)

    queue = TurnQueue(run)
    slow = [queue.put("a", f"slow{n}") for n in range(2 * WORKERS)]

    queue.put("b", "quick").result(timeout=10)

    assert done == ["quick"]
    gate.set()
    for future in slow:
        future.result(timeout=10)
    assert done[1:] == [f"slow{n}" for n in range(2 * WORKERS)]
    queue.close()


def test_a_message_that_waits_is_not_put_in_twice() -> None:
    gate, done = threading.Event(), list[str]()

    def run(message_id: str) -> None:
        gate.wait(20)
        done.append(message_id)

    queue = TurnQueue(run)
    first, again = queue.put("a", "one"), queue.put("a", "one")

    gate.set()
    first.result(timeout=10)

    assert first is again
    assert done == ["one"]
    queue.close()


def test_a_turn_that_breaks_does_not_stop_the_next() -> None:
    done = list[str]()

    def run(message_id: str) -> None:
        if message_id == "bad":
            raise RuntimeError("broken")
        done.append(message_id)

    queue = TurnQueue(run)
    queue.put("a", "bad")

    queue.put("a", "good").result(timeout=10)

    assert done == ["good"]
    queue.close()


def test_too_many_messages_of_one_conversation_are_refused() -> None:
    gate = threading.Event()

    def run(_message_id: str) -> None:
        gate.wait(20)

    queue = TurnQueue(run)
    for number in range(MOST_IN_CONVERSATION):
        queue.check_room("a")
        queue.put("a", str(number))

    with pytest.raises(RateLimitedError, match="still answering"):
        queue.check_room("a")

    queue.check_room("b")
    gate.set()
    queue.close()
