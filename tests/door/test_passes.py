"""The pass itself: whom it is good for, for how long, and that nobody makes one up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from store import ids, ticks
from store.door import PassInvalid, PassStale, passes, seen
from store.door.live import address

KEY = b"a key of this shop"
SALE = "01HZX7K2M9Q4R8T6V3W5"
AT = datetime(2027, 3, 15, 10, 30, 7, tzinfo=UTC)
STEP = ticks.step_at(AT)
PLACE = 1


def shown(sale_id: str = SALE, step: int = STEP, place: int = PLACE, key: bytes = KEY) -> str:
    return passes.text_for(sale_id, place, step, key)


def verify(text: str, at: datetime = AT, place: int = PLACE, key: bytes = KEY) -> None:
    passes.verify(passes.read(text), place, at, key)


@pytest.mark.parametrize("distance", range(-30, 31))
def test_a_code_is_good_for_its_own_step_and_the_ones_beside_it(distance: int) -> None:
    text = shown(step=STEP + distance)
    if -1 <= distance <= 1:
        verify(text)
    else:
        with pytest.raises(PassStale) as refusal:
            verify(text)
        assert refusal.value.data == {"age_s": -distance * 20}


def test_a_picture_of_the_code_is_stale_within_a_minute() -> None:
    first_shown = ticks.starts_at(STEP)
    text = shown()
    verify(text, first_shown)
    verify(text, first_shown + timedelta(seconds=39))
    for seconds in range(40, 400):
        with pytest.raises(PassStale):
            verify(text, first_shown + timedelta(seconds=seconds))


@pytest.mark.parametrize("zone_hours", [-12, 0, 8])
def test_a_step_is_twenty_seconds_of_everybodys_time(zone_hours: int) -> None:
    begins = ticks.starts_at(STEP)
    assert ticks.step_at(begins) == STEP
    assert ticks.step_at(begins - timedelta(microseconds=1)) == STEP - 1
    assert ticks.step_at(begins + timedelta(seconds=20)) == STEP + 1


def test_a_pass_of_another_sale_place_or_shop_is_made_up() -> None:
    for text, place, key in [
        (shown(sale_id="01HZX7K2M9Q4R8T6V3W6").replace("V3W6", "V3W5"), PLACE, KEY),
        (shown(place=2), PLACE, KEY),
        (shown(), 2, KEY),
        (shown(key=b"the key of another shop"), PLACE, KEY),
        (shown(step=STEP + 1).replace(f".{STEP + 1}.", f".{STEP}."), PLACE, KEY),
    ]:
        with pytest.raises(PassInvalid):
            verify(text, place=place, key=key)


@pytest.mark.parametrize(
    "text",
    [
        address(shown(), "https://shop.example"),
        address(shown(), "http://192.168.1.7:8000") + "&lang=zh",
        address(shown(), "https://shop.example").upper(),
        # A hand scanner that believes in a German keyboard.
        address(shown(), "https://shop.example").translate(str.maketrans(":/?=", "Ö-_´")),
        f"  {shown()}\r\n",
        shown().lower(),
    ],
)
def test_a_pass_is_found_in_whatever_way_it_was_scanned(text: str) -> None:
    assert passes.is_pass(text)
    verify(text)


@given(st.text(max_size=1200))
def test_any_other_text_is_refused_and_nothing_worse(text: str) -> None:
    try:
        found = passes.read(text)
    except PassInvalid as refusal:
        assert (refusal.code, refusal.status) == ("pass_invalid", 422)
    else:
        with pytest.raises(PassInvalid):
            passes.verify(found, PLACE, AT, KEY)


@given(st.integers(0, len(shown()) - 1), st.characters(codec="utf-8"))
def test_a_pass_with_one_character_changed_is_refused(at: int, character: str) -> None:
    text = shown()
    assume(character.upper() != text[at])
    mangled = text[:at] + character + text[at + 1 :]
    with pytest.raises((PassInvalid, PassStale)):
        verify(mangled)


@given(st.text(ids.ALPHABET, min_size=16, max_size=16))
def test_a_guessed_code_is_refused(mac: str) -> None:
    assume(mac != shown()[-16:])
    with pytest.raises(PassInvalid):
        verify(f"{SALE}.{STEP}.{mac}")


@given(st.integers(0, 10**12 - 1))
def test_any_number_may_stand_in_the_place_of_the_step(step: int) -> None:
    assume(abs(step - STEP) > 1)
    with pytest.raises((PassInvalid, PassStale)):
        verify(shown(step=step))


def test_a_proof_of_when_a_pass_was_scanned_is_for_that_person_and_for_minutes() -> None:
    proof = seen.proof(shown(), 7, AT, KEY)
    whole = AT.replace(microsecond=0)
    assert seen.seen_at(proof, shown(), 7, AT + timedelta(minutes=4), KEY) == whole
    assert seen.seen_at(proof, shown(), 7, AT + timedelta(minutes=6), KEY) is None
    assert seen.seen_at(proof, shown(), 8, AT, KEY) is None
    assert seen.seen_at(proof, shown(step=STEP + 1), 7, AT, KEY) is None
    assert seen.seen_at(proof, shown(), 7, AT, b"another key") is None
    later = proof.replace(str(int(whole.timestamp())), str(int(whole.timestamp()) + 100))
    assert seen.seen_at(later, shown(), 7, AT, KEY) is None


@given(st.text(max_size=60))
def test_a_proof_that_was_made_up_proves_nothing(text: str) -> None:
    assert seen.seen_at(text, shown(), 7, AT, KEY) is None
