"""The HTML report: one file that explains a run, with no need of a network or a server.

What a reader sees without any script is rendered here: the verdict, the causes, the tasks and
their groups, the waivers. Details are made by the page's own script from data in the page, so
that a wave of hundreds of tasks opens at once. A Content-Security-Policy names the one script and
the one style sheet by their hashes; whatever else a text might smuggle in does not run.

Equal verdicts give equal bytes: no time of rendering, no random name is in the page.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib import resources
from typing import TYPE_CHECKING, TextIO

from precheck_gate import __version__
from precheck_gate.errors import UsageError
from precheck_gate.model.verdicts import Effect
from precheck_gate.reports.causes import Causes
from precheck_gate.reports.html.data import Compactor, script_json
from precheck_gate.reports.html.page import page_of
from precheck_gate.reports.html.table import PageRow, headings, row_of, totals
from precheck_gate.reports.spool import open_spool

try:
    import jinja2
    from markupsafe import Markup
except ImportError:  # pragma: no cover  # tested in a process of its own
    raise UsageError(
        "The HTML report needs the Python package Jinja2, which is not installed.",
        hint="Install it: pip install 'Jinja2>=3.1'.",
    ) from None

if TYPE_CHECKING:
    from collections.abc import Iterator

    from precheck_gate.model.verdicts import RunFacts, RunVerdict, TaskVerdict

__all__ = ["HtmlReporter"]

CHUNK = 64 * 1024

# The parts of the page's one script, each of which uses those before it.
SCRIPT = (
    *("elements", "data", "filters", "chart", "item", "details"),
    *("copying", "actions", "theme", "start"),
)


class HtmlReporter:
    """Writes one run as a page. Tasks go to a spool as they come; only their row is kept."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._context = open_spool()
        self._tasks = self._context.__enter__()
        self._data = Compactor()
        self._causes = Causes()
        self._rows: list[PageRow] = []

    def add_task(self, task: TaskVerdict) -> None:
        """Write the details of one task, and keep what its row shows."""
        separator = ",\n" if self._rows else ""
        self._tasks.write(separator + script_json(self._data.task(task)))
        self._causes.add(task)
        self._rows.append(row_of(task, len(self._rows)))

    def finish(self, run: RunVerdict, facts: RunFacts) -> None:
        """Write the page around the tasks."""
        css, js = _part("report.css"), _script()
        columns = headings(self._rows)
        page = _environment().get_template("report.html.jinja")
        chunks = page.generate(
            version=__version__,
            css=css,
            js=js,
            policy=_content_policy(css, js),
            page=page_of(run, facts, self._rows),
            run=run,
            facts=facts,
            blocking=self._causes.against(run, Effect.BLOCK),
            warning=self._causes.against(run, Effect.WARN),
            left_out=self._causes.left_out,
            columns=columns,
            totals=totals(self._rows, columns) if len(self._rows) > 1 else [],
            rows=sorted(self._rows, key=lambda row: -row.verdict.severity),
            data=self._embedded(run),
        )
        for chunk in chunks:
            self._out.write(chunk)
        self._context.__exit__(None, None, None)

    def _embedded(self, run: RunVerdict) -> Iterator[Markup]:
        """Yield the page's data as the text of a script element, without the whole in memory."""
        waivers = {waiver.id: waiver.days_left for waiver in run.waivers}
        head = script_json({**self._data.tables(), "waivers": waivers})
        yield Markup(f'{head[:-1]},"tasks":[\n')  # noqa: S704  # script_json escaped it
        self._tasks.seek(0)
        while chunk := self._tasks.read(CHUNK):
            yield Markup(chunk)  # noqa: S704  # script_json escaped it
        yield Markup("\n]}")


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("precheck_gate.reports.html", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["Effect"] = Effect
    return environment


def _part(name: str) -> Markup:
    """Return a part of the page that we wrote ourselves, as it is."""
    folder = resources.files(__package__).joinpath("templates")
    return Markup(folder.joinpath(name).read_text(encoding="utf-8"))  # noqa: S704  # our own


def _script() -> Markup:
    """Return the page's script: its parts share their names with each other and nobody else."""
    parts = Markup("\n").join(_part(f"script/{name}.js") for name in SCRIPT)
    return Markup('\n"use strict";\n(() => {\n') + parts + Markup("})();\n")


def _content_policy(css: str, js: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(js)}'",
            f"style-src '{_hash(css)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
