"""Planes of floats: the range of every plane first, then bins, a distribution and its interpolation.

The callers in ``cheq._floating`` have checked everything that does not need the pixels. The two steps are apart
because no plane may be written before all planes' ranges are known to be good.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from cheq._core.dispatch cimport active_kernels, cheq_kernels
from cheq._core.jobs cimport *
from cheq._core.work cimport cheq_work, run_work

cdef extern from "jobs/floats.h" nogil:
    ctypedef struct cheq_values:
        double smallest
        double largest
        uint8_t counted
        uint8_t has_nan
        uint8_t has_infinity

    ctypedef struct cheq_floating_job:
        const cheq_kernels *kernels
        cheq_distribution *distribution
        bint masked
        int bytes
        int result_bytes
        cheq_layout counted
        cheq_layout applied
        size_t groups
        size_t pixels
        size_t n
        cheq_values *values
        double *cdf
        double *points
        bint applies

    cheq_work cheq_ranges_work(const cheq_floating_job *job)
    cheq_work cheq_floating_work(const cheq_floating_job *job)
    bint cheq_floating_plainly_has_bins(const cheq_floating_job *job, size_t group)
    bint cheq_floating_has_bins(const cheq_floating_job *job, size_t group, void *memory)
    size_t cheq_floating_scratch_bytes(size_t n)

# What can be wrong with a plane.
NAN_FOUND, INFINITY_FOUND, NO_BINS = 1, 2, 3


def run(images, mask, out, cdf, points, int n_batch, int threads, int maker, size_t n, bint omit,
        bint fresh):
    """Equalize ``images`` into ``out``, or give the distributions, (planes, n) doubles each, or both.

    Returns None, or the number of the first plane that has no answer and what is wrong with it; then nothing has
    been written. With ``omit``, what is not finite is passed over. An interrupt leaves each plane of ``out`` whole or
    untouched, unless the caller made it (``fresh``).
    """
    cdef Py_buffer views[5]
    cdef cheq_floating_job job
    cdef cheq_work work
    cdef int i
    memset(views, 0, sizeof(views))
    job.values = NULL
    try:
        PyObject_GetBuffer(images, &views[0], PyBUF_STRIDES)
        if mask is not None:
            PyObject_GetBuffer(mask, &views[1], PyBUF_STRIDES)
        if out is not None:
            PyObject_GetBuffer(out, &views[2], PyBUF_STRIDES | PyBUF_WRITABLE)
        if cdf is not None:
            PyObject_GetBuffer(cdf, &views[3], PyBUF_SIMPLE | PyBUF_WRITABLE)
            PyObject_GetBuffer(points, &views[4], PyBUF_SIMPLE | PyBUF_WRITABLE)
        make_job(&job, views, n_batch, maker, n)
        job.values = <cheq_values *>calloc(max(job.groups, <size_t>1), sizeof(cheq_values))
        if job.values == NULL:
            raise MemoryError("cheq: no memory for the planes' ranges")
        work = cheq_ranges_work(&job)
        run_work(&work, threads)
        wrong = find_wrong(&job, omit)
        if wrong is None:
            work = cheq_floating_work(&job)
            if fresh:
                work.writes = work.phases
            run_work(&work, threads)
        return wrong
    finally:
        free(job.values)
        for i in range(5):
            PyBuffer_Release(&views[i])


cdef int make_job(cheq_floating_job *job, Py_buffer *views, int n_batch, int maker, size_t n) except -1:
    cdef Py_buffer *images = &views[0]
    cdef Py_buffer *mask = &views[1]
    cdef Py_buffer *out = &views[2]
    check_shapes(views, n_batch, n)
    job.kernels, job.n = active_kernels(), n
    job.distribution = cheq_maker_at(maker, job.kernels).distribution
    job.masked, job.applies = mask.buf != NULL, out.buf != NULL
    job.bytes, job.result_bytes = images.itemsize, out.itemsize
    job.cdf, job.points = <double *>views[3].buf, <double *>views[4].buf
    cheq_layout_init(&job.counted, images.ndim, n_batch, images.shape, images.buf, images.strides,
                     mask.buf, mask.strides, CHEQ_IMAGES)
    cheq_layout_group(&job.counted, 1)
    if job.applies:
        cheq_layout_init(&job.applied, images.ndim, n_batch, images.shape, images.buf, images.strides,
                         out.buf, out.strides, CHEQ_OTHER)
        cheq_layout_group(&job.applied, 1)
    job.groups, job.pixels = cheq_axes_size(&job.counted.batch), cheq_axes_size(&job.counted.pixels)
    return 0


cdef int check_shapes(const Py_buffer *views, int n_batch, size_t n) except -1:
    """Once more, on the buffers: code of the user's has run since the callers looked at the arrays."""
    cdef const Py_buffer *images = &views[0]
    cdef Py_ssize_t planes = 1
    cdef bint fits = 0 <= n_batch <= images.ndim and images.itemsize in (4, 8)
    cdef int i, a
    for i in range(3):
        if views[i].buf != NULL:
            fits = fits and views[i].ndim == images.ndim
            for a in range(images.ndim if fits else 0):
                fits = fits and views[i].shape[a] == images.shape[a]
    for a in range(n_batch if fits else 0):
        planes *= images.shape[a]
    fits = fits and (views[1].buf == NULL or views[1].itemsize == 1)
    fits = fits and (views[2].buf == NULL or views[2].itemsize in (4, 8))
    for i in range(3, 5):
        fits = fits and (views[i].buf == NULL or views[i].len == planes * <Py_ssize_t>(n * sizeof(double)))
    if not fits:
        raise ValueError("images: expected arrays that keep their shape and dtype during the call, got one that changed")
    return 0


cdef find_wrong(const cheq_floating_job *job, bint omit):
    """The first plane without an answer, and why."""
    cdef void *memory = calloc(cheq_floating_scratch_bytes(job.n), 1)
    cdef size_t group
    if memory == NULL:
        raise MemoryError("cheq: no memory for a plane's bins")
    try:
        for group in range(job.groups if job.pixels > 0 else 0):
            if job.values[group].has_nan and not omit:
                return group, NAN_FOUND
            if job.values[group].has_infinity and not omit:
                return group, INFINITY_FOUND
            if cheq_floating_plainly_has_bins(job, group):
                continue
            PyErr_CheckSignals()  # millions of bins take a while
            if not cheq_floating_has_bins(job, group, memory):
                return group, NO_BINS
        return None
    finally:
        free(memory)
