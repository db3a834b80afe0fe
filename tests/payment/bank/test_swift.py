"""MT940 statements: as several banks write them, and what of them is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from store import ids
from store.catalogue.tables import FileRefused
from store.payment.bank import entries
from store.payment.bank.entries import Entry, Statement
from store.payment.bank.reading import read
from store.payment.gateways.bank import Bank, grouped, reference_of
from tests.payment.bank.statements import Came, mt940

OURS = Bank("Harbour Road", "DE02 1005 0000 0054 5404 02", currency="CNY")

DUTCH = """{{1:F01INGBNL2AXXXX0001000001}}{{2:I940INGBNL2AXXXN}}{{4:
:20:P261231000000001
:25:DE02100500000054540402EUR
:28C:00000
:60F:D261231EUR10,5
:61:270102C12,00NTRFEREF//00000000001005
/TRCD/00100/
:86:/EREF/{0}//CNTP/NL32INGB0000012345/INGBNL2A/LIN/AMSTERDAM//
/REMI/USTD//cups//NAME/Lin Wei/IBAN/NL32INGB0000012345/
:61:2612310102RD1,5NRTINONREF
:61:2701021231RC3,NCHKNONREF
:86:a cheque that
bounced
:62F:C270102EUR0,00
-}}"""


def found_in(folder: Path, body: bytes, name: str = "a.sta") -> Statement:
    path = folder / name
    path.write_bytes(body)
    return read(path, OURS, ZoneInfo("Europe/Berlin"), {})


def test_movements_are_read_as_banks_write_them(tmp_path: Path) -> None:
    order, other = ids.new(), ids.new()
    lines = (
        Came(5000, f"Order {grouped(reference_of(order))} thank you", own="B1", payer="Ümit Çelik"),
        Came(-700, "window cleaning"), Came(1, structured=reference_of(other)), Came(250, ""),
    )  # fmt: skip
    found = found_in(tmp_path, mt940(*lines))
    first, second, third = found.entries
    assert (found.layout, found.outgoing) == ("mt940", 1)
    assert (first.amount_minor, first.currency, first.booked_on, first.own) == (
        5000, "CNY", date(2026, 11, 20), "B1",
    )  # fmt: skip
    assert (first.payer, first.payer_account) == ("Ümit Çelik", Came(1).iban)
    assert first.names == (reference_of(order),)  # Although the bank has cut it in two.
    assert (second.amount_minor, second.names) == (1, (reference_of(other),))
    assert (third.said, third.names) == ("SVWZ+", ())
    again = found_in(tmp_path, mt940(*lines, account="DE02100500000054540402CNY"), "b.txt")
    assert [one.key for one in again.entries] == [one.key for one in found.entries]
    latin = found_in(tmp_path, mt940(*lines).decode().encode("cp1252"))
    assert latin.entries[0].payer == "Ümit Çelik"
    twice = found_in(tmp_path, b"Harbour Bank, 21.11.2026\r\n" + mt940(*lines) + mt940(*lines))
    assert len({one.key for one in twice.entries}) == 6


def test_another_bank_and_the_turn_of_a_year(tmp_path: Path) -> None:
    order = ids.new()
    found = found_in(tmp_path, DUTCH.format(reference_of(order)).encode())
    paid, back = found.entries
    assert (paid.amount_minor, paid.currency, paid.payer) == (1200, "EUR", "Lin Wei")
    assert (paid.booked_on, paid.names) == (date(2027, 1, 2), (reference_of(order),))
    assert (back.amount_minor, back.booked_on) == (150, date(2027, 1, 2))
    assert found.outgoing == 1  # What the bank took back of a cheque.


GOOD = mt940(Came(100))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (GOOD.replace(b"10050000/54540402", b"10050000/99999999"), "another account"),
        (GOOD.replace(b"10050000/54540402", b""), "whose account"),
        (GOOD.replace(b"C1,00N", b"C2,00N"), "do not lead"),
        (GOOD.replace(b"C1,00N", b"C1,001N"), "more than 2 decimals"),
        (GOOD.replace(b"C1,00N", b"C1.00N"), "movement cannot be read"),
        (GOOD.replace(b"C1,00N", b"EC1,00N"), "movement cannot be read"),
        (GOOD.replace(b":61:2611201120", b":61:2613201120"), "no day"),
        (GOOD.replace(b":61:2611201120", b":61:2611201340"), "no day"),
        (GOOD[: GOOD.index(b":62F:")], "cut off"),
        (GOOD.replace(b":60F:C261119CNY1000,00\r\n", b""), "outside the two balances"),
        (GOOD.replace(b":62F:C261120CNY", b":62F:C261120EUR"), "another currency"),
        (GOOD.replace(b"CNY", b"ZZZ"), "not a currency"),
        (GOOD.replace(b":60F:C261119CNY1000,00", b":60F:C261119CNY-1,00"), "balance cannot be"),
        (GOOD.replace(b":20:", b":21:").replace(b":28C:", b":20:"), "before any statement"),
    ],
)
def test_what_cannot_be_read_refuses_the_file(tmp_path: Path, body: bytes, why: str) -> None:
    assert body != GOOD
    with pytest.raises(FileRefused, match=why):
        found_in(tmp_path, body)


def test_more_than_a_shop_has_in_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "MOST_ENTRIES", 30)
    found: list[Entry] = found_in(tmp_path, mt940(*[Came(1)] * 30)).entries
    assert len({one.key for one in found}) == 30  # Two that are alike are two.
    with pytest.raises(FileRefused, match="more than 30"):
        found_in(tmp_path, mt940(*[Came(1, "x")] * 31))
