"""Add what the shop makes and buys by."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables of 0007 to 0008."""
    _change_boms()
    _change_supplier_items()
    _change_work_centers()
    _change_bom_lines()
    _change_capacity_exceptions()
    _change_routing_ops()
    _change_lots()
    _change_work_order_ops()
    _change_receipts()
    _change_inspections()
    _change_items()
    _change_purchase_order_lines()
    _change_purchase_orders()
    _change_reservations()
    _change_stock_moves()
    _change_stock_policies()
    _change_suppliers()
    _change_work_orders()


def _change_boms() -> None:
    op.create_table(
        "boms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sku"], ["items.sku"], name=op.f("fk_boms_sku_items")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_boms")),
        sa.UniqueConstraint("sku", "revision", name=op.f("uq_boms_sku_revision")),
    )
    op.create_index(op.f("ix_boms_sku"), "boms", ["sku"], unique=False)
    op.create_index(
        "uq_boms_active",
        "boms",
        ["sku"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )


def _change_supplier_items() -> None:
    op.create_table(
        "supplier_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("supplier_id", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("supplier_sku", sa.String(), nullable=True),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("price_per", sa.Integer(), nullable=False),
        sa.Column("breaks", sa.JSON(), nullable=False),
        sa.Column("minimum", sa.Integer(), nullable=False),
        sa.Column("pack_multiple", sa.Integer(), nullable=False),
        sa.Column("lead_days", sa.Integer(), nullable=False),
        sa.Column("preferred", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "minimum >= 0 AND pack_multiple > 0", name=op.f("ck_supplier_items_packs_positive")
        ),
        sa.CheckConstraint(
            "price_minor > 0 AND price_per > 0", name=op.f("ck_supplier_items_price_positive")
        ),
        sa.ForeignKeyConstraint(["sku"], ["items.sku"], name=op.f("fk_supplier_items_sku_items")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_supplier_items_supplier_id_suppliers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier_items")),
        sa.UniqueConstraint("supplier_id", "sku", name=op.f("uq_supplier_items_supplier_id_sku")),
    )
    op.create_index(op.f("ix_supplier_items_sku"), "supplier_items", ["sku"], unique=False)
    op.create_index(
        "uq_supplier_items_preferred",
        "supplier_items",
        ["sku"],
        unique=True,
        sqlite_where=sa.text("preferred"),
        postgresql_where=sa.text("preferred"),
    )


def _change_work_centers() -> None:
    op.create_table(
        "work_centers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("supplier_id", sa.Integer(), nullable=True),
        sa.Column("weekdays", sa.String(), nullable=False),
        sa.Column("minutes_per_day", sa.Integer(), nullable=False),
        sa.Column("efficiency_pct", sa.Integer(), nullable=False),
        sa.Column("cost_minor_per_hour", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_work_centers_supplier_id_suppliers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_centers")),
        sa.UniqueConstraint("code", name=op.f("uq_work_centers_code")),
    )


def _change_bom_lines() -> None:
    op.create_table(
        "bom_lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bom_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("component", sa.String(), nullable=False),
        sa.Column("quantity_e4", sa.Integer(), nullable=False),
        sa.Column("scrap_permille", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity_e4 > 0", name=op.f("ck_bom_lines_quantity_positive")),
        sa.CheckConstraint(
            "scrap_permille >= 0 AND scrap_permille < 1000", name=op.f("ck_bom_lines_scrap_share")
        ),
        sa.ForeignKeyConstraint(["bom_id"], ["boms.id"], name=op.f("fk_bom_lines_bom_id_boms")),
        sa.ForeignKeyConstraint(
            ["component"], ["items.sku"], name=op.f("fk_bom_lines_component_items")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bom_lines")),
        sa.UniqueConstraint("bom_id", "component", name=op.f("uq_bom_lines_bom_id_component")),
    )
    op.create_index(op.f("ix_bom_lines_bom_id"), "bom_lines", ["bom_id"], unique=False)
    op.create_index(op.f("ix_bom_lines_component"), "bom_lines", ["component"], unique=False)


def _change_capacity_exceptions() -> None:
    op.create_table(
        "capacity_exceptions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("work_center_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["work_center_id"],
            ["work_centers.id"],
            name=op.f("fk_capacity_exceptions_work_center_id_work_centers"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capacity_exceptions")),
    )
    op.create_index(
        "ix_capacity_exceptions_center_day",
        "capacity_exceptions",
        ["work_center_id", "day"],
        unique=False,
    )


def _change_routing_ops() -> None:
    op.create_table(
        "routing_ops",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bom_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("work_center_id", sa.Integer(), nullable=False),
        sa.Column("setup_minutes", sa.Integer(), nullable=False),
        sa.Column("run_seconds", sa.Integer(), nullable=False),
        sa.Column("queue_days", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["bom_id"], ["boms.id"], name=op.f("fk_routing_ops_bom_id_boms")),
        sa.ForeignKeyConstraint(
            ["work_center_id"],
            ["work_centers.id"],
            name=op.f("fk_routing_ops_work_center_id_work_centers"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_ops")),
        sa.UniqueConstraint("bom_id", "seq", name=op.f("uq_routing_ops_bom_id_seq")),
    )
    op.create_index(
        op.f("ix_routing_ops_work_center_id"), "routing_ops", ["work_center_id"], unique=False
    )


def _change_lots() -> None:
    op.create_table(
        "lots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("supplier_id", sa.Integer(), nullable=True),
        sa.Column("supplier_lot", sa.String(), nullable=True),
        sa.Column("work_order_id", sa.Integer(), nullable=True),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["sku"], ["items.sku"], name=op.f("fk_lots_sku_items")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["suppliers.id"], name=op.f("fk_lots_supplier_id_suppliers")
        ),
        sa.ForeignKeyConstraint(
            ["work_order_id"], ["work_orders.id"], name=op.f("fk_lots_work_order_id_work_orders")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lots")),
        sa.UniqueConstraint("number", name=op.f("uq_lots_number")),
    )
    op.create_index(op.f("ix_lots_sku"), "lots", ["sku"], unique=False)
    op.create_index(op.f("ix_lots_work_order_id"), "lots", ["work_order_id"], unique=False)


def _change_work_order_ops() -> None:
    op.create_table(
        "work_order_ops",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("work_order_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("work_center_id", sa.Integer(), nullable=False),
        sa.Column("planned_minutes", sa.Integer(), nullable=False),
        sa.Column("actual_minutes", sa.Integer(), nullable=True),
        sa.Column("good", sa.Integer(), nullable=False),
        sa.Column("scrap", sa.Integer(), nullable=False),
        sa.Column("scrap_reason", sa.String(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "good >= 0 AND scrap >= 0", name=op.f("ck_work_order_ops_counts_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["work_center_id"],
            ["work_centers.id"],
            name=op.f("fk_work_order_ops_work_center_id_work_centers"),
        ),
        sa.ForeignKeyConstraint(
            ["work_order_id"],
            ["work_orders.id"],
            name=op.f("fk_work_order_ops_work_order_id_work_orders"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_order_ops")),
        sa.UniqueConstraint(
            "work_order_id", "seq", name=op.f("uq_work_order_ops_work_order_id_seq")
        ),
    )
    op.create_index(
        op.f("ix_work_order_ops_work_center_id"), "work_order_ops", ["work_center_id"], unique=False
    )


def _change_receipts() -> None:
    op.create_table(
        "receipts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("purchase_order_line_id", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.CheckConstraint("received > 0", name=op.f("ck_receipts_received_positive")),
        sa.CheckConstraint(
            "rejected >= 0 AND rejected <= received",
            name=op.f("ck_receipts_rejected_within_received"),
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_receipts_lot_id_lots")),
        sa.ForeignKeyConstraint(
            ["purchase_order_line_id"],
            ["purchase_order_lines.id"],
            name=op.f("fk_receipts_purchase_order_line_id_purchase_order_lines"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
    )
    op.create_index(
        op.f("ix_receipts_purchase_order_line_id"),
        "receipts",
        ["purchase_order_line_id"],
        unique=False,
    )


def _change_inspections() -> None:
    with op.batch_alter_table("inspections", schema=None) as batch_op:
        batch_op.add_column(sa.Column("lot_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("minor_accept_up_to", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("disposition", sa.String(length=40), nullable=True))
        batch_op.add_column(
            sa.Column("actor", sa.String(), nullable=False, server_default="system")
        )
        batch_op.create_index(batch_op.f("ix_inspections_lot_id"), ["lot_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_inspections_lot_id_lots"), "lots", ["lot_id"], ["id"]
        )


def _change_items() -> None:
    with op.batch_alter_table("items", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("purchasable", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(
            sa.Column("component", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(
            sa.Column("lot_tracked", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(
            sa.Column("serial_tracked", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(
            sa.Column("stock_unit", sa.String(length=40), nullable=False, server_default="each")
        )
        batch_op.add_column(sa.Column("cost_per", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("barcode", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("length_mm", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("width_mm", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("height_mm", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("fragile", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(sa.Column("hs_code", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("origin_country", sa.String(), nullable=True))
    op.execute("UPDATE items SET purchasable = NOT manufactured WHERE sellable")


def _change_purchase_order_lines() -> None:
    with op.batch_alter_table("purchase_order_lines", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("price_per", sa.Integer(), nullable=False, server_default="1")
        )


def _change_purchase_orders() -> None:
    with op.batch_alter_table("purchase_orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("location_id", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("on_hold", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(sa.Column("approved_by", sa.String(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_purchase_orders_location_id_locations"),
            "locations",
            ["location_id"],
            ["id"],
        )


def _change_reservations() -> None:
    with op.batch_alter_table("reservations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("work_order_id", sa.Integer(), nullable=True))
        batch_op.alter_column("order_line_id", existing_type=sa.INTEGER(), nullable=True)
        batch_op.create_check_constraint(
            batch_op.f("ck_reservations_one_holder"),
            "(order_line_id IS NULL) <> (work_order_id IS NULL)",
        )
        batch_op.create_index(
            batch_op.f("ix_reservations_work_order_id"), ["work_order_id"], unique=False
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_reservations_work_order_id_work_orders"),
            "work_orders",
            ["work_order_id"],
            ["id"],
        )


def _change_stock_moves() -> None:
    with op.batch_alter_table("stock_moves", schema=None) as batch_op:
        batch_op.add_column(sa.Column("lot_id", sa.Integer(), nullable=True))
        batch_op.create_index(
            "ix_stock_moves_lot_id",
            ["lot_id", "location_id"],
            unique=False,
            sqlite_where=sa.text("lot_id IS NOT NULL"),
            postgresql_where=sa.text("lot_id IS NOT NULL"),
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_stock_moves_lot_id_lots"), "lots", ["lot_id"], ["id"]
        )


def _change_stock_policies() -> None:
    with op.batch_alter_table("stock_policies", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("method", sa.String(), nullable=False, server_default="min_max")
        )
        batch_op.add_column(
            sa.Column("service_level_pct", sa.Integer(), nullable=False, server_default="95")
        )
        batch_op.add_column(
            sa.Column("review_days", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.add_column(
            sa.Column("source", sa.String(length=40), nullable=False, server_default="computed")
        )
        batch_op.add_column(sa.Column("computed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_check_constraint(
            batch_op.f("ck_stock_policies_not_negative"),
            "reorder_point >= 0 AND safety_stock >= 0",
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_stock_policies_up_to_above_point"), "order_up_to >= reorder_point"
        )
        batch_op.add_column(sa.Column("suggested", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))


def _change_suppliers() -> None:
    with op.batch_alter_table("suppliers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("incoterm", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("email", sa.String(), nullable=True))


def _change_work_orders() -> None:
    with op.batch_alter_table("work_orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("bom_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("planned_start", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_work_orders_bom_id_boms"), "boms", ["bom_id"], ["id"]
        )
