"""The blueprint that the pages of the shop floor are registered on."""

from flask import Blueprint

blueprint = Blueprint("floor", __name__)
