"""Who we are to receivers: what DNS says of our senders, their keys, addresses and return paths."""

from digest.doctor.identity.look import look_at_senders

__all__ = ["look_at_senders"]
