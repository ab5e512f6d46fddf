"""Planes of floats: the range of every plane first, then bins, a distribution and its interpolation.

A call (``cheq._call.Call``) has checked everything that does not need the pixels. The two steps are apart
because no plane may be written before all planes' ranges are known to be good.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport uint8_t
from libc.stdlib cimport free
from libc.string cimport memset

from cheq._core.dispatch cimport active_kernels, cheq_kernels
from cheq._core.jobs cimport *
from cheq._core.views cimport *
from cheq._core.work cimport cheq_arithmetic, cheq_arithmetic_begin, cheq_arithmetic_end, cheq_work, run_work, zeros

cdef extern from "jobs/floats.h" nogil:
    ctypedef struct cheq_values:
        double smallest
        double largest
        uint8_t counted
        uint8_t has_nan
        uint8_t has_infinity

    ctypedef struct cheq_floats_job:
        const cheq_kernels *kernels
        cheq_distribution *distribution
        int bytes
        int result_bytes
        cheq_layout counted
        cheq_layout applied
        size_t groups
        size_t pixels
        size_t n
        size_t tables
        cheq_values *values
        double *cdf
        double *points
        bint applies

    cheq_work cheq_ranges_work(const cheq_floats_job *job)
    cheq_work cheq_floats_work(const cheq_floats_job *job)
    bint cheq_floats_have_bins(const cheq_floats_job *job, size_t group, void *memory)
    size_t cheq_floats_counts_bytes(size_t n, size_t tables)
    size_t cheq_floats_tables(size_t pixels, size_t n)

# What can be wrong with a plane.
NAN_FOUND, INFINITY_FOUND, NO_BINS = 1, 2, 3


def equalize(call, cdf, points, int maker, size_t n, bint omit):
    """Equalize the call's images, or give the distributions, (planes, n) doubles each, or both.

    Returns None, or the number of the first plane that has no answer and what is wrong with it; then nothing has
    been written. With ``omit``, what is not finite is passed over. Interrupts: see integer.equalize.
    """
    cdef cheq_views views
    cdef cheq_floats_job *job = NULL
    cdef cheq_values *values = NULL
    cdef cheq_work work
    memset(&views, 0, sizeof(views))
    try:
        open_views(&views, call, cdf, points, PyBUF_WRITABLE)
        check(fits(&views, n) and cheq_maker_at(maker, active_kernels()).distribution != NULL)
        if may_overlap(&views, False):
            call.separate()
            return equalize(call, cdf, points, maker, n, omit)
        job = <cheq_floats_job *>zeros(sizeof(cheq_floats_job))
        make_job(job, &views, maker, n)
        job.values = values = <cheq_values *>zeros(job.groups * sizeof(cheq_values))
        work = cheq_ranges_work(job)
        run_work(&work, views.threads, False)
        wrong = find_wrong(job, omit)
        if wrong is not None:
            return wrong
        work = cheq_floats_work(job)
        run_work(&work, views.threads, views.ownership == CHEQ_FRESH)
        return None
    finally:
        free(values)
        free(job)
        release_views(&views)


def find_outside(call, double lowest, double highest):
    """Return None if the call's images are in this range, or the number of the first plane that is not and a value of its.

    A NaN comes before an infinity, and that before other values.
    """
    cdef cheq_views views
    cdef cheq_floats_job *job = NULL
    cdef cheq_values *values = NULL
    cdef cheq_work work
    cdef size_t group
    memset(&views, 0, sizeof(views))
    try:
        open_views(&views, call, None, None, 0)
        check(fits(&views, 0))
        job = <cheq_floats_job *>zeros(sizeof(cheq_floats_job))
        make_job(job, &views, 0, 0)
        job.values = values = <cheq_values *>zeros(job.groups * sizeof(cheq_values))
        work = cheq_ranges_work(job)
        run_work(&work, views.threads, False)
        for group in range(job.groups if job.pixels > 0 else 0):
            if values[group].has_nan:
                return group, float("nan")
            if values[group].has_infinity:
                return group, float("inf")
            if values[group].smallest < lowest:
                return group, values[group].smallest
            if values[group].largest > highest:
                return group, values[group].largest
        return None
    finally:
        free(values)
        free(job)
        release_views(&views)


cdef bint fits(const cheq_views *views, size_t n) noexcept:
    cdef Py_ssize_t table = <Py_ssize_t>(n * sizeof(double))
    cdef int i
    if not (0 <= views.n_batch <= views.images.ndim and has_kind(&views.images, b"fd") and has_kind(&views.out, b"fd")
            and has_kind(&views.mask, b"?") and has_shape(&views.mask, &views.images)
            and has_shape(&views.out, &views.images)):
        return False
    for i in range(2):
        if views.tables[i].buf != NULL and not (
                has_kind(&views.tables[i], b"d") and views.tables[i].len == planes_of(views) * table):
            return False
    return True


cdef void make_job(cheq_floats_job *job, cheq_views *views, int maker, size_t n) noexcept:
    job.kernels, job.n = active_kernels(), n
    job.distribution = cheq_maker_at(maker, job.kernels).distribution
    job.applies = views.out.buf != NULL
    job.bytes, job.result_bytes = views.images.itemsize, views.out.itemsize
    job.cdf, job.points = <double *>views.tables[0].buf, <double *>views.tables[1].buf
    make_layouts(views, &job.counted, &job.applied if job.applies else NULL)
    cheq_layout_group(&job.counted, 1)
    if job.applies:
        cheq_layout_group(&job.applied, 1)
    job.groups, job.pixels = cheq_axes_size(&job.counted.batch), cheq_axes_size(&job.counted.pixels)
    job.tables = cheq_floats_tables(job.pixels, n)


cdef find_wrong(const cheq_floats_job *job, bint omit):
    """The first plane without an answer, and why."""
    cdef void *memory = zeros(cheq_floats_counts_bytes(job.n, job.tables))
    cdef size_t group
    cdef cheq_arithmetic before
    cdef bint has_bins
    try:
        for group in range(job.groups if job.pixels > 0 else 0):
            if job.values[group].has_nan and not omit:
                return group, NAN_FOUND
            if job.values[group].has_infinity and not omit:
                return group, INFINITY_FOUND
            PyErr_CheckSignals()  # millions of bins take a while
            before = cheq_arithmetic_begin()
            has_bins = cheq_floats_have_bins(job, group, memory)
            cheq_arithmetic_end(before)
            if not has_bins:
                return group, NO_BINS
        return None
    finally:
        free(memory)
