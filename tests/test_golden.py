"""Are all bytes what they were? Hashes of the naive versions' results, and the lists of methods that tests use.

The first two tests fail for a new method: write its naive version, then ``python tests/golden.py --write``.
"""

import golden
import pytest
import reference
from lists import DTYPES, SPACES

import cheq

CALLS = dict(golden.calls())
MODULES = {"image_histogram_equalization": cheq.recipes}


def test_every_method_and_dtype_has_a_naive_version():
    assert {method: set(dtypes) for method, dtypes in DTYPES.items()} == {
        method: set(dtypes) for method, dtypes in reference.METHODS.items()
    }


def test_every_space_has_a_naive_version():
    assert set(SPACES) == set(reference.COLORS)


def test_every_call_has_a_hash():
    assert list(golden.written()) == list(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_the_naive_versions_answer_as_before(name):
    assert golden.digest(golden.answer(reference, CALLS[name])) == golden.written()[name]


@pytest.mark.parametrize("name", CALLS)
def test_cheq_answers_as_before(kernel, name):
    call = CALLS[name]
    assert golden.digest(golden.answer(MODULES.get(call.function, cheq), call)) == golden.written()[name]
