"""Turns of the sample shop, run again over what was kept with them."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner

from opsbot.app import open_replays
from opsbot.cli.main import app
from opsbot.conversation.models import Message, ToolCall, TurnInputs
from opsbot.conversation.replay import Replays
from opsbot.errors import ConflictError, NotFoundError
from opsbot.mail.outgoing import OutgoingMail
from opsbot.settings import PREFIX, TEST_PREFIX
from opsbot.toolkit.privacy import REMOVED
from tests.e2e.conftest import Shop, shop_settings

pytestmark = pytest.mark.slow


@pytest.fixture
def replays(shop: Shop, data_dir: Path) -> Iterator[Replays]:
    with open_replays(shop_settings(data_dir)) as opened:
        yield opened


def last_code(shop: Shop) -> str:
    with shop.services.database.read() as session:
        text = session.scalars(select(OutgoingMail.text).order_by(OutgoingMail.id.desc())).first()
    found = re.search(r"\b\d{6}\b", text or "")
    return found[0] if found else ""


def talk(shop: Shop, who: dict[str, str] | None, *texts: str) -> str:
    """Say all of it in one conversation; return its id. `CODE` is what was mailed last."""
    conversation = ""
    for text in texts:
        said = last_code(shop) if text == "CODE" else text
        reply = shop.say(said, who, conversation)
        conversation = str(reply["conversation_id"])
        who = who or {"x-opsbot-visitor": reply["visitor"]}
    return conversation


def rewrite(shop: Shop, reply_id: str, **values: Any) -> None:
    """Change what was kept with a reply."""
    with shop.services.database.write() as session:
        session.execute(
            update(TurnInputs).where(TurnInputs.message_id == reply_id).values(**values)
        )


def test_every_kind_of_turn_gives_the_same_reply(shop: Shop, replays: Replays) -> None:
    ada = shop.sign_in()
    address = "Change the default address of my account to Lindenweg 4, 10115 Berlin, Germany"
    talks = [
        talk(shop, None, "How do I clean the Tide grinder?", "and how often?", "thanks"),
        talk(shop, None, "My Ember lamp smells burnt", "somebody@example.com"),
        talk(shop, None, "Where is order #1003?", "10119"),
        talk(shop, ada, "Cancel order #1004", "Will I get my money back?", "yes, and #1005 too"),
        talk(shop, ada, "Cancel order #1005", "no"),
        talk(shop, ada, address, "CODE", "yes"),
        talk(shop, ada, "I want to return the tote bag from order #1002, I changed my mind"),
        talk(shop, ada, "What is the weather like?", "A person, please"),
    ]

    replayed = [replays.replay(reply) for name in talks for reply in replays.find(name)]

    assert [one for one in replayed if not one.is_same] == []
    assert len(replayed) == 18
    assert {one.model for one in replayed} == {"embedded", "none"}


def test_a_replay_changes_nothing(shop: Shop, data_dir: Path) -> None:
    conversation = talk(shop, shop.sign_in(), "Cancel order #1004", "yes")
    shop.services.database.dispose()
    before = dump(data_dir)

    with open_replays(shop_settings(data_dir)) as replays:
        replayed = [replays.replay(reply) for reply in replays.find(conversation)]

    assert all(one.is_same for one in replayed)
    assert dump(data_dir) == before


def dump(data_dir: Path) -> list[str]:
    """Return every row, and every mail and effect that lies in a folder."""
    import sqlite3  # noqa: PLC0415

    connection = sqlite3.connect(data_dir / "opsbot.db")
    rows = list(connection.iterdump())
    connection.close()
    return rows + sorted(str(path) for path in data_dir.rglob("*.eml"))


def test_an_answer_or_a_message_names_the_turn(shop: Shop, replays: Replays) -> None:
    reply = shop.say("Where is my order #1003?", shop.sign_in())
    with shop.services.database.read() as session:
        asked = session.get_one(Message, reply["message_id"]).in_reply_to

    assert replays.find(reply["message_id"]) == [reply["message_id"]]
    assert replays.find(asked or "") == [reply["message_id"]]
    with pytest.raises(NotFoundError, match="an answer, message or conversation nowhere"):
        replays.find("nowhere")


def test_other_words_are_told_with_what_changed(shop: Shop, replays: Replays) -> None:
    reply = shop.say("Where is my order #1003?", shop.sign_in())["message_id"]
    with shop.services.database.write() as session:
        message = session.get_one(Message, reply)
        message.text = message.text.replace("on its way", "nowhere")
        message.trace = message.trace | {"tools": "otherwise", "index": 0}

    replayed = replays.replay(reply)

    [difference] = replayed.differences
    assert not replayed.is_same
    assert difference.part == "words"
    assert any(line.startswith("-Order **#1003** is nowhere") for line in difference.lines)
    assert any(line.startswith("+Order **#1003** is on its") for line in difference.lines)
    assert [one.of for one in replayed.versions if one.is_changed] == ["articles", "tools"]


def test_a_tool_that_was_not_asked_then_ends_the_replay(shop: Shop, replays: Replays) -> None:
    reply = shop.say("Where is my order #1003?", shop.sign_in())["message_id"]
    rewrite(shop, reply, answers=[])

    stopped = replays.replay(reply).stopped

    assert stopped.startswith("It would ask which preview is open. That was not asked then")
    answers = [{"asked": ["open_proposal"], "answer": None}]
    rewrite(shop, reply, answers=answers)
    assert "ask the tool order_status (order_number: 1003)." in replays.replay(reply).stopped


def test_what_a_button_said_cannot_be_replayed(shop: Shop, replays: Replays) -> None:
    ada = shop.sign_in()
    asked = shop.say("Cancel order #1004", ada)
    url = f"/v1/proposals/{asked['proposal']['proposal_id']}/confirm"
    done = shop.client.post(url, headers=ada).json()["reply"]

    with pytest.raises(ConflictError, match="came of a button"):
        replays.replay(done["message_id"])


def test_what_was_removed_or_not_kept_cannot_be_replayed(shop: Shop, replays: Replays) -> None:
    removed = shop.say("hello")["message_id"]
    old = shop.say("hello")["message_id"]
    with shop.services.database.write() as session:
        session.get_one(Message, removed).text = REMOVED
        session.delete(session.get_one(TurnInputs, old))

    with pytest.raises(ConflictError, match="was removed, as the customer asked"):
        replays.replay(removed)
    with pytest.raises(ConflictError, match="before opsbot kept"):
        replays.replay(old)


def test_a_code_is_not_kept_beside_the_message(shop: Shop) -> None:
    address = "Change the default address of my account to Lindenweg 4, 10115 Berlin, Germany"
    talk(shop, shop.sign_in(), address, "CODE")

    with shop.services.database.read() as session:
        kept = session.scalars(select(TurnInputs.answers)).all()
        calls = session.scalars(select(ToolCall.arguments)).all()

    assert last_code(shop) not in json.dumps([list(kept), list(calls)])


def test_the_command_says_it_in_words_and_by_its_status(
    shop: Shop, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = shop.say("Where is my order #1003?", shop.sign_in())["message_id"]
    key = shop.services.settings.secret_key.get_secret_value()
    for name in list(os.environ):  # noqa: TID251  (nobody else's settings may matter)
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OPSBOT_SECRET_KEY", key)
    monkeypatch.setenv("OPSBOT_DATA_DIR", str(data_dir))

    same = CliRunner().invoke(app, ["replay", reply])
    with shop.services.database.write() as session:
        session.get_one(Message, reply).text = "Somewhere."
    other = CliRunner().invoke(app, ["replay", reply])
    nothing = CliRunner().invoke(app, ["replay", "nowhere"])

    codes = (same.exit_code, other.exit_code, nothing.exit_code)
    assert codes == (0, 1, 2), same.output
    assert "The reply is the same." in same.output
    assert "-Somewhere." in other.output
    assert "Nothing has changed since then" in other.output
    assert "I could not find an answer, message or conversation nowhere" in nothing.output
