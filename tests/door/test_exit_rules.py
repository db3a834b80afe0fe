"""The rules of the spot checks reproduce their stated rates, and nobody can choose or foresee."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import pytest

from store.door.rules import WHY, Facts, Rules, chances, decide, rolled
from store.errors import Invalid

SECRET = b"a secret of the shop"
SALES = [f"{number:020d}" for number in range(20_000)]
SIGMAS = 6
"""A right die fails a bound of six sigmas about once in five hundred million runs; but these ids
never change, so that this test fails always or never."""


def within(hits: int, tries: int, rate: float) -> bool:
    return abs(hits - tries * rate) <= SIGMAS * math.sqrt(tries * rate * (1 - rate)) + 1


def test_each_rule_chooses_as_often_as_it_says() -> None:
    rules = Rules(random_bp=500, first_bp=1000, amount_bp=2500, amount_minor=50_000, risk_bp=200,
                  wary_bp=5000)  # fmt: skip
    facts = Facts(60_000, 3, risky=True, newcomer=True, missed=True)
    chosen = Counter(decide(rules, 1, facts, sale, SECRET).rule for sale in SALES)
    left = len(SALES)
    assert [rule for rule, _ in chances(rules, facts)] == list(WHY)
    for rule, rate_bp in chances(rules, facts):
        assert within(chosen[rule], left, rate_bp / 10_000), (rule, chosen)
        left -= chosen[rule]
    assert chosen[None] == left
    # A rule of which the sale is none chooses nobody, 100 percent chooses everybody.
    plain = Facts(10, 3)
    assert {decide(rules, 1, plain, sale, SECRET).rule for sale in SALES} == {None, "random"}
    always = Rules(random_bp=10_000)
    assert all(decide(always, 1, plain, sale, SECRET).rule for sale in SALES[:2000])
    # And the test would see a die that is a fifth off.
    assert not within(chosen["amount"], len(SALES) - chosen["wary"] - chosen["risk"], 0.3)


def test_what_is_drawn_stays_and_nothing_foretells_it() -> None:
    rules = Rules(random_bp=5000)
    facts = Facts(10, 3)
    drawn = [decide(rules, 1, facts, sale, SECRET) for sale in SALES[:4000]]
    assert drawn == [decide(rules, 1, facts, sale, SECRET) for sale in SALES[:4000]]
    # Another version, another secret, another rule and the next sale are dice of their own.
    others = (
        [decide(rules, 2, facts, sale, SECRET) for sale in SALES[:4000]],
        [decide(rules, 1, facts, sale, b"another") for sale in SALES[:4000]],
        [decide(rules, 1, facts, sale, SECRET) for sale in SALES[1:4001]],
    )
    for other in others:
        assert within(sum(a == b for a, b in zip(drawn, other)), 4000, 0.5)
    assert len({rolled(SECRET, "A", 1, rule) for rule in WHY}) == len(WHY)


def test_past_results_raise_and_lower_within_the_stated_bounds() -> None:
    rules = Rules(random_bp=500, trusted_bp=100, trusted_after=3, wary_bp=2500)
    assert chances(rules, Facts(10, 1, right_in_row=2)) == [("random", 500)]
    assert chances(rules, Facts(10, 1, right_in_row=3)) == [("random", 100)]
    assert chances(rules, Facts(10, 1, missed=True)) == [("wary", 2500), ("random", 500)]
    for fault in ({"trusted_bp": 501}, {"wary_bp": 499}, {"random_bp": 10_001}, {"first_bp": -1},
                  {"rescan_pieces": 0}, {"risk_items": tuple(range(201))}):  # fmt: skip
        with pytest.raises(Invalid):
            replace(rules, **fault)


def test_small_bags_are_looked_at_and_of_large_ones_some_pieces_are_scanned() -> None:
    rules = Rules(random_bp=10_000, sight_pieces=5, rescan_pieces=3)
    kinds = [decide(rules, 1, Facts(10, many), "A", SECRET)[2:] for many in (1, 5, 6, 60)]
    assert kinds == [("sight", 0), ("sight", 0), ("rescan", 3), ("rescan", 3)]
    wide = replace(rules, sight_pieces=0, rescan_pieces=9)
    assert decide(wide, 1, Facts(10, 2), "A", SECRET).sample == 2
