"""Networks: what of an address tells customers of the net apart."""

from __future__ import annotations

import ipaddress


def tells_apart(address: str) -> bool:
    """Return whether an address tells whoever asks apart: a private one is a proxy's, or everybody's."""
    try:
        read = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = read.ipv4_mapped if read.version == 6 else None
    return (mapped or read).is_global


def customer_of(address: str) -> str:
    """Return an address, of version 6 the whole network of one customer: its last half they choose freely.

    What is no address stays as it is.
    """
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return address
    if read.version == 4:
        return str(read)
    mapped = read.ipv4_mapped
    return str(mapped or ipaddress.ip_network((int(read), 64), strict=False))
