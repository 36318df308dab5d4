"""The worklist of cases, and what staff do with one."""

from typing import Any

import pytest

from opsbot.commerce.cases import Case, CaseKind, CasePriority, CaseState, open_case
from opsbot.db import Database
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.staff import Role, make_staff
from opsbot.toolkit.caller import Caller
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.proposals import Preview
from tests.factories import DAY, NOON, make_channel, make_customer, make_order
from tests.integration.staff_tools.conftest import Ask, rows_of


@pytest.fixture
def cases(database: Database) -> Database:
    """A late case, a new one, an urgent one, one of Mara's, one that waits, one resolved."""
    with database.write() as session:
        mara = make_staff(
            email="mara@shop.example", name="Mara", password=12 * "x", roles=[Role.AGENT]
        )
        ada = make_customer()
        order = make_order(ada, "#1001", channel=make_channel())
        session.add_all([mara, order])
        session.flush()
        for name, kind, age, values in (
            ("late", CaseKind.DELIVERY, 6, {"customer_id": ada.id, "order_id": order.id}),
            ("new", CaseKind.SUPPORT, 0, {"contact_email": "eve@example.com"}),
            ("urgent", CaseKind.QUALITY, 0, {"priority": CasePriority.URGENT}),
            ("mine", CaseKind.PRIVACY, 1, {}),
            ("waiting", CaseKind.SUPPORT, 1, {}),
            ("resolved", CaseKind.SUPPORT, 9, {}),
        ):
            case = open_case(
                session,
                kind,
                subject=name,
                summary="",
                actor="visitor",
                now=NOON - age * DAY,
                **values,
            )
            if name == "mine":
                case.owner_id = mara.id
            if name == "waiting":
                case.state, case.first_response_at = CaseState.WAITING_CUSTOMER, NOON
                case.waiting_since = NOON
            if name == "resolved":
                case.state, case.resolved_at = CaseState.RESOLVED, NOON - 5 * DAY
    return database


def subjects(ask: Ask, **arguments: Any) -> list[str]:
    return [str(row["subject"]) for row in rows_of(ask("cases", **arguments))]


@pytest.mark.usefixtures("cases")
def test_the_worklist_begins_with_what_presses_most(ask: Ask) -> None:
    told = ask("cases")

    assert subjects(ask)[:2] == ["urgent", "late"]
    assert subjects(ask)[-1] == "waiting"
    assert told.say.startswith("**5 cases open; 1 is overdue.**")
    late = next(row for row in rows_of(told) if row["subject"] == "late")
    assert (late["customer"], late["order"], late["breach"]) == (
        "Ada Brandt",
        "#1001",
        "first answer",
    )


@pytest.mark.usefixtures("cases")
@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("overdue", ["late"]),
        ("urgent", ["urgent"]),
        ("mine", ["mine"]),
        ("unassigned", ["urgent", "late", "new", "waiting"]),
        ("waiting", ["waiting"]),
        ("resolved", ["resolved"]),
    ],
)
def test_the_worklist_is_cut_by_what_is_asked(ask: Ask, which: str, expected: list[str]) -> None:
    assert subjects(ask, which=which) == expected


@pytest.mark.usefixtures("cases")
def test_the_worklist_of_one_kind_says_so_when_it_is_empty(ask: Ask) -> None:
    assert subjects(ask, kind="privacy") == ["mine"]
    assert ask("cases", kind="supplier").say == "**0 cases open of kind supplier.**"


def change(executor: Executor, caller: Caller, step: str, note: str = "") -> Case:
    """Confirm a step on the late case, CS-00001, and return it."""
    arguments = {"case_number": "CS-00001", "step": step, "note": note}
    preview = executor.run(caller, "update_case", arguments, now=NOON)
    assert isinstance(preview, Preview)
    assert executor.confirm(caller, preview.id, now=NOON).result is not None
    return _read(executor)


def _read(executor: Executor) -> Case:
    with executor._database.read() as session:  # noqa: SLF001  (to look at what was done)
        return session.get_one(Case, 1)


@pytest.mark.usefixtures("cases")
def test_each_step_does_what_it_says(executor: Executor, mara: Caller) -> None:
    assert change(executor, mara, "take").owner_id == mara.staff_id
    assert change(executor, mara, "wait_customer").state is CaseState.WAITING_CUSTOMER
    assert change(executor, mara, "open").state is CaseState.OPEN
    assert change(executor, mara, "wait_internal").state is CaseState.WAITING_INTERNAL
    assert change(executor, mara, "urgent").priority is CasePriority.URGENT
    assert change(executor, mara, "normal").priority is CasePriority.NORMAL
    assert change(executor, mara, "note", "The carrier searches").state is (
        CaseState.WAITING_INTERNAL
    )
    assert change(executor, mara, "resolve").resolved_at == NOON
    assert change(executor, mara, "close").state is CaseState.CLOSED
    assert change(executor, mara, "reopen").state is CaseState.OPEN


@pytest.mark.usefixtures("cases")
def test_a_step_that_cannot_be_is_refused_in_words(executor: Executor, mara: Caller) -> None:
    def run(step: str) -> None:
        executor.run(mara, "update_case", {"case_number": "CS-00001", "step": step}, now=NOON)

    with pytest.raises(InvalidInputError, match="note"):
        run("note")
    with pytest.raises(ConflictError, match="open already"):
        run("reopen")


@pytest.mark.usefixtures("cases")
@pytest.mark.parametrize(
    ("steps", "back"),
    [
        (["open", "wait_customer"], CaseState.OPEN),
        (["open", "resolve"], CaseState.OPEN),
        (["urgent"], CaseState.NEW),
        (["wait_internal"], None),
        (["open", "resolve", "close"], None),
    ],
)
def test_a_step_is_taken_back_where_the_case_can_be_as_it_was(
    executor: Executor, mara: Caller, steps: list[str], back: CaseState | None
) -> None:
    for step in steps:
        arguments = {"case_number": "CS-00001", "step": step}
        preview = executor.run(mara, "update_case", arguments, now=NOON)
        assert isinstance(preview, Preview)
        done = executor.confirm(mara, preview.id, now=NOON).preview
    assert done.can_undo is (back is not None)
    if back is None:
        return

    way_back = executor.undo(mara, done.id, now=NOON)
    executor.confirm(mara, way_back.id, now=NOON)

    case = _read(executor)
    assert (case.state, case.priority) == (back, CasePriority.NORMAL)
