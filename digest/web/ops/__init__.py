"""The ops room: what is due, what runs, what is being sent, and what needs a person."""

from digest.web.ops.routes import router

__all__ = ["router"]
