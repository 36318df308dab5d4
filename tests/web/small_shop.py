"""The pages with a small shop behind them, served on a port of its own."""

import secrets
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import uvicorn
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from pydantic import SecretStr
from sqlalchemy.orm import Session

from opsbot.channels import (
    approvals,
    articles,
    assets,
    confirmations,
    console,
    docs,
    gaps,
    outside,
    pages,
    problems,
    reviews,
    shop,
    sign_in,
    simulation,
    withdrawal,
)
from opsbot.channels import help as help_centre
from opsbot.channels import survey as survey_pages
from opsbot.channels.guard import BodyGuard
from opsbot.commerce.cases import CaseKind, open_case
from opsbot.commerce.inventory import StockLevel
from opsbot.conversation.decisions import Decisions
from opsbot.conversation.events import Bell
from opsbot.conversation.models import Author, Conversation, Message
from opsbot.conversation.service import ConversationService
from opsbot.db import Database
from opsbot.drafts.models import Draft, ReceivedMail, ReceivedState
from opsbot.retrieval.encoder import MiniLmEncoder
from opsbot.retrieval.gaps import Gaps
from opsbot.retrieval.ingest import ingest
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.library import Library
from opsbot.retrieval.sources import Sources
from opsbot.settings import Settings
from opsbot.staff import Role, make_staff
from opsbot.surveys.flows import load_flows
from opsbot.surveys.invitations import invite_customer
from opsbot.toolkit.caller import Audience
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import AnyTool, load_tools
from opsbot.toolkit.policy import load_policies
from tests.factories import (
    NOON,
    make_channel,
    make_customer,
    make_item,
    make_line,
    make_location,
    make_order,
)
from tests.integration.toolkit.ledger_shop import TOOLS
from tests.web import scripted

REPOSITORY = Path(__file__).parents[2]
ARTICLES = (
    "manuals/halo-desk-lamp.md",
    "manuals/ember-bedside-lamp.md",
    "manuals/packing-guide.md",
    "faqs/tracking.md",
    "faqs/returns.md",
    "faqs/shipping-times-and-prices.md",
    "troubleshooting/lamp-flickers-or-does-not-turn-on.md",
)
STAFF = "mara@lumenandloom.example"
PASSWORD = "correct horse battery"  # noqa: S105  (of the sample person below)
CUSTOMER_MAIL = (
    "Hello,\n\nmy Ember lamp flickers since yesterday, always after about ten minutes.\n"
    "I already tried another socket. What can I do?\n\nBest regards\nClara Dubois"
)
DRAFT = (
    "Hello Clara,\n\nplease use the charger that came with the lamp: with a weaker one the light "
    "flickers [1].\nIf it still flickers, the LED module can be changed in ten minutes [2].\n\n"
    "Kind regards\nLumen & Loom\n"
)


@dataclass(frozen=True)
class Site:
    """A running server and what is in it."""

    url: str
    script: scripted.Script
    database: Database
    settings: Settings
    app: FastAPI
    csat: str
    """Path of a survey with a 1 to 5 scale."""
    nps: str
    """Path of a survey with a 0 to 10 scale."""
    expired: str
    """Path of a survey that is closed."""


def make_site(folder: Path, template: Path) -> tuple[FastAPI, Site]:
    """Return an application with a small shop, and its description without an address."""
    settings = _settings(folder)
    shutil.copy(template, folder / "opsbot.db")
    database = Database(f"sqlite:///{folder}/opsbot.db")
    encoder = MiniLmEncoder.open(settings.data_dir)
    ingest(database, settings.knowledge_dir, encoder, now=NOON)
    # Enforced, but not among the articles that the pages' tests count.
    shutil.copytree(REPOSITORY / "knowledge" / "policies", settings.knowledge_dir / "policies")
    knowledge = Knowledge(database, encoder, settings.data_dir, settings.retrieval)
    sources = Sources(settings.knowledge_dir, settings.resolved_uploads_dir)
    library = Library(database, encoder, sources)
    with database.write() as session:
        csat, nps, expired = _fill(session, settings)
    policies = load_policies(REPOSITORY / "knowledge" / "policies")
    executor = Executor(database, settings, _all_tools(), knowledge, policies)
    bell, nothing = Bell(), cast("Any", None)
    decisions = Decisions(database, executor, bell, clock=lambda: NOON, new_id=new_id)
    app = FastAPI(docs_url=None, redoc_url=None)
    # Only what pages ask for; the conversation itself is scripted.
    app.state.services = SimpleNamespace(
        settings=settings,
        database=database,
        knowledge=knowledge,
        library=library,
        gaps=Gaps(database, knowledge),
        executor=executor,
        conversations=ConversationService(
            database, nothing, decisions, bell, knowledge, new_id
        ),
        clock=lambda: NOON,
    )
    origins = r"http://127\.0\.0\.1:\d+"
    app.add_middleware(
        CORSMiddleware, allow_origin_regex=origins, allow_methods=["*"], allow_headers=["*"]
    )
    app.add_middleware(BodyGuard)
    problems.install(app)
    pages.install(app, settings)
    shown = [assets, shop, help_centre, survey_pages, sign_in, console, approvals, reviews]
    shown += [articles, gaps, outside]
    for part in (*shown, docs, withdrawal):
        app.include_router(part.router)
    app.include_router(confirmations.console)
    for api in (scripted.ways_back, articles.api, gaps.api, approvals.api, simulation.api):
        app.include_router(api)
    script = scripted.install(app)
    return app, Site("", script, database, settings, app, csat, nps, expired)


def new_id() -> str:
    """Return an id that nobody guesses."""
    return secrets.token_urlsafe(16)


def _settings(folder: Path) -> Settings:
    return Settings(
        _env_file=None,
        secret_key=SecretStr("0123456789abcdef" * 2),
        data_dir=folder / "data",
        knowledge_dir=_copy_articles(folder / "knowledge"),
        web_dir=REPOSITORY / "web",
        public_url="",
        demo=True,
    )


def _all_tools() -> dict[str, AnyTool]:
    """Return the shop's tools, and those that need a second person or can be undone."""
    return {**load_tools(REPOSITORY / "tools"), **TOOLS}


@contextmanager
def serve(app: FastAPI) -> Iterator[str]:
    """Serve `app` on a free port; the address is what the context gives."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=10)


def _copy_articles(folder: Path) -> Path:
    for path in ARTICLES:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / "knowledge" / path, folder / path)
    return folder


def _fill(session: Session, settings: Settings) -> tuple[str, str, str]:
    """Store a small shop; return the paths of three surveys."""
    staff = make_staff(email=STAFF, name="Mara Voss", password=PASSWORD, roles=[Role.LEAD])
    ada = make_customer()
    session.add_all([staff, ada])
    _add_products(session)
    _add_cases(session, settings)
    _add_draft(session)
    flows = load_flows(settings.web_dir / "surveys")
    item = make_item()
    session.add(item)
    paths: list[str] = []
    channel = make_channel()
    for number, flow, ago in (
        ("#1007", "delivery_csat", 0),
        ("#1001", "product_nps", 0),
        ("#1002", "delivery_csat", 60),
    ):
        order = make_order(
            ada,
            number,
            lines=[make_line(item)],
            channel=channel,
            delivered_at=NOON - timedelta(days=3 + ago),
        )
        session.add(order)
        session.flush()
        then = NOON - timedelta(days=ago)
        invited = invite_customer(session, settings, flows[flow], order, now=then)
        assert invited is not None
        paths.append(invited.url)
    return paths[0], paths[1], paths[2]


def _add_products(session: Session) -> None:
    store = make_location()
    session.add(store)
    session.flush()
    for sku, title, category, price, choices in (
        ("LL-LMP-01", "Halo desk lamp", "lamps", 12900, ("oak", "walnut", "black")),
        ("LL-LMP-02", "Ember bedside lamp", "lamps", 7900, ("white", "sage", "terracotta")),
        ("LL-KET-01", "Loop pour-over kettle", "coffee", 6400, ("black", "copper")),
        ("LL-VAS-01", "Bud vase", "ceramics", 4600, ("dune", "midnight")),
        ("LL-NBK-01", "A5 notebook", "paper", 1800, ("dotted", "lined", "plain")),
        ("LL-BAG-01", "Canvas tote bag", "bags", 2900, ("natural", "navy", "olive")),
        ("LL-CST-01", "Laser-cut coaster set", "wood", 2200, ("oak", "walnut")),
        ("LL-GFT-01", "Gift card", "gift cards", 5000, ()),
    ):
        values = {"category": category, "price_minor": price}
        session.add(make_item(sku, title, sellable=not choices, **values))
        session.flush()
        for choice in choices:
            code = f"{sku}-{choice[:3].upper()}"
            options = {"finish": choice}
            variant = make_item(
                code, f"{title}, {choice}", variant_of=sku, options=options, **values
            )
            session.add(variant)
            session.flush()
            stock = 0 if category == "wood" else 12
            session.add(StockLevel(sku=code, location_id=store.id, on_hand=stock, reserved=0))


def _add_cases(session: Session, settings: Settings) -> None:
    session.add(
        Conversation(
            id="talk-0",
            audience=Audience.CUSTOMER,
            channel="widget",
            owner="visitor:1",
            created_at=NOON,
            updated_at=NOON,
        )
    )
    session.flush()
    for position, (author, text) in enumerate(
        (
            (Author.CUSTOMER, "My parcel is marked as delivered, but it is not here."),
            (Author.ASSISTANT, "I am sorry. A person will look at it today."),
        ),
        start=1,
    ):
        session.add(
            Message(
                id=f"stored-{position}",
                conversation_id="talk-0",
                position=position,
                author=author,
                text=text,
                sent_at=NOON,
            )
        )
    _open_case(
        session, CaseKind.DELIVERY, "Parcel delivered but missing", NOON - timedelta(days=2)
    )
    _open_case(session, CaseKind.SUPPORT, "Asks for a person", NOON - timedelta(hours=1))


def _open_case(session: Session, kind: CaseKind, subject: str, at: datetime) -> None:
    open_case(
        session,
        kind,
        subject=subject,
        summary="The customer says that the parcel is not there. The carrier says it is.",
        conversation_id="talk-0",
        contact_email="clara@example.com",
        actor="visitor",
        now=at,
    )


def _add_draft(session: Session) -> None:
    for number, subject in enumerate(("My lamp flickers", "Invoice for order #1010"), start=1):
        mail = ReceivedMail(
            message_id=f"<{number}@example.com>",
            sender="clara@example.com",
            subject=subject,
            text=CUSTOMER_MAIL,
            received_at=NOON - timedelta(hours=number),
            state=ReceivedState.DRAFTED,
        )
        session.add(mail)
        session.flush()
        citations = [
            {
                "n": n,
                "title": "Lamp flickers or does not turn on",
                "heading": heading,
                "url": "/help/lamp-flickers-or-does-not-turn-on",
                "quote": quote,
            }
            for n, heading, quote in (
                (1, "The light flickers", "With a weaker charger the light flickers."),
                (2, "Change the LED module", "The work takes about ten minutes."),
            )
        ]
        session.add(Draft(mail_id=mail.id, reply=DRAFT, citations=citations, created_at=NOON))
