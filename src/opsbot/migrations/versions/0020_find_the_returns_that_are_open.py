"""Find the returns that are open."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables of 0019 to 0020."""
    _change_returns()


def _change_returns() -> None:
    with op.batch_alter_table("returns", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_returns_state"), ["state"], unique=False)
