"""Programs that print figures: a table for people, one JSON object with `--json`."""
