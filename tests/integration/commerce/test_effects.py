"""What shall happen outside: requested with the change, delivered at least once, done once."""

import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from opsbot.commerce.effects import (
    LEASE,
    MAX_ATTEMPTS,
    Effect,
    EffectState,
    count_failed,
    deliver_effects,
    request_effect,
    retry_effect,
    settle_by_hand,
    settled_by_hand,
    troubled_effects,
)
from opsbot.commerce.orders import cancel_order
from opsbot.commerce.payments import PaymentKind, payments_of, refund
from opsbot.commerce.ports import FilePort, open_ports
from opsbot.db import Database
from opsbot.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from opsbot.settings import Settings
from opsbot.testing import RecordingPort
from tests.factories import DAY, NOON, make_order

SECOND = timedelta(seconds=1)


def ask(database: Database, key: str = "refund:1", amount: int = 500) -> None:
    with database.write() as session:
        request_effect(
            session,
            port="payments",
            operation="refund",
            payload={"order": "#1001", "amount_minor": amount},
            key=key,
            now=NOON,
        )


def effect(database: Database) -> Effect:
    with database.read() as session:
        return session.scalars(select(Effect)).one()


def test_an_effect_reaches_its_port_and_keeps_its_reference(database: Database) -> None:
    ask(database)
    port = RecordingPort()

    assert deliver_effects(database, {"payments": port}, now=NOON) == 1
    assert deliver_effects(database, {"payments": port}, now=NOON + DAY) == 0

    kept = effect(database)
    assert (kept.state, kept.reference) == (EffectState.DELIVERED, "refund-1")
    assert port.done["refund:1"].payload == {"order": "#1001", "amount_minor": 500}
    assert port.calls == {"refund:1": 1}


def test_a_key_is_requested_once_and_never_for_something_else(database: Database) -> None:
    ask(database)
    ask(database)

    assert effect(database).attempts == 0
    with pytest.raises(ConflictError, match="refund:1 was used for something else"):
        ask(database, amount=600)


def test_a_change_that_is_rolled_back_requests_nothing(database: Database) -> None:
    def change() -> None:
        with database.write() as session:
            request_effect(session, port="p", operation="o", payload={}, key="k", now=NOON)
            raise RuntimeError("the change failed")

    with pytest.raises(RuntimeError, match="the change failed"):
        change()

    with database.read() as session:
        assert session.scalars(select(Effect)).all() == []


def test_a_port_that_is_away_is_asked_again_later_and_later(database: Database) -> None:
    ask(database)
    port = RecordingPort(failures=[UnavailableError("Closed."), ValueError("broken")])
    ports = {"payments": port}

    deliver_effects(database, ports, now=NOON)
    assert effect(database).error == "Closed."
    assert deliver_effects(database, ports, now=NOON + 14 * SECOND) == 0
    deliver_effects(database, ports, now=NOON + 15 * SECOND)
    assert effect(database).error == "What hands it over broke: broken (ValueError)."
    assert deliver_effects(database, ports, now=NOON + 44 * SECOND) == 0
    assert deliver_effects(database, ports, now=NOON + 45 * SECOND) == 1

    assert port.calls == {"refund:1": 3}
    assert effect(database).error is None


def test_an_answer_that_is_lost_does_not_do_it_twice(database: Database) -> None:
    ask(database)
    port = RecordingPort(lost=1)

    deliver_effects(database, {"payments": port}, now=NOON)
    deliver_effects(database, {"payments": port}, now=NOON + DAY)

    assert (len(port.done), port.doubles) == (1, 1)
    assert effect(database).state is EffectState.DELIVERED


def test_a_worker_that_dies_leaves_it_to_another_one(database: Database) -> None:
    ask(database)
    port = RecordingPort(failures=[SystemExit()])

    with pytest.raises(SystemExit):
        deliver_effects(database, {"payments": port}, now=NOON)
    assert deliver_effects(database, {"payments": port}, now=NOON + LEASE - SECOND) == 0
    assert deliver_effects(database, {"payments": port}, now=NOON + LEASE) == 1


def test_what_the_provider_refuses_waits_for_a_person(database: Database) -> None:
    ask(database)
    port = RecordingPort(failures=[ConflictError("The card is closed.")])

    deliver_effects(database, {"payments": port}, now=NOON)
    assert deliver_effects(database, {"payments": port}, now=NOON + DAY) == 0
    failed = effect(database)
    assert (failed.state, failed.error) == (EffectState.FAILED, "The card is closed.")
    with database.write() as session:
        retry_effect(session, failed.id, now=NOON + DAY)

    assert deliver_effects(database, {"payments": port}, now=NOON + DAY) == 1
    with pytest.raises(ConflictError, match="has not failed"), database.write() as session:
        retry_effect(session, failed.id, now=NOON)


def test_after_a_dozen_tries_a_person_must_look(database: Database) -> None:
    ask(database)
    port = RecordingPort(failures=[UnavailableError("Closed.")] * MAX_ATTEMPTS)

    for day in range(MAX_ATTEMPTS + 1):
        deliver_effects(database, {"payments": port}, now=NOON + day * DAY)

    assert effect(database).state is EffectState.FAILED
    assert port.calls == {"refund:1": MAX_ATTEMPTS}


def trouble(database: Database) -> tuple[int, int]:
    """Let one refund be refused, and another one wait for its next try; return their ids."""
    ask(database, "refund:1")
    ask(database, "refund:2")
    failures = [ConflictError("The card is closed."), UnavailableError("Closed.")]
    deliver_effects(database, {"payments": RecordingPort(failures=failures)}, now=NOON)
    ask(database, "refund:3")
    with database.read() as session:
        refused, waiting, _new = session.scalars(select(Effect.id).order_by(Effect.id))
    return refused, waiting


def test_people_see_what_was_given_up_before_what_is_tried_again(database: Database) -> None:
    refused, waiting = trouble(database)

    with database.read() as session:
        shown = [(one.id, one.error) for one in troubled_effects(session, limit=9)]
        assert troubled_effects(session, limit=1)[0].id == refused
        assert count_failed(session) == 1

    assert shown == [(refused, "The card is closed."), (waiting, "Closed.")]


def test_a_person_need_not_wait_for_the_next_try(database: Database) -> None:
    _refused, waiting = trouble(database)
    port = RecordingPort()
    with database.write() as session:
        retry_effect(session, waiting, now=NOON)

    deliver_effects(database, {"payments": port}, now=NOON)

    assert "refund:2" in port.done


def test_what_was_done_by_hand_is_not_done_again(database: Database) -> None:
    for effect_id in trouble(database):
        with database.write() as session:
            settle_by_hand(session, effect_id, note="By bank, 17", actor="staff:1", now=NOON)
    port = RecordingPort()

    deliver_effects(database, {"payments": port}, now=NOON + DAY)

    assert list(port.done) == ["refund:3"]
    with database.read() as session:
        assert troubled_effects(session, limit=9) == []
        known = [(one.key, one.note, one.settled_by) for one in settled_by_hand(session, limit=9)]
    assert known == [("refund:2", "By bank, 17", "staff:1"), ("refund:1", "By bank, 17", "staff:1")]


def test_nobody_takes_an_effect_out_of_a_ports_hands(database: Database) -> None:
    ask(database)
    kept = effect(database)

    def settle(effect_id: int) -> None:
        with database.write() as session:
            settle_by_hand(session, effect_id, note="x", actor="staff:1", now=NOON)

    with pytest.raises(ConflictError, match="has not failed"):
        settle(kept.id)
    with pytest.raises(NotFoundError):
        settle(kept.id + 1)
    assert effect(database).state is EffectState.REQUESTED


def test_workers_at_once_deliver_each_effect_once(database: Database) -> None:
    for number in range(20):
        ask(database, f"refund:{number}")
    port, start = RecordingPort(), threading.Barrier(4)

    def work() -> None:
        start.wait()
        deliver_effects(database, {"payments": port}, now=NOON)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(port.done), port.doubles) == (20, 0)


def test_the_file_port_writes_one_file_for_each_key(tmp_path: Path) -> None:
    port = FilePort(tmp_path / "effects", "payments")

    first = port.deliver("refund", {"order": "#1001"}, "refund:1/..")
    again = port.deliver("refund", {"order": "#1001"}, "refund:1/..")
    port.deliver("refund", {}, "x" * 300)

    assert first == again == "refund%3A1%2F...json"
    assert len(list((tmp_path / "effects").iterdir())) == 2
    assert json.loads((tmp_path / "effects" / first).read_text("utf-8")) == {
        "port": "payments",
        "operation": "refund",
        "key": "refund:1/..",
        "payload": {"order": "#1001"},
    }


def test_without_a_connection_the_effects_are_a_folder_to_work_off(
    database: Database, settings: Settings
) -> None:
    ask(database)

    deliver_effects(database, open_ports(settings), now=NOON)

    name = effect(database).reference
    assert name == "refund%3A1.json"
    assert (settings.data_dir / "effects" / name).is_file()


def test_a_port_is_loaded_by_its_setting(settings: Settings) -> None:
    chosen = {"payments": f"{__name__}:open_recorder", "carriers": "file"}
    ports = open_ports(settings.model_copy(update={"ports": chosen}))

    assert isinstance(ports["payments"], RecordingPort)
    assert isinstance(ports["carriers"], FilePort)
    for wrong in ("nothing", "no_such_module:port", f"{__name__}:no_such_name"):
        with pytest.raises(InvalidInputError, match="the port payments cannot be opened"):
            open_ports(settings.model_copy(update={"ports": {"payments": wrong}}))


def open_recorder(settings: Settings) -> RecordingPort:
    return RecordingPort()


def test_a_refund_asks_the_provider_in_the_same_transaction(database: Database) -> None:
    with database.write() as session:
        order = make_order()
        session.add(order)
        session.flush()
        [line] = refund(session, order, 500, reference="RMA-1", now=NOON)

    asked = effect(database)
    assert (asked.port, asked.operation, asked.key) == ("payments", "refund", f"refund:{line.id}")
    assert asked.payload["order"] == order.number
    assert (asked.payload["amount_minor"], asked.payload["currency"]) == (500, "EUR")


def test_money_that_no_provider_holds_asks_for_nothing(database: Database) -> None:
    with database.write() as session:
        order = make_order()
        session.add(order)
        session.flush()
        for payment in payments_of(session, order.id):
            payment.gateway_ref = ""
        refund(session, order, 500, reference="RMA-1", now=NOON)

    with database.read() as session:
        assert session.scalars(select(Effect)).all() == []


def test_cancelling_a_reserved_payment_has_it_given_up(database: Database) -> None:
    with database.write() as session:
        order = make_order()
        session.add(order)
        session.flush()
        for payment in payments_of(session, order.id):
            payment.kind = PaymentKind.AUTHORIZATION
        cancel_order(session, order, reason="x", actor="staff:1", now=NOON)

    assert effect(database).operation == "void"
