"""Note when a delivery happened."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables of 0017 to 0018."""
    _change_inbox_events()


def _change_inbox_events() -> None:
    with op.batch_alter_table("inbox_events", schema=None) as batch_op:
        batch_op.add_column(sa.Column("happened_at", sa.DateTime(timezone=True), nullable=True))
