"""The kinds of jobs, and how often the clock starts them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from sqlalchemy.orm import Session

from opsbot.commerce.boms import activate_due_boms
from opsbot.commerce.case_work import close_resolved
from opsbot.commerce.effects import deliver_effects
from opsbot.commerce.loyalty import expire_points
from opsbot.commerce.ports import Port
from opsbot.commerce.return_work import expire_returns
from opsbot.connectors.handling import handle_event
from opsbot.connectors.imports import ImportOptions
from opsbot.connectors.inbox import InboxEvent, forget_old_events, handle_inbox, retry_failed
from opsbot.connectors.reconcile import reconcile_folder
from opsbot.conversation.outcomes import outcome_of, tell
from opsbot.db import Database
from opsbot.drafts.drafter import Drafter
from opsbot.drafts.review import settle_drafts
from opsbot.errors import UnavailableError
from opsbot.jobs.worker import Handler
from opsbot.mail.imap import fetch_imap
from opsbot.mail.incoming import IncomingMail
from opsbot.mail.mailboxes import fetch_dropped
from opsbot.mail.sending import deliver
from opsbot.retrieval.gaps import Gaps
from opsbot.settings import Settings
from opsbot.surveys.invitations import invite_due, settle_invitations
from opsbot.toolkit.audit import record_audit
from opsbot.toolkit.expiries import expire_late
from opsbot.toolkit.loyalty_rules import award_points, take_back_all
from opsbot.toolkit.policy import load_policies
from opsbot.toolkit.proposals import Confirmation
from opsbot.toolkit.repeats import forget_keys

DELIVER_MAIL = "deliver_mail"
DELIVER_EFFECTS = "deliver_effects"
READ_MAILBOX = "read_mailbox"
INVITE_TO_SURVEYS = "invite_to_surveys"
EXPIRE_PROPOSALS = "expire_proposals"
HANDLE_INBOX = "handle_inbox"
RECONCILE = "reconcile"
CLOSE_GAPS = "close_gaps"
CLOSE_CASES = "close_cases"
END_RETURNS = "end_returns"
COUNT_POINTS = "count_points"
ACTIVATE_BOMS = "activate_boms"
FORGET_KEYS = "forget_keys"

SCHEDULES: Mapping[str, timedelta] = {
    DELIVER_MAIL: timedelta(seconds=5),
    DELIVER_EFFECTS: timedelta(seconds=5),
    READ_MAILBOX: timedelta(seconds=30),
    INVITE_TO_SURVEYS: timedelta(minutes=5),
    EXPIRE_PROPOSALS: timedelta(minutes=1),
    HANDLE_INBOX: timedelta(seconds=5),
    RECONCILE: timedelta(days=1),
    CLOSE_GAPS: timedelta(minutes=1),
    CLOSE_CASES: timedelta(hours=6),
    END_RETURNS: timedelta(hours=1),
    COUNT_POINTS: timedelta(minutes=10),
    ACTIVATE_BOMS: timedelta(minutes=10),
    FORGET_KEYS: timedelta(hours=1),
}


class JobServices(Protocol):
    """The parts that jobs need; `channels.services.Services` has them."""

    @property
    def settings(self) -> Settings:
        """The configuration."""
        ...

    @property
    def database(self) -> Database:
        """The records."""
        ...

    @property
    def ports(self) -> Mapping[str, Port]:
        """Where effects go."""
        ...

    @property
    def drafter(self) -> Drafter:
        """What answers mails."""
        ...

    @property
    def gaps(self) -> Gaps:
        """What the articles did not answer."""
        ...


def handlers(services: JobServices) -> dict[str, Handler]:
    """Return what does each kind of job."""

    def deliver_mail(_payload: Mapping[str, Any], now: datetime) -> None:
        if deliver(services.database, services.settings, now=now):
            with services.database.write() as session:
                settle_drafts(session)
                settle_invitations(session, now=now)

    def deliver_outside(_payload: Mapping[str, Any], now: datetime) -> None:
        deliver_effects(services.database, services.ports, now=now)

    def read_mailbox(_payload: Mapping[str, Any], now: datetime) -> None:
        read_mails(services, now=now)

    def invite_to_surveys(_payload: Mapping[str, Any], now: datetime) -> None:
        with services.database.write() as session:
            invite_due(session, services.settings, now=now)

    def expire_proposals(_payload: Mapping[str, Any], now: datetime) -> None:
        close_late_proposals(services.database, services.settings, now=now)

    def handle_webhooks(_payload: Mapping[str, Any], now: datetime) -> None:
        handle_kept_events(services.database, services.settings, now=now)

    def reconcile(_payload: Mapping[str, Any], now: datetime) -> None:
        look_again(services.database, services.settings, now=now)

    def close_gaps(_payload: Mapping[str, Any], now: datetime) -> None:
        services.gaps.close_answered(now=now)

    return {
        DELIVER_MAIL: deliver_mail,
        DELIVER_EFFECTS: deliver_outside,
        READ_MAILBOX: read_mailbox,
        INVITE_TO_SURVEYS: invite_to_surveys,
        EXPIRE_PROPOSALS: expire_proposals,
        HANDLE_INBOX: handle_webhooks,
        RECONCILE: reconcile,
        CLOSE_GAPS: close_gaps,
        CLOSE_CASES: partial(_close_cases, services),
        ACTIVATE_BOMS: partial(_activate_boms, services),
        FORGET_KEYS: partial(_forget_keys, services),
        **_after_sales(services),
    }


def _close_cases(services: JobServices, _payload: Mapping[str, Any], now: datetime) -> None:
    with services.database.write() as session:
        close_resolved(session, now=now)


def _activate_boms(services: JobServices, _payload: Mapping[str, Any], now: datetime) -> None:
    with services.database.write() as session:
        activate_due_boms(session, now=now)


def _forget_keys(services: JobServices, _payload: Mapping[str, Any], now: datetime) -> None:
    with services.database.write() as session:
        forget_keys(session, now=now)


def _after_sales(services: JobServices) -> dict[str, Handler]:
    def end_returns(_payload: Mapping[str, Any], now: datetime) -> None:
        with services.database.write() as session:
            expire_returns(session, now=now)

    def count_points(_payload: Mapping[str, Any], now: datetime) -> None:
        count_loyalty(services.database, services.settings, now=now)

    return {END_RETURNS: end_returns, COUNT_POINTS: count_points}


def count_loyalty(database: Database, settings: Settings, *, now: datetime) -> None:
    """Write down points that were earned, taken back, or have come to their end."""
    policies = load_policies(settings.knowledge_dir / "policies")
    awarded = 1
    while awarded:
        with database.write() as session:
            awarded = award_points(session, policies, zone=settings.time_zone, now=now)
    with database.write() as session:
        take_back_all(session, policies, now=now)
        expire_points(session, now=now)


def read_mails(services: JobServices, *, now: datetime) -> int:
    """Draft answers to what is new in the folder and in the mailbox; return how many mails.

    Raises:
        UnavailableError: the folder, the mailbox or the model did not answer.
    """
    settings = services.settings

    def draft(mail: IncomingMail) -> object:
        return services.drafter.read(mail, now=now)

    problems: list[str] = []
    count = 0
    try:
        count += fetch_dropped(settings.mail.drop_dir or settings.data_dir / "mail" / "in", draft)
    except UnavailableError as error:
        problems.append(str(error))
    # A full disk must not keep the mailbox from being read, nor the other way round.
    if settings.mail.imap_host is not None:
        count += fetch_imap(services.database, settings.mail, draft, now=now)
    if problems:
        raise UnavailableError(problems[0])
    return count


def handle_kept_events(database: Database, settings: Settings, *, now: datetime) -> int:
    """Handle the webhooks that are due; return how many were tried."""

    def handle(session: Session, event: InboxEvent) -> str | None:
        why_not = handle_event(session, event, currency=settings.currency, now=now)
        if why_not is None:
            record_audit(
                session,
                actor=f"webhook:{event.source}",
                action="imported",
                subject=event.topic,
                at=now,
                delivery=event.delivery_id,
            )
        return why_not

    return handle_inbox(database, handle, now=now)


def look_again(database: Database, settings: Settings, *, now: datetime) -> None:
    """Compare the shop's exports with our records, and try what had been given up again."""
    reconcile_folder(database, settings.resolved_exports_dir, import_options(settings), now=now)
    with database.write() as session:
        retry_failed(session, now=now)
        forget_old_events(session, now=now)


def import_options(settings: Settings) -> ImportOptions:
    """Return how the shop's exports are read."""
    return ImportOptions(
        currency=settings.currency,
        zone=settings.time_zone,
        source=settings.connectors.exports_source,
    )


def close_late_proposals(database: Database, settings: Settings, *, now: datetime) -> None:
    """End the proposals whose time is over; what nobody decided is told where it was asked for."""
    with database.write(durable=True) as session:
        for one in expire_late(session, settings, now=now):
            if one.conversation_id is not None:
                told = outcome_of(Confirmation(one.preview, None, None))
                tell(session, one.conversation_id, told, now=now)
