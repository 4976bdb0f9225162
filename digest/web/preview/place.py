"""Where the preview of an issue is: what its pages and its forms are put under."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from digest.domain.accounts import Right
from digest.web.access import needs

router = APIRouter(prefix="/issues/{issue_id}/preview", dependencies=[needs(Right.LOOK)])

# Larger numbers do not fit the column, and PostgreSQL would call them an error.
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
