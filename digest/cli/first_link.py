"""How the first admin comes in: by a link that is printed while there is no account."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from digest.cli.output import warn
from digest.runtime import Runtime


def tell_first_link(runtime: Runtime, address: str) -> None:
    """Print a link to pages that are served at `address`, while nobody can sign in. Earlier links end."""
    from digest.admit.entering import FIRST_WITHIN, make_first_link

    token = make_first_link(runtime.engine, now=runtime.clock())
    if token is None:
        return
    public = runtime.settings.public_url
    # A public address on this machine is the default, whichever port was chosen just now.
    base = address if urlsplit(public).hostname in ("127.0.0.1", "localhost") else public
    hours = FIRST_WITHIN // timedelta(hours=1)
    warn(f"Nobody can sign in yet. Make yourself the admin, once, within {hours} hours:")
    warn(f"  {base.rstrip('/')}/enter/{token}")
