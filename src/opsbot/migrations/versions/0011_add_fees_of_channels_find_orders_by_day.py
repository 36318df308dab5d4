"""Add fees of channels, find orders by day."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables of 0010 to 0011."""
    _change_orders()
    _change_sales_channels()


def _change_orders() -> None:
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_orders_placed_at"), ["placed_at"], unique=False)


def _change_sales_channels() -> None:
    with op.batch_alter_table("sales_channels", schema=None) as batch_op:
        batch_op.add_column(sa.Column("fee_pct", sa.Double(), server_default="0", nullable=False))
