"""One fetch on its way through redirects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from digest.domain.errors import Refused
from digest.gather.urls import shown_url

MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where an answer sends on to, and whether it does for good."""

    url: str
    for_good: bool


@dataclass(slots=True)
class Trip:
    """One fetch on its way: the URLs asked so far, and how many seconds it may still take.

    `look_at` is how many bytes of any answer are wanted, None when the whole of a good one is.
    """

    urls: list[str]
    headers: Sequence[tuple[bytes, bytes]]
    seconds: float = 0.0
    is_for_good: bool = True
    look_at: int | None = None

    @property
    def is_conditional(self) -> bool:
        """Whether a 304 would answer what is asked."""
        return any(name.startswith(b"If-") for name, _ in self.headers)

    @property
    def moved_to(self) -> str | None:
        """Where it was sent for good, None when it was sent nowhere, or for now."""
        return self.urls[-1] if self.is_for_good and len(self.urls) > 1 else None

    @property
    def named(self) -> str:
        """How errors call it: what the caller asked for, and where that led."""
        first, asked = self.urls[0], self.urls[-1]
        return first if asked == first else f"{first} (redirected to {shown_url(asked)})"

    def go(self, url: str, *, for_good: bool) -> None:
        """Take a redirect. Raises `Refused` when it was taken before, or is one too many."""
        if url in self.urls:
            loop = " → ".join(map(shown_url, [*self.urls[self.urls.index(url) :], url]))
            raise Refused(f"{self.urls[0]} redirects in a circle: {loop}")
        if len(self.urls) > MAX_REDIRECTS:
            raise Refused(
                f"{self.urls[0]} redirects more than {MAX_REDIRECTS} times, last to {shown_url(url)}"
            )
        self.urls.append(url)
        self.is_for_good &= for_good
