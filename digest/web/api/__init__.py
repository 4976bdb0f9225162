"""The API at `/api/v1`: what the pages show and do, for programs."""

from digest.web.api.application import PATH, make_api

__all__ = ["PATH", "make_api"]
