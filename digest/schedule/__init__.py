"""When an issue is due: cron rules in a zone, claimed once."""
