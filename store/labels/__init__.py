"""Labels: the QR codes on the shelves, and what each of them says."""

from .bad_stickers import Sighting, trouble
from .models import Label
from .records import NewLabel, read, record, revoke, text_for
from .sightings import saw

__all__ = [
    "Label", "NewLabel", "Sighting", "read", "record", "revoke", "saw", "text_for", "trouble",
]  # fmt: skip
