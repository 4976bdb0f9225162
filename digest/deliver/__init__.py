"""Deliveries to mail: claim, arm, send, settle. Nothing twice, nothing lost silently."""
