"""What is claimed, by whom, and what came out, in words: of what was checked, for pages and reports (Markdown)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fitlab.claims import Checked, State
from fitlab.diagnosis.naming import in_markdown, listed

LONGEST = 300  # characters of claims, and of sources, that are named in a sentence; the rest is counted
WORST = (State.FAILED, State.NOT_EVALUATED, State.PASSED)  # of a claim about several Configs the first that occurs


def in_three_sentences(found: Sequence[Checked]) -> str:
    """Say in three sentences what is claimed, by whom, and what came out; empty where nothing is claimed."""
    claims = _claims(found)
    if not claims:
        return ""
    named = _some([_quoted(own[0]) for own in claims], "more")
    return f"**Claimed**: {named}. **By** {_sources(claims)}. **Came out**: {_outcome(claims)}."


def each_claim(found: Sequence[Checked]) -> str:
    """Say of every claim what came of it, as a Markdown list; below one with a number for each Config a list of these.

    Empty where nothing is claimed.
    """
    lines: list[str] = []
    for own in _claims(found):
        one = own[0]
        by = f" ({in_markdown(one.source)})" if one.source else ""
        head = f"- **{_word(own)}**: {in_markdown(one.claim)}{by}"
        several = len(own) > 1
        lines += [head, *(f"    - {_got(each)}" for each in own)] if several else [f"{head} {_got(one)}"]
    return "\n".join(lines)


def _claims(found: Iterable[Checked]) -> list[list[Checked]]:
    """Return what was checked of each claim: of a closed form every Config."""
    claims: dict[tuple[str, str, str], list[Checked]] = {}
    for one in found:
        claims.setdefault((one.claim, one.source, one.quantity), []).append(one)
    return [*claims.values()]


def _state(own: Sequence[Checked]) -> State:
    return next(state for state in WORST if any(one.state is state for one in own))


def _word(own: Sequence[Checked]) -> str:
    return str(_state(own)).replace("_", " ")


def _quoted(one: Checked) -> str:
    return f"“{in_markdown(one.claim).rstrip('.')}”"


def _some(words: Sequence[str], rest: str) -> str:
    """Name the first, and as many more as there is room for; count the rest."""
    fits = 1
    while fits < len(words) and sum(map(len, words[: fits + 1])) <= LONGEST:
        fits += 1
    left = len(words) - fits
    return listed([*words[:fits], *([f"{left} {rest}"] if left else [])])


def _sources(claims: Sequence[Sequence[Checked]]) -> str:
    names = [*dict.fromkeys(in_markdown(own[0].source) for own in claims if own[0].source)]
    silent = sum(not own[0].source for own in claims)
    if not names:
        return "this experiment alone"
    return _some(names, "others") + (f"; {silent} of {len(claims)} by this experiment alone" if silent else "")


def _outcome(claims: Sequence[Sequence[Checked]]) -> str:
    held = sum(_state(own) is State.PASSED for own in claims)
    said = [f"{held} of {len(claims)} hold" if len(claims) > 1 else "it holds" if held else "it does not hold"]
    for state, word in ((State.FAILED, "failed"), (State.NOT_EVALUATED, "not evaluated")):
        broken = [next(one for one in own if one.state is state) for own in claims if _state(own) is state]
        words = [f"{_quoted(one)} ({_got(one).rstrip('.')})" for one in broken]
        said += [f"{word}: {_some(words, 'more')}"] if broken else []
    if len(claims) == 1 and held:
        said += [_got(one).rstrip(".") for one in claims[0][:1] if len(claims[0]) == 1]
    return "; ".join(said)


def _got(one: Checked) -> str:
    """Say what was looked at, what was expected and what was got, or why it was not."""
    where = f", {in_markdown(one.where)}" if one.where else ""
    if one.state is State.NOT_EVALUATED:
        return f"{one.quantity}{where}: {in_markdown(one.why)}."
    tolerance = {"": "", "exact": "", "every seed": " under every seed"}.get(one.tolerance, f" {one.tolerance}")
    return f"{one.quantity}{where}: expected {in_markdown(one.expected)}{tolerance}, got {in_markdown(one.got)}."
