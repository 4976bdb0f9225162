"""The draft of an issue, shaped by editors: what it holds, in which order and in which words."""

from digest.web.draft.pages import router

__all__ = ["router"]
