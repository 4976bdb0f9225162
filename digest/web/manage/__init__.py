"""Where newsletters, their sources, topics and looks are kept."""

from digest.web.manage.routes import router

__all__ = ["router"]
