"""An issue as its readers get it: looked at by editors, and by those they show it to."""

from digest.web.preview.pages import router

__all__ = ["router"]
