"""A retail shop behind the HTTP API, and its records written out."""

import shutil
from datetime import datetime
from pathlib import Path

from retail_replay import make_settings
from retail_shop import Record, export_shop, load_shop, read_shop, write_policies
from sqlalchemy import select

from opsbot.cli.serving import serve_app
from opsbot.commerce.customers import Customer
from opsbot.content import content_root
from opsbot.db import Database
from opsbot.migrations import upgrade
from opsbot.migrations.schema import import_records
from opsbot.retrieval.encoders import open_encoder
from opsbot.retrieval.ingest import ingest

_ARTICLE = """---
title: Shopping with us
audience: public
language: en
updated: 2026-11-30
---

We sell goods of fifty kinds, each in several variants. Orders go to addresses in the United States.

## How can I pay?

By credit card, by PayPal account, or by gift card.

## What can be changed?

Before an order is processed you may change its address, its payment and the variants of its items,
or cancel it. What was delivered can be returned, or exchanged for another variant.
"""


def prepare(data: Path, folder: Path, *, now: datetime) -> None:
    """Write the shop's rules and records into a folder, once."""
    database_file = folder / "opsbot.db"
    if database_file.exists():
        return
    knowledge = folder / "knowledge"
    write_policies(content_root() / "knowledge" / "policies", knowledge / "policies")
    (knowledge / "faqs").mkdir(parents=True, exist_ok=True)
    (knowledge / "faqs" / "shopping.md").write_text(_ARTICLE, encoding="utf-8")
    half_done = folder / "loading.db"
    for left in folder.glob("loading.db*"):
        left.unlink()
    import_records()
    database = Database(f"sqlite:///{half_done}")
    upgrade(database)
    with database.write(durable=True) as session:
        load_shop(session, read_shop(data), now=now)
    settings = make_settings(folder, knowledge=knowledge)
    ingest(database, knowledge, open_encoder(settings.embedding_model, folder), now=now)
    database.dispose()
    shutil.move(half_done, database_file)


def serve(data: Path, folder: Path, *, port: int, now: datetime) -> None:
    """Load the shop into a folder, unless it is there, and serve it until the process ends.

    Who sends `POST /v1/chat` without a token is a visitor: the answer's `visitor` goes back in the
    header `x-opsbot-visitor` with each further message of the conversation.
    """
    folder.mkdir(parents=True, exist_ok=True)
    prepare(data, folder, now=now)
    settings = make_settings(folder, knowledge=folder / "knowledge")
    serve_app(settings, host="127.0.0.1", port=port)


def export(folder: Path) -> Record:
    """Return the records of a served shop in its own shape."""
    import_records()
    database = Database(f"sqlite:///{folder / 'opsbot.db'}")
    try:
        with database.read() as session:
            users = session.scalars(select(Customer.external_id).where(Customer.source == "tau"))
            return export_shop(session, [str(user) for user in users])
    finally:
        database.dispose()
