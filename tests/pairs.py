"""Samples of crosses: rows that hold every pair of values of any two factors, and far fewer than the product has."""

import itertools


def pairs(*factors):
    """Rows, one value of each factor; of every two factors each pair of values is in one row or more."""
    missing = {
        ((i, a), (j, b)): None  # a dict, whose order is the same every time
        for i, j in itertools.combinations(range(len(factors)), 2)
        for a, b in itertools.product(range(len(factors[i])), range(len(factors[j])))
    }
    rows = []
    while missing:
        row = dict(next(iter(missing)))
        for factor in range(len(factors)):
            if factor not in row:
                row[factor] = max(range(len(factors[factor])), key=lambda v, f=factor: _new(missing, row, f, v))
        places = sorted(row.items())
        for pair in itertools.combinations(places, 2):
            missing.pop(pair, None)
        rows.append(tuple(factors[factor][place] for factor, place in places))
    return rows


def _new(missing, row, factor, value):
    """How many missing pairs a value would add to a row."""
    return sum(tuple(sorted(((factor, value), other))) in missing for other in row.items())
