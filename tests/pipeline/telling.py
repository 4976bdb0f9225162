"""A process that tells ops of failing sources and can be killed in the middle: DATABASE MAIL_URL OPS NOW."""

import sys
from datetime import datetime

from digest.pipeline.polling import tell_of_failing
from digest.runtime import Runtime
from digest.settings import Settings


def main(database_url: str, mail_url: str, ops_email: str, now: str) -> None:
    """Tell once."""
    settings = Settings(database_url=database_url, mail_url=mail_url, ops_email=ops_email)
    moment = datetime.fromisoformat(now)
    tell_of_failing(Runtime(settings, lambda: moment))


if __name__ == "__main__":
    main(*sys.argv[1:])
