"""Signing in and out, and everybody's own account."""

from digest.web.account.answers import add_answers
from digest.web.account.pages import router

__all__ = ["add_answers", "router"]
