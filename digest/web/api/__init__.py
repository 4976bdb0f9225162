"""The API at `/api/v1`: what the pages show and do, for programs."""

from digest.web.api.application import make_api
from digest.web.api.shapes import PATH

__all__ = ["PATH", "make_api"]
