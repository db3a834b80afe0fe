"""Settings that are written by the program: into store.toml, beside what its owner wrote there."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import settings

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def test_other_lines_stay_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "store.toml"
    file.write_text('# Ours since May\nshop_name = "Old"  # soon another\nconfirm_over = "300"\n')
    settings.write(tmp_path, {"SHOP_NAME": "Quay", "PRICES_INCLUDE_TAX": False, "LAST_ONES": 5})
    assert file.read_text() == (
        '# Ours since May\nshop_name = "Quay"\nconfirm_over = "300"\n'
        "prices_include_tax = false\nlast_ones = 5\n"
    )
    held = settings.load({"INSTANCE": str(tmp_path)})
    assert (held["SHOP_NAME"], held["PRICES_INCLUDE_TAX"], held["LAST_ONES"]) == ("Quay", False, 5)
    assert file.stat().st_mode & 0o777 == 0o600


@given(name=TEXT, address=TEXT)
def test_every_text_comes_back_as_it_went_in(
    tmp_path_factory: pytest.TempPathFactory, name: str, address: str
) -> None:
    folder = tmp_path_factory.mktemp("instance")
    before = 'stripe_key = """\nsk_\nof\nlines"""\nSHOP_NAME = "x"\n'
    (folder / "store.toml").write_text(before)
    settings.write(folder, {"SHOP_NAME": name, "STRIPE_KEY": address})
    kept = tomllib.loads((folder / "store.toml").read_text("utf-8"))
    assert {one.upper(): value for one, value in kept.items()} == {
        "SHOP_NAME": name, "STRIPE_KEY": address,
    }  # fmt: skip


@pytest.mark.parametrize("wrong", [{"COUNTRY": "China"}, {"BASE_URL": "shop"}, {"NO_SUCH": "1"}])
def test_a_shop_that_could_not_start_is_not_written(tmp_path: Path, wrong: dict[str, str]) -> None:
    settings.write(tmp_path, {"SHOP_NAME": "Quay"})
    before = (tmp_path / "store.toml").read_bytes()
    with pytest.raises(ValueError, match=next(iter(wrong)).lower() + "|" + next(iter(wrong))):
        settings.write(tmp_path, dict(wrong))
    assert (tmp_path / "store.toml").read_bytes() == before
    assert not (tmp_path / "store.toml.new").exists()
