"""What a run says fits into MLflow's tables: SQLite takes anything, other databases do not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from mlflow.store.tracking.dbmodels.models import SqlRun, SqlTag

from fitlab.errors import readable
from fitlab.records import Provenance
from fitlab.tracking.wanted import NAME, Wanted

ANYTHING = st.text(st.characters(exclude_categories=()))  # NUL and lone surrogates, too


@given(ANYTHING, st.integers(1, 10_000))
def test_tags_and_names_have_room_and_are_text(word: str, times: int) -> None:
    long = word * times
    tags = Wanted("fit", "k", "i", long, "FAILED", Provenance(0, 0.0, "", ""), {"fitlab.cause": long}).all_tags
    for text, column in ((tags["fitlab.cause"], SqlTag.value), (tags[NAME], SqlRun.name)):
        text.encode("utf-8")
        assert "\0" not in text
        assert len(text) <= column.type.length
        assert text == readable(long) or text[:-1] == readable(long)[: column.type.length - 1]


@given(ANYTHING)
def test_a_readable_text_is_itself_where_it_can_be(text: str) -> None:
    plain = text.encode("utf-8", "ignore").decode().replace("\0", "")
    assert readable(plain) == plain
    assert readable(readable(text)) == readable(text)
