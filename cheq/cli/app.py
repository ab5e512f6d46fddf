"""The command ``cheq`` and its subcommands."""

from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

import cheq
from cheq.cli.commands.bench import bench
from cheq.cli.commands.clahe import clahe
from cheq.cli.commands.demo import demo
from cheq.cli.commands.equalize import equalize
from cheq.cli.commands.figure import figure
from cheq.cli.commands.info import info
from cheq.cli.commands.parity import parity
from cheq.cli.report import printable


class _Plain:
    """Shows flags as such, and names in messages what came."""

    def get_params(self, ctx: Any) -> Any:
        """Return what typer does, with no type beside options that take no value."""
        found = super().get_params(ctx)  # type: ignore[misc]
        for each in found:
            if getattr(each, "is_flag", False):
                each.metavar = ""
        return found

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Do as typer does; its newer releases hand on what pydantic says, and not of which text."""
        try:
            return super().parse_args(ctx, args)  # type: ignore[misc, no-any-return]
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            if error.message.startswith("Input should be") and isinstance(error.__cause__, ValueError):
                (first, *_) = error.__cause__.errors()  # type: ignore[attr-defined]
                error.message = (
                    f"{error.message[:1].lower()}{error.message[1:]}; got '{printable(str(first['input']))}'"
                )
            raise


class _Command(_Plain, TyperCommand):
    pass


class _Group(_Plain, TyperGroup):
    pass


app = typer.Typer(
    cls=_Group,
    name="cheq",
    help="Exact, fast histogram equalization of images and of NumPy arrays of images.\n\n"
    "For example: cheq equalize photos/ -o equalized/ --color ycrcb\n\n"
    "Each COMMAND has a --help with examples and its exit status.",
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
    app.command(cls=_Command)(_command)
