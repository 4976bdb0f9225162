"""DKIM signatures (RFC 6376, 8463): the keys, and the headers they make."""
