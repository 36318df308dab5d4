"""The note that says that a database holds the sample shop."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from opsbot.db import Base


class DemoLoad(Base):
    """One loading of the sample shop, written in the same transaction as the shop."""

    __tablename__ = "demo_loads"

    id: Mapped[int] = mapped_column(primary_key=True)
    seed: Mapped[int]
    loaded_at: Mapped[datetime]
    """The moment the shop's year ends."""
