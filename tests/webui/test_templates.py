"""What templates must not have: the policy of the pages blocks it, and nobody sees why something does nothing."""

from __future__ import annotations

import re
from pathlib import Path

WEBUI = Path(__file__).parents[2] / "webui"
#: Filters of triggers, `hx-on`, `hx-vals="js:"` are evaluated; styles and scripts in the page are refused.
BLOCKED = re.compile(
    r'hx-trigger="[^"]*\[|hx-on|hx-vals=["\']js:|\sstyle=|<style|<script>|\son[a-z]+="|href="javascript:', re.IGNORECASE
)


def test_templates_have_nothing_that_the_policy_would_block_in_silence() -> None:
    files = list((WEBUI / "templates").glob("*.html"))
    assert len(files) > 30
    for file in files:
        assert BLOCKED.findall(file.read_text("utf-8")) == [], file.name


def test_scripts_evaluate_nothing_and_set_no_style_attributes() -> None:
    for file in (WEBUI / "static").glob("*.js"):
        assert not re.search(r"\beval\(|new Function\(|setAttribute\(.style", file.read_text("utf-8")), file.name
