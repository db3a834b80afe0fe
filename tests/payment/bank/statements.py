"""Statement files as banks write them."""

from __future__ import annotations

from typing import NamedTuple
from xml.sax.saxutils import escape

__all__ = ["Came", "camt", "table"]

ACCOUNT = "DE02100500000054540402"


class Came(NamedTuple):
    """A line of a statement. `minor` below 0 went out; `structured` has a field of its own."""

    minor: int
    said: str = ""
    structured: str = ""
    own: str = ""
    payer: str = "Lin Wei"
    iban: str = "DE75512108001245126199"
    currency: str = "CNY"
    status: str = "BOOK"


def camt(*lines: Came, version: int = 2, account: str = ACCOUNT) -> bytes:
    """camt.053.001.<version>: from 8 on a status has a code, and a party a wrapping of its own."""
    entries = "".join(_entry(one, version) for one in lines)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version:02}"><BkToCstmrStmt>
<GrpHdr><MsgId>1</MsgId></GrpHdr><Stmt><Id>1</Id><Acct><Id><IBAN>{account}</IBAN></Id></Acct>
{entries}</Stmt></BkToCstmrStmt></Document>""".encode()


def _entry(one: Came, version: int) -> str:
    status = f"<Cd>{one.status}</Cd>" if version >= 8 else one.status
    name = f"<Nm>{escape(one.payer)}</Nm>"
    name = f"<Pty>{name}</Pty>" if version >= 8 else name
    money = f'<Amt Ccy="{one.currency}">{abs(one.minor) / 100:.2f}</Amt>'
    way = "CRDT" if one.minor > 0 else "DBIT"
    info = f"<Ustrd>{escape(one.said)}</Ustrd>" if one.said else ""
    if one.structured:
        info += f"<Strd><CdtrRefInf><Ref>{one.structured}</Ref></CdtrRefInf></Strd>"
    own = f"<AcctSvcrRef>{one.own}</AcctSvcrRef>" if one.own else ""
    return f"""<Ntry>{money}<CdtDbtInd>{way}</CdtDbtInd><Sts>{status}</Sts>
<BookgDt><Dt>2026-11-20</Dt></BookgDt>{own}<NtryDtls><TxDtls>
<Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><RltdPties><Dbtr>{name}</Dbtr>
<DbtrAcct><Id><IBAN>{one.iban}</IBAN></Id></DbtrAcct></RltdPties>
<RmtInf>{info}</RmtInf></TxDtls></NtryDtls></Ntry>"""


def table(*lines: Came) -> bytes:
    """As a German bank's CSV, with lines of its own above the headings."""
    rows = "".join(
        f'20.11.2026;"{one.payer}";{one.iban};"{one.said}";{_comma(one.minor)};{one.currency}\n'
        for one in lines
    )
    heads = "Buchungstag;Auftraggeber;IBAN;Verwendungszweck;Betrag;Währung\n"
    return ("Kontoauszug;;;;;\nKonto;DE02;;;;\n" + heads + rows).encode()


def _comma(minor: int) -> str:
    whole, cents = divmod(abs(minor), 100)
    grouped = f"{whole:,}".replace(",", ".")
    return f"{'-' if minor < 0 else ''}{grouped},{cents:02}"


def mt940(*lines: Came, account: str = "10050000/54540402", currency: str = "CNY") -> bytes:
    """As a German bank writes it: field 86 in parts, cut at 65 characters wherever that is."""
    moved = "".join(
        f":61:2611201120{'C' if one.minor > 0 else 'D'}{_swift(abs(one.minor))}NTRFNONREF"
        f"{'//' + one.own if one.own else ''}\r\n" + _cut(_told(one))
        for one in lines
    )
    ends = _swift(100_000 + sum(one.minor for one in lines))
    return (
        f":20:STARTUMS\r\n:25:{account}\r\n:28C:1/1\r\n:60F:C261119{currency}1000,00\r\n{moved}"
        f":62F:C261120{currency}{ends}\r\n-\r\n"
    ).encode()


def _swift(minor: int) -> str:
    return f"{minor // 100},{minor % 100:02}"


def _told(one: Came) -> str:
    said = f"SVWZ+{one.said}{one.structured}"
    parts = "".join(
        f"?{20 + at}{said[at * 27 : at * 27 + 27]}" for at in range(-(-len(said) // 27))
    )
    return f":86:166?00GUTSCHRIFT{parts}?30INGDDEFF?31{one.iban}?32{one.payer}"


def _cut(said: str) -> str:
    return "".join(f"{said[at : at + 65]}\r\n" for at in range(0, len(said), 65))
