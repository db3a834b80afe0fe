"""Effects: how two groups differ, and how far that is known. Nothing here knows what is compared.

Means are compared by Welch's interval (B. L. Welch, "The generalization of 'Student's' problem when
several different population variances are involved", Biometrika 34, 1947), which does not assume
that both groups vary alike, with the degrees of freedom after Satterthwaite. Shares are compared by
Newcombe's hybrid score interval (R. G. Newcombe, "Interval estimation for the difference between
independent proportions", Statistics in Medicine 17, 1998, method 10), made of the two score
intervals of E. B. Wilson (JASA 22, 1927), which stays right for few and for none. Both at 95 %.
"""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = [
    "FEWEST", "FEWEST_BUYERS", "Group", "Interval", "is_enough", "means", "quantile_t", "shares",
    "wilson",
]  # fmt: skip

Z = 1.959963984540054
"""97.5 % of a normal distribution lie below it."""
FEWEST, FEWEST_BUYERS = 30, 10
"""With fewer in a group, or fewer of it who bought, nothing is said: sums of purchases are skewed,
and the means of so few are far from normal."""


class Group(NamedTuple):
    """So many people, how many of them bought, the sum of what each brought, and of its square."""

    many: int
    buyers: int
    total: int
    squares: int

    @property
    def mean(self) -> float:
        return self.total / self.many if self.many else 0.0

    @property
    def variance(self) -> float:
        """Of a sample; exact sums of whole numbers, so that nothing is lost between large ones."""
        if self.many < 2:
            return 0.0
        return (self.squares * self.many - self.total**2) / (self.many * (self.many - 1))


class Interval(NamedTuple):
    """A difference, and between what it lies in 95 of 100 such comparisons."""

    difference: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether no difference at all is ruled out."""
        return self.low > 0 or self.high < 0


def is_enough(*groups: Group) -> bool:
    return all(one.many >= FEWEST and one.buyers >= FEWEST_BUYERS for one in groups)


def means(one: Group, other: Group) -> Interval | None:
    """The mean of one less that of the other; None where a group is too small to vary."""
    if min(one.many, other.many) < 2:
        return None
    parts = one.variance / one.many, other.variance / other.many
    difference, spread = one.mean - other.mean, math.sqrt(sum(parts))
    if spread == 0:
        return Interval(difference, difference, difference)
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (one.many - 1) + parts[1] ** 2 / (other.many - 1))
    reach = quantile_t(freedom) * spread
    return Interval(difference, difference - reach, difference + reach)


def wilson(hits: int, many: int) -> tuple[float, float]:
    """Between what a share lies."""
    share, z2 = hits / many, Z * Z
    middle = (share + z2 / (2 * many)) / (1 + z2 / many)
    reach = Z / (1 + z2 / many) * math.sqrt(share * (1 - share) / many + z2 / (4 * many * many))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def shares(one: Group, other: Group) -> Interval | None:
    """The share of buyers of one less that of the other; None where a group is empty."""
    if not one.many or not other.many:
        return None
    p1, p2 = one.buyers / one.many, other.buyers / other.many
    (l1, u1), (l2, u2) = wilson(one.buyers, one.many), wilson(other.buyers, other.many)
    low = math.sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2)
    high = math.sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2)
    return Interval(p1 - p2, p1 - p2 - low, p1 - p2 + high)


def quantile_t(freedom: float) -> float:
    """The value below which 97.5 % of Student's distribution lie, by the expansion of Cornish and
    Fisher about the normal one (Abramowitz and Stegun, 26.7.5); within 0.1 % from 5 degrees on."""
    z = Z
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))
