"""English and Czech: complete, compiled, with the plurals of the language."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from taskmanager import TaskManager
from tests.webui.conftest import Browser
from tests.webui.sample import fill
from tests.webui.test_pages import pages_of

WEBUI = Path(__file__).parents[2] / "webui"
CZECH = WEBUI / "translations" / "cs" / "LC_MESSAGES"
#: Words that only English has; what jobs, code and filters contain is not translated.
ENGLISH = (
    "Overview", "Recurring jobs", "Servers", "Queues", "Requeue", "Delete", "Since", "Reason", "Schedule", "Next run",
    "State history", "Arguments", "Waiting", "Right now", "Page made in", "Settings", "Search",
)  # fmt: skip


def test_each_text_is_translated_once() -> None:
    entries = (CZECH / "messages.po").read_text(encoding="utf-8").split("\n\n")
    texts = [found[0] for one in entries if (found := re.search(r"^msgid (?:\".*\"\n?)+", one, re.MULTILINE))]
    assert len(texts) > 500
    assert [text for text in set(texts) if texts.count(text) > 1] == []


def test_the_czech_catalogue_has_every_text_of_the_pages() -> None:
    keywords = {"_": None, "_l": None, "gettext": None, "ngettext": (1, 2)}
    methods = [("**.py", "python"), ("templates/**.html", "jinja2")]
    options = {"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}
    found = extract_from_dir(WEBUI, methods, options, keywords)
    used = {_key(message) for _, _, message, *_ in found}
    czech = {_key(m.id): m for m in read_po(io.BytesIO((CZECH / "messages.po").read_bytes()), locale="cs") if m.id}
    assert used == set(czech)
    for message in czech.values():
        forms = [message.string] if isinstance(message.string, str) else list(message.string)
        assert all(forms), message.id
        assert not message.fuzzy
        names = re.findall(r"%\((\w+)\)", message.id if isinstance(message.id, str) else message.id[1])
        assert all(sorted(set(re.findall(r"%\((\w+)\)", form))) == sorted(set(names)) for form in forms), message.id
    compiled = {_key(m.id): _key(m.string) for m in read_mo(io.BytesIO((CZECH / "messages.mo").read_bytes())) if m.id}
    assert compiled == {key: _key(m.string) for key, m in czech.items()}, "compile the catalogue anew (pybabel compile)"


def _key(text: Any) -> Any:
    return text if isinstance(text, str) else tuple(text)


def test_no_page_is_left_half_in_english(tm: TaskManager, ann: Browser) -> None:
    ids = fill(tm)
    for path in [*pages_of(tm), *(f"jobs/details/{one}" for one in ids.values()), "nowhere"]:
        page = ann.get(f"/hangfire/{path}", **{"Accept-Language": "cs"}).text
        assert '<html lang="cs"' in page
        shown = re.sub(r"<(pre|script)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
        assert [word for word in ENGLISH if re.search(rf"\b{word}\b", shown)] == [], path


def test_czech_counts_as_czechs_do(tm: TaskManager, ann: Browser) -> None:
    ann.get("/hangfire/?lang=cs")
    for count, told in ((1, "1 úloha byla smazána."), (3, "3 úlohy byly smazány."), (5, "5 úloh bylo smazáno.")):
        ids = tm.enqueue_many(len, [("x",)] * count)
        form = {"jobs[]": ids, "back": "/hangfire/jobs/deleted"}
        ann.post("/hangfire/jobs/enqueued/delete", form, Accept="text/html")
        assert told in ann.get("/hangfire/jobs/deleted").text


def test_schedules_are_told_in_words_of_the_language(tm: TaskManager, ann: Browser) -> None:
    tm.recurring("r", len, args=("x",), cron="0 2 * * 1-5")
    assert "At 02:00, Monday through Friday" in ann.get("/hangfire/recurring").text
    assert "02:00, pondělí do pátek" in ann.get("/hangfire/recurring?lang=cs").text
    assert '<html lang="cs"' in ann.get("/hangfire/recurring").text, "the choice is kept"
