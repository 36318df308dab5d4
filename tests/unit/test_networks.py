"""Which network a visitor comes from."""

import pytest

from opsbot.channels.networks import network_of


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2ff::1", "2001:db8:1:200::/56"),
        ("testclient", "testclient"),
    ],
)
def test_neighbours_share_a_network(host: str, network: str) -> None:
    assert network_of(host) == network
