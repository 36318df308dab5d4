"""Which of our records is which record of a source, and as of when."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from opsbot.db import Base


class LinkKind(StrEnum):
    """What is linked."""

    ORDER = "order"
    ITEM = "item"
    CUSTOMER = "customer"
    STOCK = "stock"
    PARCEL = "parcel"
    RETURN = "return"
    """By the refund that paid it."""
    RETURN_REQUEST = "return_request"
    """By the source's own return."""
    LINE = "line"
    """A line of an order; ours is the item's SKU."""
    REFUND = "refund"


class SourceLink(Base):
    """One record of a source and ours. Its key makes importing twice harmless."""

    __tablename__ = "source_links"

    source: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[LinkKind] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    record: Mapped[str]
    """Primary key of our record, as text."""
    changed_at: Mapped[datetime]
    """As of when the source's state is known here."""
    digest: Mapped[str]
    """Of that state: the same again changes nothing."""


def links_of(
    session: Session, source: str, kind: LinkKind, external_ids: Iterable[str]
) -> dict[str, SourceLink]:
    """Return the links that are known, by the source's ids; locked until the transaction ends."""
    found = select(SourceLink).where(
        SourceLink.source == source,
        SourceLink.kind == kind,
        SourceLink.external_id.in_(list(external_ids)),
    )
    return {link.external_id: link for link in session.scalars(found.with_for_update())}


def keep_link(
    session: Session,
    source: str,
    kind: LinkKind,
    external_id: str,
    *,
    record: object,
    changed_at: datetime,
    digest: str = "",
) -> None:
    """Remember a link, or bring it up to date."""
    values = {"record": str(record), "changed_at": changed_at, "digest": digest}
    link = session.get(SourceLink, (source, kind, external_id))
    if link is None:
        session.add(SourceLink(source=source, kind=kind, external_id=external_id, **values))
    else:
        link.record, link.changed_at, link.digest = str(record), changed_at, digest
    session.flush()
