"""Deliveries of shop systems and carriers, as they come."""

import json
from typing import Any

from tests.integration.connectors.conftest import LAMP, MUG

ADDRESS = {
    "name": "Ada Brandt",
    "address1": "Torstraße 12",
    "address2": "",
    "city": "Berlin",
    "province": None,
    "zip": "10119",
    "country_code": "DE",
}


def line(key: int, sku: str, price: str, quantity: int = 1) -> dict[str, Any]:
    """Return a line of a Shopify order."""
    title = "Kiln mug, moss" if sku == MUG else "Ember bedside lamp, sage"
    return {"id": key, "sku": sku, "name": title, "price": price, "quantity": quantity}


def shopify_order(**changes: Any) -> dict[str, Any]:
    """Return a paid Shopify order of two mugs and a lamp."""
    return {
        "id": 880001,
        "name": "#5001",
        "email": "ada@example.com",
        "currency": "EUR",
        "created_at": "2026-11-18T10:00:00+01:00",
        "updated_at": "2026-11-18T10:00:05+01:00",
        "processed_at": "2026-11-18T10:00:01+01:00",
        "financial_status": "paid",
        "subtotal_price": "127.00",
        "total_price": "131.90",
        "total_tax": "21.06",
        "taxes_included": True,
        "line_items": [line(1, MUG, "24.00", 2), line(2, LAMP, "79.00")],
        "shipping_lines": [{"price": "4.90"}],
        "shipping_address": ADDRESS,
        "customer": {"id": 42},
        "fulfillments": [],
        "refunds": [],
        "cancelled_at": None,
    } | changes


def fulfillment(*lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a Shopify fulfilment; of the whole order unless lines are given."""
    return {
        "id": 990001,
        "order_id": 880001,
        "status": "success",
        "created_at": "2026-11-19T09:00:00+01:00",
        "updated_at": "2026-11-19T09:00:00+01:00",
        "tracking_company": "DHL",
        "tracking_number": "00340434161094000042",
        "tracking_url": "https://dhl.example/00340434161094000042",
        "line_items": list(lines) or shopify_order()["line_items"],
    } | changes


def refund(restock: str, units: int, amount: str, **changes: Any) -> dict[str, Any]:
    """Return a Shopify refund of mugs."""
    mugs = {
        "line_item_id": 1,
        "quantity": units,
        "restock_type": restock,
        "line_item": line(1, MUG, "24.00", 2),
    }
    return {
        "id": 770001,
        "order_id": 880001,
        "created_at": "2026-11-20T09:00:00+01:00",
        "refund_line_items": [mugs],
        "transactions": [{"kind": "refund", "status": "success", "amount": amount}],
    } | changes


def asked(
    key: int = 660001, *, mugs: int = 2, lamps: int = 0, order: int = 880001, **changes: Any
) -> dict[str, Any]:
    """Return what Shopify tells of a return that was asked for, or let go ahead."""
    wanted = [(1, mugs, "unwanted"), (2, lamps, "defective")]
    return {
        "id": key,
        "admin_graphql_api_id": f"gid://shopify/Return/{key}",
        "status": "requested",
        "name": "#5001-R1",
        "order": {"id": order, "admin_graphql_api_id": f"gid://shopify/Order/{order}"},
        "total_return_line_items": len([units for _, units, _ in wanted if units]),
        "return_line_items": [
            {
                "id": key * 10 + line,
                "admin_graphql_api_id": f"gid://shopify/ReturnLineItem/{key * 10 + line}",
                "fulfillment_line_item": {"id": 5, "line_item": {"id": line}},
                "quantity": units,
                "return_reason": reason,
                "return_reason_note": "",
                "customer_note": None,
            }
            for line, units, reason in wanted
            if units
        ],
    } | changes


def ended(status: str, key: int = 660001, *, order: int = 880001, **more: Any) -> dict[str, Any]:
    """Return what Shopify tells of a return that goes on, or has ended: no lines."""
    gid = f"gid://shopify/Return/{key}"
    return {"id": key, "admin_graphql_api_id": gid, "status": status, "order": {"id": order}} | more


def processed(key: int = 660001, *, order: int = 880001, **changes: Any) -> dict[str, Any]:
    """Return what Shopify tells of a return that the shop has dealt with."""
    line, exchange = {"id": key * 10 + 1}, {"id": key * 10 + 5}
    return {
        "id": key,
        "admin_graphql_api_id": f"gid://shopify/Return/{key}",
        "order_id": order,
        "admin_graphql_api_order_id": f"gid://shopify/Order/{order}",
        "status": "open",
        "return_line_items": [line | {"quantity": 2, "processed_quantity": 2}],
        "exchange_line_items": [exchange | {"quantity": 1, "processed_quantity": 1}],
    } | changes


def taken_out(units: int, key: int = 660001, *, line: int = 1) -> dict[str, Any]:
    """Return what Shopify tells of a return from which units were taken out."""
    gone = {"admin_graphql_api_id": f"gid://shopify/ReturnLineItem/{key * 10 + line}"}
    return {
        "admin_graphql_api_id": f"gid://shopify/Return/{key}",
        "return_line_items": {"removals": [gone | {"delta": units}]},
        "restocking_fees": {"updates": [], "removals": []},
    }


def woo_order(**changes: Any) -> dict[str, Any]:
    """Return a paid WooCommerce order of three mugs with a coupon, before tax."""
    mugs = {
        "name": "Kiln mug, moss",
        "sku": MUG,
        "quantity": 3,
        "subtotal": "60.50",
        "total": "54.45",
        "total_tax": "10.35",
    }
    address = {
        "first_name": "Ada",
        "last_name": "Brandt",
        "address_1": "Torstraße 12",
        "city": "Berlin",
        "postcode": "10119",
        "country": "DE",
        "email": "ada@example.com",
    }
    return {
        "id": 311,
        "number": "311",
        "status": "processing",
        "currency": "EUR",
        "date_created_gmt": "2026-11-18T09:00:00",
        "date_modified_gmt": "2026-11-18T09:01:00",
        "date_paid_gmt": "2026-11-18T09:00:30",
        "date_completed_gmt": None,
        "line_items": [mugs],
        "fee_lines": [{"total": "1.00", "total_tax": "0.19"}],
        "shipping_total": "4.12",
        "shipping_tax": "0.78",
        "total_tax": "11.32",
        "total": "70.89",
        "payment_method": "paypal",
        "billing": address,
        "shipping": address,
        "refunds": [],
    } | changes


def easypost(number: str, *scans: tuple[str, str], status: str = "in_transit") -> dict[str, Any]:
    """Return an EasyPost event with scans of a status and a time each."""
    return {
        "id": f"evt_{number}_{len(scans)}_{status}",
        "description": "tracker.updated",
        "result": {
            "tracking_code": number,
            "status": status,
            "updated_at": "2026-11-22T12:00:00Z",
            "tracking_details": [
                {"status": word, "message": word.upper(), "datetime": at, "tracking_location": {}}
                for word, at in scans
            ],
        },
    }


def encode(data: dict[str, Any]) -> bytes:
    """Return the bytes of a delivery."""
    return json.dumps(data).encode()
