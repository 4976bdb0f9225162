"""Every error Digest raises on purpose. The type selects what the caller does.

```
DigestError            says what, where and what next, in words a person can act on
├── InvalidInput       what was given is wrong: correct it and try again
│   ├── NotFound       no such newsletter, source, topic, subscriber, issue
│   └── Conflict       it is there already, or not in a state that allows this
├── Misconfigured      settings or templates: nothing was started
├── Refused            the other side said no for good: never retry
├── Unavailable        nothing was accepted: retry later
└── Ambiguous          the other side may have accepted: hold, never resend unasked
```
"""


class DigestError(Exception):
    """A problem in words: what is wrong, where, and what to do next."""


class InvalidInput(DigestError):
    """What a person or a file gave is wrong; nothing was changed."""


class NotFound(InvalidInput):
    """A name that is not in the database."""


class Conflict(InvalidInput):
    """The thing exists already, or is in a state that does not allow the change."""


class Misconfigured(DigestError):
    """A setting or a template is wrong; nothing was started."""


class Refused(DigestError):
    """The other side said no for good: never retry."""


class Unavailable(DigestError):
    """Nothing was accepted on the other side: safe to try again later."""


class Ambiguous(DigestError):
    """The other side may have accepted: hold until there is evidence."""
