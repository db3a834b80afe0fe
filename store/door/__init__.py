"""Door: the pass that a paid sale shows at the exit, and its one use."""
