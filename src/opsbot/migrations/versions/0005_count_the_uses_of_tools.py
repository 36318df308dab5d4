"""Count the uses of tools."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables of 0004 to 0005."""
    _change_tool_uses()


def _change_tool_uses() -> None:
    op.create_table(
        "tool_uses",
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "tool", "unit", "window", name=op.f("pk_tool_uses")),
    )
