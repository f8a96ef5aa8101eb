"""Addresses of the network."""

from __future__ import annotations

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether a numeric address reaches this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
