"""What planes are to be like, as a table: arrays that matching.pyx fills, opened for the formula (formulas/match.h)."""

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int64_t
from libc.string cimport memset

from cheq._core.jobs cimport *
from cheq._core.views cimport check

cdef extern from "formulas/bins.h" nogil:
    ctypedef struct cheq_knot:
        pass

cdef extern from "formulas/match.h" nogil:
    ctypedef struct cheq_matching:
        const cheq_knot *knots
        const int64_t (*rows)[2]
        size_t n_rows
        bint truncates

    ctypedef struct cheq_learning:
        cheq_knot *knots
        int64_t (*rows)[2]
        size_t n_rows
        size_t room
        double lowest

cdef extern from "jobs/makers.h" nogil:
    cheq_maker cheq_learner(const cheq_learning *learning)
    cheq_maker cheq_matcher(const cheq_matching *matching)

ctypedef struct cheq_targets:
    Py_buffer knots
    Py_buffer rows
    cheq_matching matching
    cheq_maker maker  # of LUTs that match


cdef inline int open_targets(cheq_targets *targets, arrays, bint truncates) except -1:
    """Open the knots and the rows, one for each plane or one for all; the caller closes, also after an error."""
    memset(targets, 0, sizeof(cheq_targets))  # first: nothing else is closed then
    knots, rows = arrays
    PyObject_GetBuffer(knots, &targets.knots, PyBUF_C_CONTIGUOUS)
    PyObject_GetBuffer(rows, &targets.rows, PyBUF_C_CONTIGUOUS)
    targets.matching.knots = <const cheq_knot *>targets.knots.buf
    targets.matching.rows = <const int64_t (*)[2]>targets.rows.buf
    targets.matching.n_rows = targets.rows.len // <Py_ssize_t>sizeof(int64_t[2])
    targets.matching.truncates = truncates
    check(targets.matching.n_rows > 0)
    targets.maker = cheq_matcher(&targets.matching)
    return 0


cdef inline void close_targets(cheq_targets *targets) noexcept:
    PyBuffer_Release(&targets.knots)
    PyBuffer_Release(&targets.rows)
