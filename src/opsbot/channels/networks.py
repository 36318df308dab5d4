"""Which network a request came from: its own address says too much about a person."""

from ipaddress import ip_address, ip_network

_IPV4 = 4


def network_of(host: str) -> str:
    """Return the network an address belongs to: /24 of IPv4, /56 of IPv6; else the text itself."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(ip_network((address, 24 if address.version == _IPV4 else 56), strict=False))
