"""Labels: the QR codes on the shelves, and what each of them says."""
