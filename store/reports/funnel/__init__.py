"""Labels: scanned, looked at, paid."""
