"""The blueprint that the pages of the first steps are registered on."""

from flask import Blueprint

blueprint = Blueprint("opening", __name__)
