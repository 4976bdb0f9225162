"""What a template's values become in HTML."""

from __future__ import annotations

from digest.domain.mail import escape_html


class Safe(str):
    """Text that is fit for HTML already."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


def escaped(value: object) -> object:
    """Escape a value as a page's tokens are escaped, so that preview and mail agree."""
    return value if hasattr(value, "__html__") else Safe(escape_html(str(value)))
