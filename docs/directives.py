"""A directive, so that no page repeats what the command line knows about itself."""

import inspect
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from typer.main import get_command

from cheq.cli.app import app as typer_app

_WIDTH = 88
_GROUP = get_command(typer_app)


def commands() -> dict[str, Any]:
    """The commands of ``cheq`` by name; their class is click's, or typer's own copy of it."""
    found: dict[str, Any] = vars(_GROUP)["commands"]
    return found


def _rows(command: Any, context: Any) -> Iterator[tuple[str, str]]:
    """What ``--help`` lists: each argument and option, and its help."""
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context) or ("", parameter.help)
        name = parameter.metavar or parameter.name.upper()
        yield (name, record[1]) if parameter.param_type_name == "argument" else record


def _as_markdown(name: str, command: Any) -> str:
    """One command's section: usage, its help (which is Markdown), a table of its parameters."""
    parent = _GROUP.make_context("cheq", [], resilient_parsing=True)
    context = command.context_class(command, info_name=name, parent=parent, terminal_width=_WIDTH)
    usage = command.get_usage(context).removeprefix("Usage: ")
    cells = ([cell.replace("|", "\\|") for cell in row] for row in _rows(command, context))
    rows = [f"| `{names}` | {text} |" for names, text in cells]
    table = "\n".join(["| | |", "| --- | --- |", *rows])
    return f"## cheq {name}\n\n```text\n{usage}\n```\n\n{inspect.cleandoc(command.help)}\n\n{table}\n"


class Commands(SphinxDirective):
    """``{commands}``: a section for each command, made from its own help."""

    def run(self) -> list[nodes.Node]:
        text = "\n".join(_as_markdown(name, command) for name, command in commands().items())
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
