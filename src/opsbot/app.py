"""Joins the parts. No logic, and nothing happens on import."""

import logging
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from opsbot import __version__
from opsbot.channels import (
    answers,
    approvals,
    articles,
    assets,
    chat,
    confirmations,
    console,
    docs,
    gaps,
    health,
    mcp,
    outside,
    pages,
    problems,
    reviews,
    shop,
    sign_in,
    simulation,
    survey,
    tools,
    webhooks,
    withdrawal,
)
from opsbot.channels import (
    help as help_centre,
)
from opsbot.channels.dependencies import utc_now
from opsbot.channels.guard import BodyGuard
from opsbot.channels.services import Services
from opsbot.commerce.cases import office_hours
from opsbot.commerce.ports import open_ports
from opsbot.conversation.assistant import Assistant
from opsbot.conversation.chat_model import Breaker, open_remote_model
from opsbot.conversation.decisions import Decisions
from opsbot.conversation.events import Bell
from opsbot.conversation.local.model import LocalChatModel
from opsbot.conversation.masking.records import Masking
from opsbot.conversation.replay import Replays
from opsbot.conversation.runner import Runner
from opsbot.conversation.service import ConversationService
from opsbot.conversation.versions import versions_of
from opsbot.db import Database
from opsbot.drafts.drafter import Drafter
from opsbot.errors import UnavailableError
from opsbot.jobs import SCHEDULES, Follower, Worker, handlers
from opsbot.mail.messages import probe_headers
from opsbot.migrations import pending
from opsbot.migrations.schema import import_records
from opsbot.retrieval.encoder import Encoder
from opsbot.retrieval.encoders import open_encoder
from opsbot.retrieval.gaps import Gaps
from opsbot.retrieval.kept_vectors import KeptVectors
from opsbot.retrieval.knowledge import Knowledge
from opsbot.retrieval.library import Library
from opsbot.retrieval.sources import Sources
from opsbot.settings import Settings
from opsbot.toolkit.executor import Executor
from opsbot.toolkit.loading import AnyTool, load_tools
from opsbot.toolkit.policy import load_policies

_PARTS = (
    chat.router,
    health.router,
    assets.router,
    shop.router,
    help_centre.router,
    survey.router,
    withdrawal.router,
    sign_in.router,
    console.router,
    approvals.router,
    approvals.api,
    outside.router,
    reviews.router,
    articles.router,
    articles.api,
    confirmations.console,
    confirmations.links,
    gaps.router,
    gaps.api,
    answers.router,
    simulation.api,
    tools.router,
    webhooks.router,
    docs.router,
)

log = logging.getLogger(__name__)


def open_services(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = utc_now,
    database: Database | None = None,
    encoder: Encoder | None = None,
) -> Services:
    """Build the running parts these settings describe.

    Raises:
        InvalidInputError: a setting, a tool file or a policy is wrong; the text names it.
        UnavailableError: the database cannot be reached, or is older than this program.
    """
    import_records()  # a table may refer to one whose module nothing else imports
    probe_headers(settings)
    remote = open_remote_model(settings)
    loaded = load_tools(settings.tools_dir)
    policies = load_policies(settings.knowledge_dir / "policies")
    database = database or Database(settings.resolved_database_url)
    _check_tables(database)
    encoder = encoder or open_encoder(settings.embedding_model, settings.data_dir)
    knowledge = Knowledge(
        database, encoder, settings.data_dir, settings.retrieval, chroma_url=settings.chroma_url
    )
    executor = Executor(database, settings, loaded, knowledge, policies)
    bell = Bell()
    decisions = Decisions(database, executor, bell, clock=clock, new_id=_new_id)
    embedded = LocalChatModel(encoder=KeptVectors(encoder, settings.data_dir / "models"))
    masking = _open_masking(settings, database, loaded)
    models = (embedded, remote, Breaker(time.monotonic))
    assistant = Assistant(
        settings, executor, knowledge, *models, masking, understand=embedded.understand
    )
    unknown = Gaps(database, knowledge)
    runner = Runner(
        database,
        assistant,
        bell,
        executor=executor,
        knowledge=knowledge,
        versions=versions_of(knowledge, policies.version, loaded, encoder=encoder.key),
        clock=clock,
        elapsed=time.perf_counter,
        new_id=_new_id,
        gaps=unknown,
        hours=office_hours(settings),
    )
    conversations = ConversationService(database, runner, decisions, bell, knowledge, _new_id)
    drafter = Drafter(database, conversations, settings)
    library = Library(
        database, encoder, Sources(settings.knowledge_dir, settings.resolved_uploads_dir)
    )
    records = (settings, database, open_ports(settings))
    return Services(*records, knowledge, library, unknown, executor, conversations, drafter, clock)


def _open_masking(
    settings: Settings, database: Database, tools: Mapping[str, AnyTool]
) -> Masking | None:
    """Return what hides personal data from a language model, when that is set."""
    if not settings.model_mask_personal_data:
        return None
    personal = frozenset(name for name, tool in tools.items() if tool.pii != "none")
    return Masking(database, settings.secret_key.get_secret_value().encode(), personal)


@contextmanager
def open_replays(settings: Settings) -> Iterator[Replays]:
    """Open what runs turns again: it reads conversations and articles, and nothing else.

    Raises:
        InvalidInputError: a setting, a tool file or a policy is wrong; the text names it.
        UnavailableError: the database cannot be reached, or is older than this program.
    """
    import_records()
    tools = load_tools(settings.tools_dir)
    policies = load_policies(settings.knowledge_dir / "policies")
    database = Database(settings.resolved_database_url)
    _check_tables(database)
    encoder = open_encoder(settings.embedding_model, settings.data_dir)
    knowledge = Knowledge(database, encoder, settings.data_dir, settings.retrieval)
    executor = Executor(database, settings, tools, knowledge, policies)
    versions = versions_of(knowledge, policies.version, tools, encoder=encoder.key)
    embedded = LocalChatModel(encoder=KeptVectors(encoder, settings.data_dir / "models"))
    try:
        yield Replays(
            database,
            settings,
            executor,
            knowledge,
            embedded,
            versions=versions,
            understand=embedded.understand,
        )
    finally:
        knowledge.close()
        database.dispose()


def _check_tables(database: Database) -> None:
    if pending(database):
        raise UnavailableError("The database has no tables of this version yet: opsbot migrate.")


def close_services(services: Services) -> None:
    """Let what runs end, and let go of files and connections."""
    services.conversations.close()
    services.knowledge.close()
    services.database.dispose()


def create_app(
    services: Services, *, with_worker: bool = True, with_warm_up: bool = True
) -> FastAPI:
    """Return the web application.

    Args:
        services: the running parts; they are closed when the application stops.
        with_worker: run the jobs, and follow the articles, in threads of this process.
        with_warm_up: do beforehand what the first questions would wait for.
    """
    endpoint = mcp.McpEndpoint(services)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        stop = threading.Event()
        threads = _make_threads(services, stop, work=with_worker, warm=with_warm_up)
        for thread in threads:
            thread.start()
        resumed = services.conversations.resume()
        if resumed:
            log.info("%d interrupted turns are run again", resumed)
        yield
        await endpoint.close()
        stop.set()
        for thread in threads:
            thread.join()
        close_services(services)

    app = FastAPI(
        title="opsbot",
        version=__version__,
        summary="Answers customers and staff from manuals and live records.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    app.add_middleware(BodyGuard)
    problems.install(app)
    if services.settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=services.settings.allowed_origins,
            allow_methods=["GET", "POST"],
            allow_headers=[
                "accept",
                "authorization",
                "content-type",
                "idempotency-key",
                "x-opsbot-visitor",
            ],
        )
    pages.install(app, services.settings)
    for part in _PARTS:
        app.include_router(part)
    app.router.routes.append(Route(mcp.PATH, endpoint, include_in_schema=False))
    return app


def _make_threads(
    services: Services, stop: threading.Event, *, work: bool, warm: bool
) -> list[threading.Thread]:
    """Return what runs beside the requests, and ends soon after `stop` is set."""
    threads = list[threading.Thread]()
    if warm:
        threads.append(threading.Thread(target=_warm, args=(services, stop), name="warm-up"))
    if work:
        jobs = open_worker(services).run_forever
        threads.append(threading.Thread(target=jobs, args=(stop,), name="jobs"))
    if work and services.settings.retrieval.watch_s:
        follow = open_follower(services).run_forever
        threads.append(threading.Thread(target=follow, args=(stop,), name="articles"))
    return threads


def _warm(services: Services, stop: threading.Event) -> None:
    """Do beforehand what the first questions would wait for; nothing depends on it."""
    try:
        services.conversations.warm()
        services.knowledge.warm(stop=stop, idle=lambda: services.conversations.is_idle)
    except Exception:
        log.exception("the warm-up ended early")


def open_worker(services: Services) -> Worker:
    """Return a worker for the jobs of these services."""
    return Worker(services.database, handlers(services), services.clock, schedules=SCHEDULES)


def open_follower(services: Services) -> Follower:
    """Return what ingests the articles of these services whenever a file is saved."""
    every_s = services.settings.retrieval.watch_s
    return Follower(services.database, services.library, services.clock, every_s=every_s)


def _new_id() -> str:
    return secrets.token_urlsafe(16)
