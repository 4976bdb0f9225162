"""Which articles tell of one event, and which are one text."""
