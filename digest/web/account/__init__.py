"""Signing in and out, everybody's own account, and everybody's accounts for admins."""

from fastapi import APIRouter

from digest.web.account import door, forgotten, manage, own, phone, tokens
from digest.web.account.answers import add_answers

router = APIRouter()
for part in (door, forgotten, own, phone, tokens, manage):
    router.include_router(part.router)

__all__ = ["add_answers", "router"]
