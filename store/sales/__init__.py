"""Sales: the till, the only room where stock and money meet."""
