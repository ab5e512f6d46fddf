"""Settings of the documentation: ``sphinx-build -W --keep-going -b html docs build/docs``.

The installed cheq is documented, and nothing is fetched while building or reading.
"""

import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.inspect import signature as get_signature
from sphinx.util.inspect import stringify_signature

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import gallery  # noqa: E402

import cheq  # noqa: E402

project = "cheq"
author = "The cheq developers"
copyright = author
version = release = cheq.__version__

extensions = ["sphinx.ext.autodoc", "numpydoc", "myst_parser", "directives"]
exclude_patterns = ["_gallery"]
# Single backticks in docstrings are parameters and functions: a link where there is something to link to, else code.
default_role = "py:obj"
# Options are written --so.
smartquotes = False

# Their modules of cheq are documented where they are not installed too.
autodoc_mock_imports = ["dask", "torch", "torchvision", "xarray", "albumentations", "albucore"]
# Types are in the docstrings, with shapes; a signature would be mostly NumPy's names for them.
autodoc_typehints = "none"
# numpydoc's own lists; autodoc lists members here.
numpydoc_show_class_members = False
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"cheq {release}"
html_copy_source = html_show_sourcelink = False
html_show_copyright = False
html_static_path = ["site.css"]
html_css_files = ["site.css"]


def _make_gallery(app: Sphinx) -> None:
    gallery.make(Path(app.srcdir) / "_gallery")


def _sign_class(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str, str] | None:
    """Show what a class is made with: the base that stands in for another library's would hide it."""
    if what != "class":
        return None
    return stringify_signature(get_signature(obj.__init__, bound_method=True), show_annotation=False), ""


def setup(app: Sphinx) -> None:
    """Make the figures before the pages that show them are read."""
    app.connect("builder-inited", _make_gallery)
    app.connect("autodoc-process-signature", _sign_class)
