"""Are all bytes what they were? Hashes of the naive versions' results, and the lists of methods that tests use.

The first two tests fail for a new method: write its naive version, then ``python tests/golden.py --write``.
"""

import golden
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


def differing(module_of):
    """The calls whose results have other hashes than those that are written."""
    written = golden.written()
    return [
        name for name, call in CALLS.items() if golden.digest(golden.answer(module_of(call), call)) != written[name]
    ]


def test_the_naive_versions_answer_as_before():
    assert differing(lambda call: reference) == []


def test_cheq_answers_as_before(kernel):
    assert differing(lambda call: MODULES.get(call.function, cheq)) == []
