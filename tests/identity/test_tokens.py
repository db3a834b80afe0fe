"""Tokens: shown once, with scopes that never reach further than their member; and the commands."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from store import ids
from store.db import db, transaction
from store.errors import Invalid
from store.identity import (
    SCOPES,
    TokenInvalid,
    find,
    issue_token,
    member_of_token,
    members,
)  # fmt: skip
from store.identity.models import Member, Token
from store.identity.roles import ScopeNotAllowed
from tests.identity.conftest import PASSWORD

OWN = {"items:read", "stock:read", "sales:read", "sales:write", "account:read"}


def issue(who: str, *scopes: str) -> str:
    member = find(who)
    assert member is not None
    with transaction():
        return issue_token(member, scopes, "test")


@pytest.mark.usefixtures("context")
def test_a_token_knows_its_member_and_is_kept_as_a_digest(people: dict[str, int]) -> None:
    text = issue("anna@shop.example", "sales:write", "items:read")
    member, scopes = member_of_token(text)
    assert member.id == people["anna"] and scopes == {"sales:write", "items:read"}
    kept = db.session.query(Token).one()
    assert kept.digest == ids.digest(text) and text not in str(vars(kept))


@pytest.mark.usefixtures("context")
def test_a_token_never_reaches_further_than_its_member(people: dict[str, int]) -> None:
    for scope in set(SCOPES) - OWN:
        with pytest.raises(ScopeNotAllowed):
            issue("anna@shop.example", scope)
    for scope in ("sales:all", "", "owner", "items:delete"):
        with pytest.raises(Invalid):
            issue("olga@shop.example", scope)
    assert db.session.query(Token).count() == 0
    assert member_of_token(issue("anna@shop.example"))[1] == OWN
    assert member_of_token(issue("olga@shop.example"))[1] == set(SCOPES)
    assert "reports:read" not in member_of_token(issue("13800138000"))[1]


@pytest.mark.usefixtures("context")
def test_a_token_shrinks_with_the_role_and_dies_with_the_account(people: dict[str, int]) -> None:
    text = issue("13800138000", "till", "items:read")
    assert member_of_token(text)[1] == {"till", "items:read"}
    members.set_role(people["mei"], "shopper")
    assert member_of_token(text)[1] == {"items:read"}
    members.disable(people["mei"])
    with pytest.raises(TokenInvalid):
        member_of_token(text)


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize(
    "text", ["", "oneshelf_", "oneshelf_" + "x" * 43, "x" * 10_000, "oneshelf_" + "é" * 43, "\x00"]
)
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(TokenInvalid):
        member_of_token(text)


def run(runner: FlaskCliRunner, *args: str, **more: Any) -> str:
    result = runner.invoke(args=["members", *args], **more)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()[-1]


def test_members_are_added_by_command(app: Flask, runner: FlaskCliRunner) -> None:
    anna = run(runner, "add", "Anna@shop.example", "--password", PASSWORD)
    mei = run(
        runner, "add", "13800138000", "--password-stdin", "--role", "staff", input=f"{PASSWORD}\n"
    )
    with app.app_context():
        assert db.session.get(Member, int(anna)).role == "shopper"  # type: ignore[union-attr]
        assert db.session.get(Member, int(mei)).role == "staff"  # type: ignore[union-attr]
    text = run(runner, "token", "anna@shop.example", "--scope", "sales:write")
    with app.app_context():
        assert member_of_token(text)[1] == {"sales:write"}
    run(runner, "role", "anna@shop.example", "owner")
    assert '"identifier": "anna@shop.example"' in run(runner, "staff", "--json")
    generated = run(runner, "password", "anna@shop.example")
    assert len(generated) == 19
    again = runner.invoke(args=["members", "end-token", text])
    assert again.exit_code == 0
    with app.app_context(), pytest.raises(TokenInvalid):
        member_of_token(text)


@pytest.mark.parametrize(
    "args",
    [["add", "anna@shop.example", "--password", PASSWORD], ["add", "x", "--password", PASSWORD],
     ["add", "new@shop.example", "--password", "short"], ["add", "new@shop.example"],
     ["token", "nobody@shop.example"], ["token", "anna@shop.example", "--scope", "till"],
     ["token", "anna@shop.example", "--scope", "everything"], ["disable", "olga@shop.example"],
     ["role", "olga@shop.example", "shopper"], ["first-owner"],
     ["add", "new@shop.example", "--password", PASSWORD, "--role", "god"]],
)  # fmt: skip
def test_a_command_that_is_refused_says_why_and_changes_nothing(
    app: Flask, runner: FlaskCliRunner, people: dict[str, int], args: list[str]
) -> None:
    result = runner.invoke(args=["members", *args])
    assert result.exit_code != 0 and result.stdout == "" and len(result.stderr) > 20
    with app.app_context():
        assert db.session.query(Member).count() == 3 and db.session.query(Token).count() == 0


def test_the_first_owner_is_printed_once(app: Flask, runner: FlaskCliRunner) -> None:
    made = runner.invoke(args=["members", "first-owner"])
    assert made.exit_code == 0 and len(made.stdout.strip()) == 19 and "owner@" in made.stderr
    again = runner.invoke(args=["members", "first-owner"])
    assert again.exit_code == 1 and "already" in again.stderr
