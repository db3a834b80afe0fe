"""Orders: goods kept for somebody, packed, handed over or brought, and the money for them."""
