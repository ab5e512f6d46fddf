"""What planes are to be like, as a table: arrays that matching.pyx fills, opened for the formula (formulas/match.h)."""

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int64_t
from libc.string cimport memset

from cheq._core.jobs cimport *

cdef extern from "formulas/bins.h" nogil:
    ctypedef struct cheq_knot:
        pass

cdef extern from "formulas/match.h" nogil:
    ctypedef struct cheq_matching:
        const cheq_knot *knots
        const int64_t (*rows)[2]
        size_t row_step
        bint truncates

    ctypedef struct cheq_learning:
        cheq_knot *knots
        int64_t (*rows)[2]
        size_t room
        double lowest

cdef extern from "jobs/makers.h" nogil:
    cheq_maker cheq_learner(const cheq_learning *learning)
    cheq_maker cheq_matcher(const cheq_matching *matching)

ctypedef struct cheq_targets:
    Py_buffer knots
    Py_buffer rows
    cheq_matching matching


cdef inline int open_targets(cheq_targets *targets, arrays, Py_ssize_t planes, bint truncates) except -1:
    """Open the knots and the rows of a number of planes, or one for all; the caller closes, also after an error."""
    knots, rows = arrays
    memset(targets, 0, sizeof(cheq_targets))
    PyObject_GetBuffer(knots, &targets.knots, PyBUF_C_CONTIGUOUS)
    PyObject_GetBuffer(rows, &targets.rows, PyBUF_C_CONTIGUOUS)
    if len(rows) not in (1, planes):
        raise ValueError(f"cheq: {rows.shape} rows of targets for {planes} planes")
    targets.matching.knots = <const cheq_knot *>targets.knots.buf
    targets.matching.rows = <const int64_t (*)[2]>targets.rows.buf
    targets.matching.row_step = len(rows) > 1
    targets.matching.truncates = truncates
    return 0


cdef inline void close_targets(cheq_targets *targets) noexcept:
    PyBuffer_Release(&targets.knots)
    PyBuffer_Release(&targets.rows)
