"""Keep what a turn was given."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables of 0020 to 0021."""
    _change_turn_inputs()


def _change_turn_inputs() -> None:
    op.create_table(
        "turn_inputs",
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("caller", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("written", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_turn_inputs_message_id_messages")
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_turn_inputs")),
    )
