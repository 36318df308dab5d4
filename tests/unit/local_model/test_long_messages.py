"""A message of 4,000 characters, however odd, is decided at once."""

import time

import pytest
from langchain_core.messages import HumanMessage

from opsbot.conversation.local.classifier import stem
from opsbot.conversation.local.model import LocalChatModel
from opsbot.conversation.local.requests import (
    MOST_CLAUSES,
    MOST_JOINTS,
    SIDE,
    split_message,
    tidy,
)
from tests.local_model_tools import SHOP

ODD = {
    "commas": "yes" + " ," * 1990 + "x",
    "blanks": "a" + " " * 3900 + "b",
    "dates": "12 May 2026 to 13 May 2026 " * 140,
    "wishes": "I want to return it. " * 190,
    "joints": "and " * 990,
    "joints and commas": "and, " * 790,
    "initials": "a. " * 1300,
    "contrasts": "but " * 990,
    "conditions": "if it " * 650,
    "lines": "\n a" * 1300,
    "numbers": "1003 " * 790,
}
LONGEST = 0.5
"""Seconds; the worst of these once took eighteen."""


@pytest.mark.parametrize("message", ODD.values(), ids=ODD.keys())
def test_an_odd_long_message_is_decided_at_once(message: str, model: LocalChatModel) -> None:
    bound = model.bind_tools(SHOP)
    bound.invoke([HumanMessage("hello")])

    started = time.process_time()
    bound.invoke([HumanMessage(message)])

    assert time.process_time() - started < LONGEST


class CountedVerbs(frozenset[str]):
    """Verbs that count how often they are asked for."""

    asked = 0

    def __contains__(self, word: object) -> bool:
        self.asked += 1
        return super().__contains__(word)


def test_only_so_many_joints_of_a_sentence_are_looked_at() -> None:
    verbs = CountedVerbs({stem("cancel")})

    split_message("yes" + " x," * 1300 + "x", verbs)

    assert verbs.asked <= 3 * MOST_JOINTS


def test_a_message_of_many_requests_gives_so_many_clauses_at_most() -> None:
    clauses = split_message("Where is my order? " * 200, frozenset())

    assert len(clauses) == MOST_CLAUSES


def test_a_question_mark_far_away_still_makes_a_question() -> None:
    tale = "the parcel that came " + "so very late " * SIDE

    clauses = split_message(f"My mug is broken, and the lamp or {tale} is fine?", frozenset())

    assert [clause.asks for clause in clauses] == [False, True]


def test_blanks_and_commas_in_a_row_become_one() -> None:
    assert tidy("  a \t b , ,,; c\n\n \n d ") == "a b , c\nd"
