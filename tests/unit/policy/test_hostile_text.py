"""No text makes a rule slow: what is checked may be written to hold the check up."""

import time

import pytest

from opsctl.policy.apply_rules import apply_rules
from opsctl.policy.rules import RULES
from opsctl.policy.suppressions import find_allow_comments
from tests.unit.policy.projects import world

LENGTH = 30_000
# By the processor's clock: the machine may be busy with other things.
MOST_S = 3.0
NAMES = ("a.py", "migrations/001_a.sql", "docs/a.md", "configs/a.yaml", "Dockerfile", ".env")
SEEDS = [
    "a",
    ";",
    "(",
    "'",
    "$$",
    "create table ",
    "password=",
    "password: abcdefgh1A ",
    "api_key ",
    "://a:",
    "1.1.1.1 ",
    "a:",
    "ssh ",
    "ssh://",
    "A_TIMEOUT_",
    "-----BEGIN ",
    "eyJaaaaaaaaaaa.",
    "<<<<<<< \n",
    "docker run \\\n",
    "ALTER TABLE a ADD COLUMN b int, ",
    "ADD CONSTRAINT a CHECK ",
    "# opsctl-" + "check: allow a,",
    "pip install kafka ",
    "BEGIN EXECUTE ",
    "--\n",
    "FROM a AS b\n",
    'f"{',
]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_text_that_repeats_itself_is_done_with_soon(seed: str) -> None:
    text = (seed * LENGTH)[:LENGTH]
    project = world(dict.fromkeys(NAMES, text))

    began = time.process_time()
    found = [*apply_rules(RULES, project, within=lambda _: True)]
    found_allowances = [*find_allow_comments(project.sources)]
    took = time.process_time() - began

    assert took < MOST_S, f"{len(found)} findings, {len(found_allowances)} allowances"
