"""Parameters that plain ``pytest`` leaves out."""

import pytest


def exhaustive(*cases):
    """The rest of a list, of which a few cases already show what there is to see."""
    return [pytest.param(case, marks=pytest.mark.exhaustive) for case in cases]
