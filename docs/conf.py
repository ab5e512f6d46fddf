"""Settings of the documentation: ``sphinx-build -W --keep-going -b html docs build/docs``.

The installed cheq is documented, and nothing is fetched while building or reading.
"""

import sys
from pathlib import Path

from sphinx.application import Sphinx

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


def setup(app: Sphinx) -> None:
    """Make the figures before the pages that show them are read."""
    app.connect("builder-inited", _make_gallery)
