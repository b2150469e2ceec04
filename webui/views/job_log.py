"""What a job logs, as it goes on: for its page, and as text."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, jsonify, render_template, request, url_for

from taskmanager.storage import monitoring_details
from webui import formats, joblogs
from webui.access import needs
from webui.blueprint import manager, pages, read
from webui.progress import left_of, share_of, told_progress

#: How often a page of the log is read for a text: with the shell's, a request keeps to 8 statements.
_TEXT_READS = 6


@pages.get("/jobs/details/<int:job_id>/log")
@needs("args.view")
def job_log(job_id: int) -> Any:
    """What a job has logged behind a place that was seen, and how far it is; 204 when nothing is new."""
    if monitoring_details.bounded(job_id) is None:
        abort(404)
    after = monitoring_details.bounded(request.args.get("after", type=int)) or 0
    start = formats.parsed(request.args.get("start"))
    if request.args.get("form") == "text":
        return _text_of(job_id, after)
    found = read(lambda tx: monitoring_details.live(tx, job_id, after=after))
    share = share_of(found.progress)
    told = "" if share is None else f"{share:.4f}"
    if not found.log and told == request.args.get("share", "") and found.state == "Processing":
        return "", 204
    lines = joblogs.log_lines(found.log)
    html = render_template("log_lines.html", lines=lines, start=start) if lines else ""
    text = told_progress(share, left_of(share, start, manager().database.clock.now()))
    after = found.log[-1].id if found.log else after
    return jsonify(after=after, html=html, share=told, text=text, state=found.state)


def _text_of(job_id: int, after: int) -> Response:
    """The log as text; where it is very long, its end tells the address that goes on."""
    parts, more = [], True
    for _round in range(_TEXT_READS):
        chunks = read(lambda tx, place=after: monitoring_details.log(tx, job_id, after=place))  # type: ignore[misc]
        parts.append(_as_text(joblogs.log_lines(chunks)))
        more = len(chunks) == monitoring_details.MAX_CHUNKS
        if not more:
            break
        after = chunks[-1].id
    if more:
        parts.append(url_for("pages.job_log", job_id=job_id, form="text", after=after) + "\n")
    return Response("".join(parts), mimetype="text/plain")


def _as_text(lines: list[dict[str, Any]]) -> str:
    return "".join(f"{formats.iso(n['at'])} [{n['attempt']}] {n['level'].upper():7} {n['message']}\n" for n in lines)
