"""Keep what carriers wait for."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables of 0018 to 0019."""
    _change_shipments()
    _change_tracking_events()


def _change_shipments() -> None:
    with op.batch_alter_table("shipments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("needs", sa.String(length=40), nullable=True))


def _change_tracking_events() -> None:
    with op.batch_alter_table("tracking_events", schema=None) as batch_op:
        batch_op.add_column(sa.Column("needs", sa.String(length=40), nullable=True))
