"""The blueprint that the pages of the door are registered on."""

from flask import Blueprint

blueprint = Blueprint("door", __name__)
