"""What planes are to be like, as tables, and planes of floats that get the histograms of others.

A table of targets is two contiguous arrays: knots, (n, 4) doubles, and rows, (targets, 2) int64: where each target's knots
begin, and their number (formulas/match.h). The histograms of integers are matched in integer.pyx.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int64_t, uint8_t
from libc.stdlib cimport free
from libc.string cimport memset

from cheq._core.jobs cimport *
from cheq._core.targets cimport *
from cheq._core.views cimport *
from cheq._core.work cimport cheq_work, run_work, zeros

cdef extern from "formulas/match.h" nogil:
    size_t cheq_knots_make(const double *shares, const uint8_t *present, size_t levels, double lowest,
                           cheq_knot *knots)

cdef extern from "jobs/match.h" nogil:
    enum:
        CHEQ_MOST_RANKED

    ctypedef struct cheq_match_job:
        int bytes
        bint keeps
        cheq_layout layout
        size_t groups
        size_t pixels
        cheq_matching matching
        cheq_knot *knots
        int64_t (*rows)[2]

    cheq_work cheq_match_work(const cheq_match_job *job)

MOST_PIXELS = <size_t>CHEQ_MOST_RANKED  # of a plane of floats


def learn_levels(shares, present, double lowest, knots, rows):
    """Fill the targets of histograms: ``shares`` of pixels at or below each level (doubles), and which are ``present`` (bool).

    Both are (targets, levels), and all arrays contiguous; there are as many knots as levels present and targets.
    """
    cdef Py_buffer buffers[4]
    cdef size_t levels = shares.shape[1]
    cdef size_t first = 0
    cdef int64_t *row
    cdef Py_ssize_t i
    memset(buffers, 0, sizeof(buffers))
    try:
        for i, array in enumerate((shares, present, knots, rows)):
            PyObject_GetBuffer(array, &buffers[i], PyBUF_SIMPLE | (PyBUF_WRITABLE if i > 1 else 0))
        for i in range(len(rows)):
            row = <int64_t *>buffers[3].buf + 2 * i
            row[0] = first
            row[1] = cheq_knots_make(<const double *>buffers[0].buf + i * levels,
                                     <const uint8_t *>buffers[1].buf + i * levels, levels, lowest,
                                     <cheq_knot *>buffers[2].buf + first)
            first += row[1] + 1
    finally:
        for i in range(4):
            PyBuffer_Release(&buffers[i])


def learn_floats(call, knots, rows):
    """Fill the targets of the call's planes of floats: room for one knot more a plane than it has pixels.

    NaN is left out, and so is what the mask does not select.
    """
    cdef cheq_views views
    cdef cheq_match_job *job = NULL
    cdef cheq_work work
    memset(&views, 0, sizeof(views))
    try:
        open_views(&views, call, knots, rows, PyBUF_WRITABLE)
        job = job_of(&views)
        check(views.tables[0].len == <Py_ssize_t>(job.groups * (job.pixels + 1) * 4 * sizeof(double))
              and views.tables[1].len == <Py_ssize_t>(job.groups * sizeof(int64_t[2])))
        job.knots, job.rows = <cheq_knot *>views.tables[0].buf, <int64_t (*)[2]>views.tables[1].buf
        work = cheq_match_work(job)
        run_work(&work, views.threads, True)
    finally:
        free(job)
        release_views(&views)


def match_floats(call, targets):
    """Give each plane the histogram of its target. An interrupt leaves each plane of the result whole or untouched."""
    cdef cheq_views views
    cdef cheq_targets opened
    cdef cheq_match_job *job = NULL
    cdef cheq_work work
    memset(&views, 0, sizeof(views))
    memset(&opened, 0, sizeof(opened))
    try:
        open_views(&views, call, None, None, 0)
        if may_overlap(&views, False):
            call.separate()
            return match_floats(call, targets)
        job = job_of(&views)
        check(views.out.buf != NULL)
        open_targets(&opened, targets, False)
        job.matching = opened.matching
        work = cheq_match_work(job)
        run_work(&work, views.threads, views.ownership == CHEQ_FRESH)
    finally:
        free(job)
        close_targets(&opened)
        release_views(&views)


cdef cheq_match_job *job_of(cheq_views *views) except NULL:
    cdef cheq_match_job *job
    check(0 <= views.n_batch <= views.images.ndim and has_kind(&views.images, b"fd")
          and (views.out.buf == NULL or kind_of(&views.out) == kind_of(&views.images))
          and has_kind(&views.mask, b"?") and has_shape(&views.mask, &views.images)
          and has_shape(&views.out, &views.images))
    job = <cheq_match_job *>zeros(sizeof(cheq_match_job))
    job.bytes, job.keeps = <int>views.images.itemsize, views.keeps
    if views.out.buf == NULL:
        make_layouts(views, &job.layout, NULL)
    else:
        views.keeps = True  # so that the layout has the mask
        make_layouts(views, NULL, &job.layout)
    cheq_layout_group(&job.layout, 1)
    job.groups, job.pixels = cheq_axes_size(&job.layout.batch), cheq_axes_size(&job.layout.pixels)
    return job
