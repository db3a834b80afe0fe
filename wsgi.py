"""The WSGI entry: `flask --app wsgi …` and any WSGI server find the shop here."""

from store import create_app

app = create_app()
