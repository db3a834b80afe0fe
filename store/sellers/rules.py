"""The arithmetic of a contract: what the house keeps of a line, and gives back with its units.

All amounts are whole minor units. What is kept is rounded half up, once, when the line is sold.
When some of the line's money goes back, as much of what was kept goes with it: after x of a total
of T, K × x ÷ T of the K that was kept, rounded down, is back. So any number of refunds, in any
order, never give back more than was kept, and all of them together give back exactly that.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

__all__ = ["WITHOUT_FEE", "Kept", "Terms", "kept", "taken_back"]

WITHOUT_FEE = ("account", "cash", "delivery", "bank")
"""Means of paying that no gateway and no terminal takes a fee for."""

BASIS = 10_000


class Terms(Protocol):
    """What a contract says about money."""

    @property
    def commission_bp(self) -> int: ...
    @property
    def line_fee_minor(self) -> int: ...
    @property
    def fee_bp(self) -> int: ...


class Kept(NamedTuple):
    """What the house keeps of an amount; the rest is the seller's."""

    commission_minor: int
    fee_minor: int

    @property
    def total_minor(self) -> int:
        return self.commission_minor + self.fee_minor


def kept(total_minor: int, terms: Terms, means: str) -> Kept:
    """What the house keeps of a line that was sold; never more than the line."""
    commission = _part(total_minor, terms.commission_bp) + terms.line_fee_minor
    commission = min(commission, total_minor)
    fee = 0 if means in WITHOUT_FEE else _part(total_minor, terms.fee_bp)
    return Kept(commission, min(fee, total_minor - commission))


def taken_back(total_minor: int, of: Kept, before_minor: int, back_minor: int) -> Kept:
    """What the house gives back of what it kept of a line, when `back_minor` of the line's total
    goes back after `before_minor` did."""
    if not total_minor:
        return Kept(0, 0)
    earlier, now = (
        of.total_minor * gone // total_minor for gone in (before_minor, before_minor + back_minor)
    )
    if not of.total_minor:
        return Kept(0, 0)
    commission = (
        of.commission_minor * now // of.total_minor
        - of.commission_minor * earlier // of.total_minor
    )
    return Kept(commission, now - earlier - commission)


def _part(total_minor: int, basis_points: int) -> int:
    return (2 * total_minor * basis_points + BASIS) // (2 * BASIS)
