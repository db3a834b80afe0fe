"""Labels: the QR codes on the shelves, and what each of them says."""

from .bad_stickers import Sighting, trouble
from .models import Label
from .records import NewLabel, read, record, revoke, text_for
from .scans import Scans, by_person, scans_of
from .sightings import saw

__all__ = [
    "Label", "NewLabel", "Scans", "Sighting", "by_person", "read", "record", "revoke", "saw",
    "scans_of", "text_for", "trouble",
]  # fmt: skip
