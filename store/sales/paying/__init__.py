"""Paying by other means than the account: a provider, a transfer, a card, a code at the till."""
