"""Inspections of what was bought, made, or came back."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from opsbot.db import Base


class InspectionStage(StrEnum):
    """When a lot was looked at."""

    INCOMING = "incoming"
    IN_PROCESS = "in_process"
    FINAL = "final"
    RETURN = "return"


class InspectionResult(StrEnum):
    """What came of it."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CONCESSION = "concession"


class Disposition(StrEnum):
    """What happens to a lot after its inspection."""

    RELEASE = "release"
    REWORK = "rework"
    SCRAP = "scrap"
    RETURN_TO_SUPPLIER = "return_to_supplier"
    USE_AS_IS = "use_as_is"


class Inspection(Base):
    """One sample of one lot. Any critical defect rejects; else the acceptance number decides."""

    __tablename__ = "inspections"

    id: Mapped[int] = mapped_column(primary_key=True)
    stage: Mapped[InspectionStage]
    reference: Mapped[str]
    """The document behind the lot: `PO-00042`, `WO-00017`, `RMA-00009`."""
    sku: Mapped[str] = mapped_column(ForeignKey("items.sku"), index=True)
    lot_size: Mapped[int]
    sample_size: Mapped[int]
    accept_up_to: Mapped[int]
    """Ac of the sampling plan: most major defects of an accepted lot."""
    critical: Mapped[int] = mapped_column(default=0)
    major: Mapped[int] = mapped_column(default=0)
    minor: Mapped[int] = mapped_column(default=0)
    defect: Mapped[str | None]
    """The most frequent defect, in words."""
    result: Mapped[InspectionResult]
    inspected_at: Mapped[datetime]
    lot_id: Mapped[int | None] = mapped_column(ForeignKey("lots.id"), index=True)
    minor_accept_up_to: Mapped[int | None]
    """Ac of the plan for minor defects; None: they are only counted."""
    disposition: Mapped[Disposition | None]
    actor: Mapped[str] = mapped_column(default="system")


def judge(
    *,
    critical: int,
    major: int,
    accept_up_to: int,
    minor: int = 0,
    minor_accept_up_to: int | None = None,
) -> InspectionResult:
    """Tell what the counts of a sample mean for the lot."""
    too_many_minor = minor_accept_up_to is not None and minor > minor_accept_up_to
    if critical or major > accept_up_to or too_many_minor:
        return InspectionResult.REJECTED
    return InspectionResult.ACCEPTED
