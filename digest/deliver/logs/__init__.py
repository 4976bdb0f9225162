"""Logs of mail servers, read as evidence of what they took and what they could not deliver."""
