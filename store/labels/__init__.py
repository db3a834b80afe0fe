"""Labels: the QR codes on the shelves, and what each of them says."""

from .models import Label
from .records import NewLabel, read, record, revoke, text_for

__all__ = ["Label", "NewLabel", "read", "record", "revoke", "text_for"]
