"""Three sentences of what was claimed, by whom and what came out: nothing that failed is passed over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fitlab.claims import Checked, State
from fitlab.expectations import each_claim, in_three_sentences
from fitlab.expectations.words import LONGEST


def one(claim: str, source: str = "", state: State = State.PASSED, why: str = "", where: str = "alpha 1") -> Checked:
    return Checked(claim, source, "loss/val", where, "0.5", "0.52", "± 0.1", state, why)


def test_one_claim_that_holds() -> None:
    found = [one("It is small.", "Somebody 2020")]
    assert in_three_sentences(found) == (
        "**Claimed**: “It is small”. **By** Somebody 2020. "
        "**Came out**: it holds; loss/val, alpha 1: expected 0.5 ± 0.1, got 0.52."
    )
    assert each_claim(found) == (
        "- **passed**: It is small. (Somebody 2020) loss/val, alpha 1: expected 0.5 ± 0.1, got 0.52."
    )


def test_what_failed_and_what_is_open_is_named_with_its_reason() -> None:
    found = [
        one("Right.", "A 1990"),
        one("Wrong.", "B 1991", State.FAILED),
        one("Lost.", "", State.NOT_EVALUATED, "the\nFit is gone"),
    ]
    said = in_three_sentences(found)
    assert (
        "**Claimed**: “Right”, “Wrong” and “Lost”. **By** A 1990 and B 1991; 1 of 3 by this experiment alone." in said
    )
    assert said.endswith(
        "**Came out**: 1 of 3 hold; failed: “Wrong” (loss/val, alpha 1: expected 0.5 ± 0.1, got 0.52); "
        "not evaluated: “Lost” (loss/val, alpha 1: the Fit is gone)."
    )


def test_a_claim_about_several_configs_is_one_claim_and_fails_with_the_worst_of_them() -> None:
    found = [one("So.", where="alpha 1"), one("So.", where="alpha 2", state=State.FAILED), one("So.", where="alpha 3")]
    assert "it does not hold; failed: “So” (loss/val, alpha 2:" in in_three_sentences(found)
    head, *lines = each_claim(found).splitlines()
    assert head == "- **failed**: So."
    assert [line.split(":")[0] for line in lines] == [f"    - loss/val, alpha {i}" for i in (1, 2, 3)]


def test_where_nothing_is_claimed_nothing_is_said() -> None:
    assert (in_three_sentences([]), each_claim([])) == ("", "")


claims = st.builds(one, st.text(min_size=1, max_size=500), st.text(max_size=200), st.sampled_from(State))


@given(found=st.lists(claims, min_size=1, max_size=20, unique_by=lambda one: (one.claim, one.source)))
def test_it_is_short_one_line_and_counts_every_claim(found: list[Checked]) -> None:
    said = in_three_sentences(found)
    assert len(said.splitlines()) == 1
    assert len(said) < 4 * (LONGEST + 700)
    held = sum(claim.state is State.PASSED for claim in found)
    if len(found) > 1:
        assert f"{held} of {len(found)} hold" in said
    assert ("failed: “" in said) == any(claim.state is State.FAILED for claim in found)
    assert ("not evaluated: “" in said) == any(claim.state is State.NOT_EVALUATED for claim in found)
