"""Draft answers to cases, split orders, plan parts lists."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables of 0013 to 0014."""
    _change_boms()
    _change_drafts()
    _change_order_lines()


def _change_boms() -> None:
    with op.batch_alter_table("boms", schema=None) as batch_op:
        batch_op.add_column(sa.Column("effective_at", sa.DateTime(timezone=True), nullable=True))


def _change_drafts() -> None:
    with op.batch_alter_table("drafts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("case_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("recipient", sa.String(), nullable=True))
        batch_op.alter_column("mail_id", existing_type=sa.INTEGER(), nullable=True)
        batch_op.create_index(batch_op.f("ix_drafts_case_id"), ["case_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_drafts_case_id_cases"), "cases", ["case_id"], ["id"]
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_drafts_one_matter"), "(mail_id IS NULL) <> (case_id IS NULL)"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_drafts_case_has_recipient"), "case_id IS NULL OR recipient IS NOT NULL"
        )


def _change_order_lines() -> None:
    with op.batch_alter_table("order_lines", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("held_back", sa.Integer(), server_default="0", nullable=False)
        )
