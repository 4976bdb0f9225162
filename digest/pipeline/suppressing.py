"""The list of addresses never mailed, as people change it: by hand or by a list, always recorded."""

from __future__ import annotations

from pathlib import Path

from digest.domain.counting import counted
from digest.domain.errors import Conflict, InvalidInput
from digest.domain.suppressions import Removal, Suppression, SuppressionReason
from digest.intake.addresses import parse_address
from digest.intake.lists.files import ListFile, text_file
from digest.intake.suppressions import ImportedSuppressions, import_suppressions
from digest.runtime import Runtime
from digest.store.audit import record
from digest.store.database import writing
from digest.store.erasures import is_erased
from digest.store.reader_locks import hold_marks
from digest.store.suppressions import find_suppression, remove_suppression, suppress

WHY_MAX = 2_000


def suppress_by_hand(runtime: Runtime, email: str, *, why: str, by: str) -> tuple[Suppression, bool]:
    """Never mail an address again; return how it stands on the list, and whether it is new there.

    One that was there stays as it is. Raises `InvalidInput` for what is no address, or no reason, and
    `Conflict` for who was erased.
    """
    address, reason, now = parse_address(email), _reason(why), runtime.clock()
    with writing(runtime.engine) as session:
        hold_marks(session)
        if is_erased(session, runtime.erasure_keys, address):
            raise Conflict(
                f"{address} was erased: it is not mailed as it is, and the list would keep its address. "
                "Nothing was changed"
            )
        is_new = suppress(session, address, reason=SuppressionReason.BY_HAND, detail=reason, now=now, by=by)
        if is_new:
            record(session, by=by, what="suppression.added", about=address, now=now, detail=reason)
        found = find_suppression(session, address)
    assert found is not None
    return found, is_new


def let_be_mailed(runtime: Runtime, email: str, *, why: str, by: str) -> Removal:
    """Let an address be mailed again. Raises `NotFound`, and `InvalidInput` without a reason."""
    reason, now = _reason(why), runtime.clock()
    with writing(runtime.engine) as session:
        removal = remove_suppression(session, email.strip(), by=by, why=reason, now=now)
        about = removal.suppression.email
        record(session, by=by, what="suppression.removed", about=about, now=now, detail=reason)
    return removal


def suppress_listed(runtime: Runtime, text: str, *, by: str) -> ImportedSuppressions:
    """Put the addresses of a list on ours: CSV as `import_suppressions` reads it, or an address a line.

    Raises `InvalidInput` with every wrong line, up to ten: then none was.
    """
    return suppress_file(runtime, text_file("list", _with_header(text)), by=by)


def suppress_file(runtime: Runtime, file: Path | ListFile, *, by: str) -> ImportedSuppressions:
    """Put the addresses of a CSV file on the list, however long it is, as `import_suppressions` does."""
    marked = runtime.erasure_keys
    done = import_suppressions(runtime.engine, file, by=by, now=runtime.clock(), marked=marked)
    if done.added:
        with writing(runtime.engine) as session:
            about = counted(done.added, "address", "addresses")
            record(session, by=by, what="suppression.imported", about=about, now=runtime.clock())
    return done


def _with_header(text: str) -> str:
    """Return the list with its columns named: a bare list of addresses needs no heading."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return f"email\n{text}" if "@" in first else text


def _reason(text: str) -> str:
    why = " ".join(text.split())
    if not why:
        raise InvalidInput("say why, for those who look later; nothing was changed")
    if len(why) > WHY_MAX:
        raise InvalidInput(f"a reason has {WHY_MAX:,} characters at most; nothing was changed")
    return why
