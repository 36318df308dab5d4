"""The shop of the tests about tools."""

from tests.shop_fixtures import filled_template, policies, shop, tools

__all__ = ["filled_template", "policies", "shop", "tools"]
