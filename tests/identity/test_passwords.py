"""Passwords: which are taken, how they are kept, and that nobody costs as much as somebody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from argon2 import PasswordHasher

from store.errors import Invalid
from store.identity import passwords


class CountingHasher(PasswordHasher):
    """A real hasher that says how often it worked."""

    verified = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.verified += 1
        return super().verify(hash, password)


@pytest.fixture
def hasher() -> Iterator[CountingHasher]:
    counting = CountingHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords.set_hasher(counting)
    yield counting
    passwords.set_hasher(passwords.QUICK)


def test_the_right_one_fits_and_others_do_not(hasher: CountingHasher) -> None:
    kept = passwords.hashed("korrekt pferd")
    assert kept.startswith("$argon2id$") and "pferd" not in kept
    assert passwords.verify(kept, "korrekt pferd")
    for wrong in ("", "korrekt", "Korrekt pferd", "korrekt pferd ", "korrekt pferd" * 100):
        assert not passwords.verify(kept, wrong)


def test_nobody_costs_the_same_work_as_somebody(hasher: CountingHasher) -> None:
    kept = passwords.hashed("korrekt pferd")
    hasher.verified = 0
    assert not passwords.verify(kept, "wrong password")
    assert hasher.verified == 1
    assert not passwords.verify(None, "wrong password")
    assert hasher.verified == 2


def test_composed_and_decomposed_letters_are_the_same_password(hasher: CountingHasher) -> None:
    assert passwords.verify(passwords.hashed("cafe\u0301 am Eck"), "caf\u00e9 am Eck")


@pytest.mark.parametrize(
    ("weak", "fault"),
    [("", "length"), ("short", "length"), ("x" * 201, "length"), ("aaaaaaaa", "common"),
     ("12345678", "common"), ("87654321", "common"), ("Password", "common"),
     ("anna@shop.example", "own_name"), ("Anna@Shop.Example", "own_name")],
)  # fmt: skip
def test_a_password_that_would_be_guessed_is_refused(weak: str, fault: str) -> None:
    with pytest.raises(Invalid) as refused:
        passwords.check(weak, "anna@shop.example")
    assert refused.value.data["fault"] == fault


@pytest.mark.parametrize("good", ["korrekt pferd", "密码是一句话而已", "8 chars!", "x7#kq2!p"])
def test_a_password_of_ones_own_is_taken(good: str) -> None:
    passwords.check(good, "anna@shop.example", "Anna", "")


def test_a_lone_surrogate_is_refused_and_not_a_crash(hasher: CountingHasher) -> None:
    with pytest.raises(Invalid):
        passwords.check("korrekt\ud800pferd")
    with pytest.raises(Invalid):
        passwords.hashed("korrekt\ud800pferd")


def test_generated_ones_differ_and_are_taken() -> None:
    made = {passwords.generate() for _ in range(100)}
    assert len(made) == 100
    for password in made:
        passwords.check(password)


def test_outside_tests_the_cost_is_the_strong_one() -> None:
    assert passwords.STRONG.memory_cost >= 19_456 and passwords.STRONG.time_cost >= 2
    passwords.set_hasher(passwords.STRONG)
    try:
        kept = passwords.hashed("korrekt pferd")
        assert "m=19456,t=3,p=1" in kept and not passwords.is_weak(kept)
        assert passwords.is_weak(passwords.QUICK.hash("korrekt pferd"))
    finally:
        passwords.set_hasher(passwords.QUICK)
