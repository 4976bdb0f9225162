"""Serve the sample newsroom until Ctrl-C: `python -m digest.demo.newsroom --port 8099`."""

from __future__ import annotations

import argparse
import signal
import sys
from datetime import UTC, datetime
from threading import Event

from digest.demo.newsroom.server import Newsroom
from digest.domain.errors import InvalidInput
from digest.domain.times import zone


def main() -> int:
    """Print the sources, serve them, and return 0 after Ctrl-C or SIGTERM, 2 when that is not possible."""
    arguments = _arguments()
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        tz = zone(arguments.zone)
        newsroom = Newsroom.start(now=datetime.now(UTC), zone=tz, port=arguments.port)
    except InvalidInput as exc:
        return _refuse(f"--zone: {exc}")
    except (OSError, OverflowError) as exc:
        return _refuse(f"port {arguments.port} cannot be served: {exc}. Choose another with --port")
    with newsroom:
        for source in newsroom.sources:
            print(f"{source.kind:<5} {source.url:<45} {source.name}", flush=True)  # noqa: T201
        stop.wait()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m digest.demo.newsroom", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="default: any free port")
    parser.add_argument("--zone", default="UTC", help="the zone of its articles' times (default: UTC)")
    return parser.parse_args()


def _refuse(problem: str) -> int:
    print(problem, file=sys.stderr)  # noqa: T201
    return 2


if __name__ == "__main__":
    sys.exit(main())
