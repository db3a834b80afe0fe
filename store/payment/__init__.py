"""Payment: the accounts, every transfer between them, and money on its way in."""
