"""The brief of the day, the board of improvements, and invitations to surveys."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from opsbot.commerce.cases import CaseKind, CasePriority, open_case
from opsbot.commerce.improvements import Improvement, ImprovementState
from opsbot.db import Database
from opsbot.errors import ConflictError, NotAllowedError, NotFoundError, OpsbotError
from opsbot.mail.outgoing import OutgoingMail
from opsbot.surveys.models import SurveyInvitation
from opsbot.toolkit.caller import Audience, Caller
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.proposals import Preview, ProposalState
from tests.factories import DAY, NOON, make_customer, make_order
from tests.integration.staff_tools.conftest import Ask, rows_of

LENA = Caller(Audience.STAFF, "console", staff_id=2, roles=frozenset({"lead"}))


def do(executor: Executor, name: str, **arguments: Any) -> ProposalState:
    """Propose and confirm as Lena, who leads; return what became of it."""
    preview = executor.run(LENA, name, arguments, now=NOON)
    assert isinstance(preview, Preview)
    return executor.confirm(LENA, preview.id, now=NOON).preview.state


def test_a_quiet_day_needs_nothing(database: Database, ask: Ask) -> None:
    result = ask("daily_brief")

    assert result.say.startswith("**0 of 7 things need attention today.**")
    assert {row["count"] for row in rows_of(result)} == {0}


def test_the_brief_counts_what_is_late_and_puts_the_urgent_first(
    database: Database, ask: Ask
) -> None:
    with database.write() as session:
        late = make_order(
            number="#1001",
            placed_at=NOON - 9 * DAY,
            promised_ship_by=NOON - 5 * DAY,
        )
        arrived = make_order(
            late.customer, "#1002", lines=[], channel=late.channel, delivered_at=NOON - DAY
        )
        session.add_all([late, arrived])
        session.flush()
        urgent = open_case(
            session,
            CaseKind.SUPPORT,
            subject="Smoke from a lamp",
            summary="It smokes.",
            customer_id=late.customer_id,
            actor="customer:1",
            now=NOON - timedelta(minutes=5),
        )
        urgent.priority = CasePriority.URGENT

    result = ask("daily_brief")

    counts = {row["what"]: row["count"] for row in rows_of(result)}
    assert counts["Orders past their ship date"] == 1
    assert counts["Urgent cases"] == 1
    assert counts["Parcels in trouble"] == 0
    assert result.facts["parts"] == counts
    first_line = result.say.split("\n- ")[1]
    assert first_line.startswith("Urgent cases: 1, ")
    assert "Smoke from a lamp" in first_line


def test_an_idea_goes_over_the_board_step_by_step(
    database: Database, executor: Executor, ask: Ask
) -> None:
    assert do(executor, "propose_improvement", idea="Thicker boxes", area="packaging") == "executed"
    [row] = rows_of(ask("improvements"))
    assert (row["title"], row["area"], row["state"]) == ("Thicker boxes", "packaging", "proposed")
    number = row["number"]

    for step in ("accepted", "in_progress", "done"):
        assert do(executor, "update_improvement", improvement=number, step=step) == "executed"

    with database.read() as session:
        one = session.scalars(sa.select(Improvement)).one()
        assert (one.state, one.done_at) == (ImprovementState.DONE, NOON)
    assert "0 in progress, 1 done" in ask("improvements").say


def test_a_step_that_the_board_does_not_know_changes_nothing(
    database: Database, executor: Executor, ask: Ask
) -> None:
    do(executor, "propose_improvement", idea="Thicker boxes", area="packaging")
    number = rows_of(ask("improvements"))[0]["number"]

    with pytest.raises(ConflictError, match=f"{number} is proposed; it cannot become done"):
        do(executor, "update_improvement", improvement=number, step="done")
    with database.read() as session:
        assert session.scalars(sa.select(Improvement)).one().state is ImprovementState.PROPOSED
    with pytest.raises(NotFoundError):
        executor.run(LENA, "update_improvement", {"improvement": "IM-99", "step": "done"}, now=NOON)


def test_only_who_leads_moves_an_improvement(executor: Executor, mara: Caller) -> None:
    with pytest.raises(NotAllowedError):
        executor.run(mara, "update_improvement", {"improvement": "IM-1", "step": "done"}, now=NOON)


def invitations(database: Database) -> tuple[int, int]:
    """Return how many invitations, and how many mails, there are."""
    with database.read() as session:
        counts = [
            session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in (SurveyInvitation, OutgoingMail)
        ]
    return counts[0], counts[1]


def add_order(database: Database, *, delivered: bool = True, **customer: Any) -> None:
    with database.write() as session:
        arrived = NOON - 2 * DAY if delivered else None
        session.add(make_order(make_customer(**customer), "#1001", delivered_at=arrived))


def test_an_invitation_leaves_once(database: Database, executor: Executor) -> None:
    add_order(database)

    assert do(executor, "send_survey", order_number="#1001") is ProposalState.EXECUTED

    assert invitations(database) == (1, 1)
    with pytest.raises(OpsbotError, match="asked"):
        executor.run(LENA, "send_survey", {"order_number": "#1001"}, now=NOON)
    assert invitations(database) == (1, 1)


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({"delivered": False}, "has not arrived"),
        ({"survey_opt_out_at": NOON - DAY}, "opted out"),
        ({"anonymized_at": NOON - DAY}, "anonymized"),
    ],
    ids=["on its way", "opted out", "anonymous"],
)
def test_who_must_be_left_in_peace_is_not_invited(
    database: Database, executor: Executor, order: dict[str, Any], why: str
) -> None:
    add_order(database, **order)

    with pytest.raises(ConflictError, match=why):
        executor.run(LENA, "send_survey", {"order_number": "#1001"}, now=NOON)
    assert invitations(database) == (0, 0)


def test_who_opts_out_between_preview_and_button_is_not_invited(
    database: Database, executor: Executor
) -> None:
    add_order(database)
    preview = executor.run(LENA, "send_survey", {"order_number": "#1001"}, now=NOON)
    assert isinstance(preview, Preview)
    with database.write() as session:
        session.execute(sa.text("UPDATE customers SET survey_opt_out_at = created_at"))

    told = executor.confirm(LENA, preview.id, now=NOON)

    assert told.preview.state is ProposalState.FAILED
    assert invitations(database) == (0, 0)


def test_a_score_without_answers_is_not_made_up(ask: Ask) -> None:
    with pytest.raises(NotFoundError, match="answers to the survey"):
        ask("survey_results", score="csat")
