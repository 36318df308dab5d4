"""Questions to the articles: quoted with their source, or honestly not known."""

from collections.abc import Mapping

import pytest

from opsbot.db import Database
from opsbot.retrieval.knowledge import Knowledge
from opsbot.settings import Settings
from opsbot.toolkit.caller import Audience, Caller
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import AnyTool
from opsbot.toolkit.policy import Policies
from opsbot.toolkit.results import Result
from tests.factories import NOON
from tests.retrieval_fixtures import encoder, sample_knowledge

__all__ = ["encoder", "sample_knowledge"]

VISITOR = Caller(Audience.CUSTOMER, "widget", visitor="v1")
STAFF = Caller(Audience.STAFF, "console", staff_id=1)


@pytest.fixture
def ask(
    sample_knowledge: Knowledge,
    settings: Settings,
    tools: Mapping[str, AnyTool],
    policies: Policies,
) -> "Ask":
    """Ask the sample shop's articles."""
    database = Database("sqlite://")
    return Ask(Executor(database, settings, tools, sample_knowledge, policies))


class Ask:
    """Asks as a visitor, or as staff."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def __call__(self, question: str, caller: Caller = VISITOR) -> Result:
        name = "search_staff_articles" if caller.is_staff else "search_articles"
        result = self._executor.run(caller, name, {"question": question}, now=NOON)
        assert isinstance(result, Result)
        return result


def test_an_answer_is_quoted_with_the_number_of_its_source(ask: Ask) -> None:
    result = ask("How do I clean the kiln mug?")

    assert result.facts["known"] is True
    assert "[1]" in result.say
    assert result.hits[0].title in {p["title"] for p in result.facts["passages"]}
    assert [p["n"] for p in result.facts["passages"]] == list(range(1, len(result.hits) + 1))


def test_a_long_question_is_cut_and_answered(ask: Ask) -> None:
    result = ask("How do I clean the kiln mug? " + "It stood in the rain. " * 100)

    assert result.facts["known"] is True


def test_a_clause_of_the_policy_is_found_as_it_is_enforced(ask: Ask, policies: Policies) -> None:
    result = ask("Until when may I return a pair of gifts bought before Christmas?")

    assert policies.clause("returns.holiday").text.split(".")[0] in " ".join(
        hit.text.replace("\n", " ") for hit in result.hits
    )


def test_what_the_articles_do_not_say_is_not_made_up(ask: Ask) -> None:
    result = ask("Who won the football world cup in 1998?")

    assert result.facts["known"] is False
    assert result.say.startswith("Our articles do not say anything about that.")
    assert "person" in result.say
    assert not result.hits


def test_articles_for_staff_are_not_for_customers(ask: Ask) -> None:
    question = "How much may support refund as goodwill without asking?"

    customers = {hit.path for hit in ask(question).hits}
    staffs = {hit.path for hit in ask(question, STAFF).hits}

    assert "manuals/goodwill-and-refund-limits.md" in staffs
    assert "manuals/goodwill-and-refund-limits.md" not in customers
