"""The command ``cheq`` and its subcommands."""

from typing import Annotated

import typer

import cheq
from cheq.cli.commands.bench import bench
from cheq.cli.commands.clahe import clahe
from cheq.cli.commands.demo import demo
from cheq.cli.commands.equalize import equalize
from cheq.cli.commands.figure import figure
from cheq.cli.commands.info import info
from cheq.cli.commands.parity import parity

app = typer.Typer(
    name="cheq",
    help="Exact, fast histogram equalization of images and of NumPy arrays of images.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cheq {cheq.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


for _command in (equalize, clahe, figure, parity, bench, info, demo):
    app.command()(_command)
