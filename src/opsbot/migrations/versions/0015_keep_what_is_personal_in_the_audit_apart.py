"""Keep what is personal in the audit apart."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables of 0014 to 0015."""
    _change_audit_events()


def _change_audit_events() -> None:
    with op.batch_alter_table("audit_events", schema=None) as batch_op:
        batch_op.add_column(sa.Column("personal", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("salt", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("personal_hash", sa.String(), nullable=True))
