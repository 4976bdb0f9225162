"""An issue as its readers get it: looked at, approved, and shown to others."""

from digest.web.preview import forms, pages, shared
from digest.web.preview.place import router

shown = shared.router
"""What people without an account reach."""

__all__ = ["forms", "pages", "router", "shown"]
