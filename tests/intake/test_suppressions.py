"""The suppression list as CSV: hostile files change nothing, long ones need no memory."""

from __future__ import annotations

import io
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from digest.domain.errors import InvalidInput
from digest.domain.suppressions import Suppression, SuppressionReason
from digest.intake.suppressions import ImportedSuppressions, export_suppressions, import_suppressions
from digest.intake.tables import guarded, unguarded
from digest.store.database import open_engine, reading, writing
from digest.store.suppressions import every_suppression, suppress_all
from tests.stored import NOW


def bring(engine: Engine, folder: Path, content: str | bytes) -> ImportedSuppressions:
    file = folder / "never.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_suppressions(engine, file, by="ops", now=NOW)


def on_the_list(engine: Engine) -> list[Suppression]:
    with reading(engine) as session:
        return list(every_suppression(session))


def test_an_import_keeps_what_is_known_and_takes_one_mailbox_once(engine: Engine, tmp_path: Path) -> None:
    known = Suppression("ada@example.org", SuppressionReason.COMPLAINT, "spam!", NOW)
    with writing(engine) as session:
        suppress_all(session, [known])
    content = (
        "since,email,detail\n"
        "2025-03-01,Ben@Example.org,first\n"
        ",ben@example.org,second\n"
        "2999-01-01T00:00:00+02:00,cy@bücher.example,\n"
        ",ADA@example.org,\n"
    )
    assert bring(engine, tmp_path, content) == ImportedSuppressions(2, 2, ())
    march = datetime(2025, 3, 1, tzinfo=UTC)
    assert on_the_list(engine) == [
        known,
        Suppression("ben@example.org", SuppressionReason.IMPORTED, "first", march, by="ops"),
        Suppression("cy@xn--bcher-kva.example", SuppressionReason.IMPORTED, "", NOW, by="ops"),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "the file is empty"),
        ("email\n", "holds no address"),
        ("address\nada@example.org\n", "must name 'email'"),
        ("ada@example.org\n", "columns' names has to stand before"),
        ("email\nada@example.org\nnobody\n", "line 3: 'nobody' is not an e-mail address"),
        ("email,reason\nada@example.org,whim\n", "'whim' is no reason; there is: hard_bounce"),
        ("email,since\nada@example.org,yesterday\n", "'yesterday' is no moment"),
        ("email\nada@example.org,more\n", "2 fields where the first line names 1 column"),
        ("email,detail\nada@example.org,a\0b\n", "NUL"),
        ('email\n"ada@example.org\n', "not CSV"),
        (b"email,detail\nada@example.org,caf\xe9\n", "save it as UTF-8"),
        ("email,detail\nada@example.org," + "x" * 140_000 + "\n", "not CSV"),
        ("x" * 300_000, "not CSV"),
        ("email\n" + "x" * 300_000, "not CSV"),
        ("email\n" + "nobody\n" * 5_000, "… and 990 more lines"),
        ("email\nada@example.org\nbob@example.org\r\nBcc: x@example.org\n", "not an e-mail address"),
    ],
)
def test_a_file_that_is_wrong_anywhere_changes_nothing(
    engine: Engine, tmp_path: Path, content: str | bytes, words: str
) -> None:
    with pytest.raises(InvalidInput) as told:
        bring(engine, tmp_path, content)
    assert words in str(told.value)
    assert on_the_list(engine) == []


def test_a_file_that_is_not_there_is_named(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"gone\.csv cannot be read"):
        import_suppressions(engine, tmp_path / "gone.csv", by="ops", now=NOW)


@given(st.text())
def test_a_guarded_field_begins_no_formula_and_comes_back_as_it_was(field: str) -> None:
    assert not guarded(field).startswith(tuple("=+-@\t\r＝＋－＠"))
    assert unguarded(guarded(field)) == field


def test_what_a_spreadsheet_would_run_goes_out_as_text_and_comes_back(engine: Engine, tmp_path: Path) -> None:
    wanted = [
        Suppression("+ada@example.org", SuppressionReason.BY_HAND, "=HYPERLINK(1)", NOW, by="@cy"),
        Suppression("'=ben@example.org", SuppressionReason.HARD_BOUNCE, 'said: "no, it\'s; gone"', NOW),
        Suppression("-cy@example.org", SuppressionReason.HARD_BOUNCE, "＝1", NOW - timedelta(days=3)),
    ]
    with writing(engine) as session:
        suppress_all(session, wanted)
    before = on_the_list(engine)
    stream = io.StringIO()
    assert export_suppressions(engine, stream) == 3
    assert all(
        not field.startswith(("=", "+", "@")) for field in stream.getvalue().replace("\n", ",").split(",")
    )
    with writing(engine) as session:
        session.execute(text("DELETE FROM suppressions"))
    file = tmp_path / "out.csv"
    file.write_text(stream.getvalue(), "utf-8")
    import_suppressions(engine, file, by="", now=NOW)
    assert on_the_list(engine) == before


def test_a_long_list_takes_no_more_memory_than_a_page_of_it(sqlite_url: str, tmp_path: Path) -> None:
    engine = open_engine(sqlite_url)
    file = tmp_path / "long.csv"

    def peak(count: int) -> int:
        with file.open("w") as stream:
            stream.write("email\n")
            stream.writelines(f"reader{number}.{count}@example.org\n" for number in range(count))
        tracemalloc.start()
        assert import_suppressions(engine, file, by="ops", now=NOW).added == count
        with (tmp_path / f"{count}.csv").open("w") as out:
            export_suppressions(engine, out)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)
    of_a_page = peak(1_000)
    assert peak(3_000) < of_a_page * 1.3
    engine.dispose()
