"""An item as the shopper sees it: everything that its page shows, read in one statement."""
