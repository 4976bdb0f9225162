"""Celery: the app, the beat and tasks that hand ids to the stages."""
