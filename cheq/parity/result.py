"""What a check found, as an object, a table and a dictionary."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

_COLUMNS = ("reference", "cases", "pixels", "mismatches", "worst")


@dataclass
class Row:
    """One function or method beside one reference.

    ``cases`` are inputs, each of which was run with every kernel, and some on several threads; ``mismatches`` are
    those for which any run differed, in which ``worst`` is the largest difference (infinite where a shape, a
    dtype or a NaN differs).
    """

    reference: str
    version: str
    compared: str
    cases: int = 0
    pixels: int = 0
    mismatches: int = 0
    worst: float = 0.0

    def numbers(self) -> tuple[str, ...]:
        """What the row counts, as texts."""
        return (f"{self.cases:,}", f"{self.pixels:,}", f"{self.mismatches:,}", f"{self.worst:g}")


@dataclass(frozen=True)
class Mismatch:
    """One input for which cheq and a reference differ, and how to see it again."""

    reference: str
    version: str
    compared: str
    case: str
    kernels: tuple[str, ...]
    threads: int
    difference: str
    worst: float
    path: str | None
    command: str | None

    def __str__(self) -> str:
        where = f"{', '.join(self.kernels)} kernel{'s' * (len(self.kernels) > 1)}"
        return f"{self.compared} beside {self.reference} {self.version}, {where}, {self.case}: {self.difference}"


@dataclass
class Result:
    """What `check` found; its ``repr`` is the report as text.

    Attributes
    ----------
    passed : bool
        Whether something was compared, all of it is equal, and nothing that was given was left out.
    rows : list of Row
        One for every function or method and reference.
    mismatches : list of Mismatch
        The first ones; the rows count all.
    errors : list of str
        What was to be compared and could not be: files, or a reference that failed.
    not_checked : list of str
        What was not compared, and why: absent references, kernels that this CPU lacks, cases left out.
    versions : dict of str
        Of cheq, Python and the references.
    cpu : str
        The processor's name.
    kernels : tuple of str
        Those that were run.
    threads : tuple of int
        The numbers of threads of the runs.
    inputs : dict of int
        How many were compared, of the ``"suite"`` and of those ``"given"``; large batches are several.
    seconds : float
        How long it took.
    """

    versions: dict[str, str]
    cpu: str
    kernels: tuple[str, ...]
    threads: tuple[int, ...]
    rows: list[Row] = field(default_factory=list)
    mismatches: list[Mismatch] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)
    inputs: dict[str, int] = field(default_factory=lambda: {"suite": 0, "given": 0})
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether everything that was to be compared was, and is equal."""
        return bool(self.rows) and not self.errors and not any(row.mismatches for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return everything in lists, dictionaries, texts and finite numbers, as JSON has them."""
        return {"passed": self.passed, **_plain(asdict(self))}

    def about(self) -> list[tuple[str, str]]:
        """Return what the check ran on, as labels and texts."""
        return [
            ("versions", ", ".join(f"{name} {version}" for name, version in self.versions.items())),
            ("CPU", self.cpu),
            ("kernels", ", ".join(self.kernels)),
            ("threads", f"1{''.join(f', and for large inputs and some others {n}' for n in self.threads[1:])}"),
            ("inputs", f"{self.inputs['suite']:,} of the suite, {self.inputs['given']:,} given"),
        ]

    def lists(self) -> dict[str, list[str]]:
        """Return what differs, how to see it again, and what was left out, by titles."""
        return {
            "mismatches": [str(one) for one in self.mismatches],
            "to see them again": [one.command for one in self.mismatches if one.command],
            "not checked": self.not_checked,
        }

    def verdict(self) -> str:
        """Return the outcome in a sentence."""
        pixels, wrong = sum(row.pixels for row in self.rows), sum(row.mismatches for row in self.rows)
        if wrong:
            return f"NOT EQUAL: {wrong:,} of {sum(row.cases for row in self.rows):,} comparisons differ"
        if not self.rows:
            return "nothing was compared"
        equal = f"equal in every bit: {sum(row.cases for row in self.rows):,} comparisons, {pixels:,} pixels"
        return f"{equal}; but not everything was compared" if self.errors else equal

    def __repr__(self) -> str:
        lines = [f"{label:9} {text}" for label, text in self.about()]
        lines += ["", *(text for text, _ in table(self.rows))] if self.rows else []
        for title, texts in (self.lists() | {"errors": self.errors}).items():
            lines += ["", f"{title}:", *(f"- {text}" for text in texts)] if texts else []
        return "\n".join([*lines, "", f"{self.verdict()} ({self.seconds:.1f} s)"])


def table(rows: list[Row]) -> list[tuple[str, Row | None]]:
    """Return lines, and the rows that they show: under each reference and its version what was compared with it."""
    cells = [(f"  {row.compared}", *row.numbers()) for row in rows]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *cells, strict=True)]

    def line(texts: tuple[str, ...]) -> str:
        first, *numbers = texts
        aligned = (number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True))
        return "  ".join([first.ljust(widths[0]), *aligned])

    lines: list[tuple[str, Row | None]] = [(line(_COLUMNS), None)]
    before = ""
    for row, texts in zip(rows, cells, strict=True):
        if row.reference != before:
            lines.append((f"{row.reference} {row.version}", None))
        before = row.reference
        lines.append((line(texts), row))
    return lines


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return "infinite" if isinstance(value, float) and math.isinf(value) else value
