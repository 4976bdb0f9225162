"""Every error Digest raises on purpose. The type selects what the caller does.

```
DigestError            says what, where and what next, in words a person can act on
├── InvalidInput       what was given is wrong: correct it and try again
│   ├── NotFound       no such newsletter, source, topic, subscriber, issue
│   ├── Unfit          some of several values, each told by itself
│   └── Conflict       it is there already, or not in a state that allows this
│       ├── Overtaken  somebody else changed it at the same moment
│       └── TooOften   the same was asked for too often: it says when again
├── Misconfigured      settings or templates: nothing was started
├── Refused            the other side said no for good: never retry
│   ├── Gone           what was asked for existed and was taken away for good
│   └── Disallowed     its robots.txt keeps us out, which says nothing about what is there
├── Unavailable        nothing was accepted: retry later
│   ├── NoSuchHost     no name server knows the host
│   └── DiskFull       a disk has no room left: everything waits until it has
└── Ambiguous          the other side may have accepted: hold, never resend unasked
```
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta


class DigestError(Exception):
    """A problem in words: what is wrong, where, and what to do next."""


class InvalidInput(DigestError):
    """What a person or a file gave is wrong; nothing was changed."""


class NotFound(InvalidInput):
    """A name that is not in the database."""


class Unfit(InvalidInput):
    """Some of the values given are wrong. `problems` says of each, by the field's own name, what."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


class Conflict(InvalidInput):
    """The thing exists already, or is in a state that does not allow the change."""


class Overtaken(Conflict):
    """Somebody else changed the same thing at the same moment. Nothing was stored: trying again may help."""


class TooOften(Conflict):
    """Somebody asked for the same too often. Nothing was done: after `wait` it may be asked for again."""

    def __init__(self, message: str, wait: timedelta) -> None:
        super().__init__(message)
        self.wait = wait


class Misconfigured(DigestError):
    """A setting or a template is wrong; nothing was started."""


class Refused(DigestError):
    """The other side said no for good: never retry."""


class Gone(Refused):
    """It was there and was taken away for good (HTTP 410): stop asking."""


class Disallowed(Refused):
    """A site's robots.txt does not let us ask: what it would have answered nobody knows."""


class Unavailable(DigestError):
    """Nothing was accepted on the other side: safe to try again later.

    `retry_after` is how long the other side asks to be left alone, None when it does not say.
    """

    def __init__(self, *args: object, retry_after: timedelta | None = None) -> None:
        super().__init__(*args)
        self.retry_after = retry_after


class NoSuchHost(Unavailable):
    """The name of a host has no address. It may get one: names come and go."""


class DiskFull(Unavailable):
    """A disk has no room left, the database's or the one mail is kept on. Its words name it."""


class Ambiguous(DigestError):
    """The other side may have accepted: hold until there is evidence."""
