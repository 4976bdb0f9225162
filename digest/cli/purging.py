"""`digest purge`: what is over its term goes now, or is only told."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from digest.cli.lazy import examples, new_app
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, say, show_json, show_table
from digest.domain.counting import counted

app = new_app()


@app.command(epilog=examples("digest purge --dry-run", "digest purge"))
def purge(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much would go.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove what is kept for a term and is over it. A worker does so once a day by itself."""
    from digest.pipeline import purging

    runtime = open_runtime()
    found = purging.look(runtime)
    if not dry_run:
        removed = purging.purge(runtime, seconds=math.inf, again=True)
        if as_json:
            show_json({one.kind.name: removed.get(one.kind.name, 0) for one in found})
        else:
            say(
                f"Removed {counted(sum(removed.values()), 'row')} that were over their term."
                if removed
                else "Nothing was over its term."
            )
        return
    if as_json:
        show_json({one.kind.name: one.count for one in found})
        return
    show_table(
        ("what", "kept", "would go"),
        [
            (one.kind.what, one.kind.term_in_words(runtime), "-" if one.count is None else f"{one.count:,}")
            for one in found
        ],
        empty="",
    )
    say("Nothing was changed. docs/retention.md says what of a person each table holds.")
