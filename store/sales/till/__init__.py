"""The till: its day and drawer, what is paid in and out, what it sold without a network."""
