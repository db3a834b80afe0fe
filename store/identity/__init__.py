"""Identity: who a person is, what they are known by, and what they may do."""
