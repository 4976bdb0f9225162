"""A process that sends the letters that are due and can be killed in the middle: DATABASE MAIL_URL NOW."""

import sys
from datetime import datetime

from digest.pipeline.letters import letters_due, post_letters
from digest.runtime import Runtime
from digest.settings import Settings


def main(database_url: str, mail_url: str, now: str) -> None:
    """Sweep and post once, as a worker does."""
    settings = Settings(
        database_url=database_url,
        mail_url=mail_url,
        secret_key="a key of thirty-two characters!!",  # type: ignore[arg-type]
    )
    moment = datetime.fromisoformat(now)
    runtime = Runtime(settings, lambda: moment)
    if letters_due(runtime):
        post_letters(runtime)


if __name__ == "__main__":
    main(*sys.argv[1:])
