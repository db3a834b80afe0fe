"""What the goods in stock are worth, how fast they turn, and what to order."""
