"""The basket: what somebody means to buy, on which device ever, and what it would cost."""
