"""Strangers' servers: fetched safely, politely and once."""
