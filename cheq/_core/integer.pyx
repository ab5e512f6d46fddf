"""Integer planes: histogram, LUT, apply; without the GIL, by the parallel loop of work.pyx.

The callers in ``cheq._equalize`` have checked everything: shapes agree, the last axes are a plane's,
results are writable and overlap nothing. Here buffers become a job. Bytes to bytes have a job and kernels of
their own (bytes.h); levels of 16 bits or with a sign, and results that are not levels, have another (levels.h).
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from cheq._core.dispatch cimport active_kernels
from cheq._core.jobs cimport *
from cheq._core.work cimport CHEQ_APART, CHEQ_FRESH, CHEQ_MAY_OVERLAP, run_work

MAY_OVERLAP, APART, FRESH = CHEQ_MAY_OVERLAP, CHEQ_APART, CHEQ_FRESH

# What makes LUTs, by name: the methods, and Otsu's threshold.
MAKERS = {cheq_maker_at(i, active_kernels()).name.decode(): i for i in range(CHEQ_MAKER_COUNT)}


def run(images, mask, out, hist, luts, int n_batch, int threads, int apart, int maker=0,
        bint signed=False, bint levels=True):
    """Do one call's work on ``images``, whose first ``n_batch`` axes are batch axes.

    With ``hist`` (int64, contiguous) histograms are written; with ``out`` and ``luts`` the LUTs are
    applied; with ``out`` alone the images are equalized by the ``maker``, to ``levels`` of the images' dtype or to
    doubles. ``signed``: whether the images' levels are. Absent arrays are None.

    Returns False, and has done nothing, if ``out`` may overlap what is still to be read when it is
    written, unless the caller knows that all is ``apart`` (APART). The same memory in the same order does not.
    An interrupt leaves each plane of ``out`` whole or untouched, unless the caller made it (FRESH).
    """
    cdef Py_buffer views[5]
    cdef int i
    memset(views, 0, sizeof(views))
    try:
        PyObject_GetBuffer(images, &views[0], PyBUF_STRIDES)
        if mask is not None:
            PyObject_GetBuffer(mask, &views[1], PyBUF_STRIDES)
        if out is not None:
            PyObject_GetBuffer(out, &views[2], PyBUF_STRIDES | PyBUF_WRITABLE)
        if hist is not None:
            PyObject_GetBuffer(hist, &views[3], PyBUF_SIMPLE | PyBUF_WRITABLE)
        if luts is not None:
            PyObject_GetBuffer(luts, &views[4], PyBUF_STRIDES)
        check_shapes(views, n_batch, levels)
        if not apart and may_overlap(views):
            return False
        if signed or views[0].itemsize == 2 or (views[2].buf != NULL and views[2].itemsize > 1):
            run_wide(views, n_batch, threads, maker, signed, levels, apart == CHEQ_FRESH)
        else:
            run_bytes(views, n_batch, threads, maker, apart == CHEQ_FRESH)
        return True
    finally:
        for i in range(5):
            PyBuffer_Release(&views[i])


def equalization_lut(hist, luts, int maker=0, bint signed=False):
    """Fill ``luts`` (levels or doubles) from ``hist`` (int64), both contiguous with a last axis of all levels."""
    cdef Py_buffer counts, result
    cdef Py_ssize_t i
    cdef uint32_t levels = hist.shape[hist.ndim - 1]
    cdef cheq_maker made_by = cheq_maker_at(maker, active_kernels())
    PyObject_GetBuffer(hist, &counts, PyBUF_SIMPLE)
    try:
        PyObject_GetBuffer(luts, &result, PyBUF_STRIDES | PyBUF_WRITABLE)
        with nogil:
            for i in range(result.len // result.itemsize // levels):
                one_lut(&made_by, <const uint64_t *>counts.buf + i * levels,
                        <char *>result.buf + i * levels * result.itemsize, levels, result.itemsize, signed)
        PyBuffer_Release(&result)
    finally:
        PyBuffer_Release(&counts)


def otsu_thresholds(hist, thresholds):
    """Fill ``thresholds`` (int64), one a histogram of ``hist`` (int64), both contiguous."""
    cdef Py_buffer counts, result
    cdef Py_ssize_t i
    cdef uint32_t levels = hist.shape[hist.ndim - 1]
    PyObject_GetBuffer(hist, &counts, PyBUF_SIMPLE)
    try:
        PyObject_GetBuffer(thresholds, &result, PyBUF_SIMPLE | PyBUF_WRITABLE)
        with nogil:
            for i in range(result.len // <Py_ssize_t>sizeof(uint64_t)):
                (<uint64_t *>result.buf)[i] = one_threshold(<const uint64_t *>counts.buf + i * levels, levels)
        PyBuffer_Release(&result)
    finally:
        PyBuffer_Release(&counts)


cdef int check_shapes(const Py_buffer *views, int n_batch, bint levels) except -1:
    """Once more, on the buffers: code of the user's has run since the callers looked at the arrays."""
    cdef const Py_buffer *images = &views[0]
    cdef Py_ssize_t planes = 1
    cdef Py_ssize_t bins = CHEQ_LEVELS if images.itemsize == 1 else CHEQ_LEVELS * CHEQ_LEVELS
    cdef Py_ssize_t entry = views[4].itemsize if views[4].buf != NULL else images.itemsize if levels else sizeof(double)
    cdef bint fits = 0 <= n_batch <= images.ndim and images.itemsize in (1, 2) and entry in (1, 2, 4, 8)
    cdef int i, a
    for i in range(3):
        if views[i].buf != NULL:
            fits = fits and views[i].ndim == images.ndim
            for a in range(images.ndim if fits else 0):
                fits = fits and views[i].shape[a] == images.shape[a]
    for a in range(n_batch if fits else 0):
        planes *= images.shape[a]
    fits = fits and (views[1].buf == NULL or views[1].itemsize == 1)
    fits = fits and (views[2].buf == NULL or views[2].itemsize == entry)
    fits = fits and (views[3].buf == NULL or views[3].len == planes * bins * <Py_ssize_t>sizeof(uint64_t))
    fits = fits and (views[4].buf == NULL or views[4].len in (bins * entry, planes * bins * entry))
    if not fits:
        raise ValueError("images: expected arrays that keep their shape and dtype during the call, got one that changed")
    return 0


cdef bint may_overlap(const Py_buffer *views) noexcept:
    """Whether ``out`` shares memory with the mask, the LUTs, or another element of the images."""
    cdef const Py_buffer *out = &views[2]
    cdef bint same = out.buf == views[0].buf and out.itemsize == views[0].itemsize
    cdef int i
    if out.buf == NULL:
        return False
    for i in range(out.ndim):
        same = same and (out.strides[i] == views[0].strides[i] or out.shape[i] == 1)
    for i in (0, 1, 4):
        if views[i].buf != NULL and not (i == 0 and same) and cheq_ranges_meet(
                out.ndim, out.shape, out.strides, out.buf, out.itemsize,
                views[i].ndim, views[i].shape, views[i].strides, views[i].buf, views[i].itemsize):
            return True
    return False


cdef int run_bytes(Py_buffer *views, int n_batch, int threads, int maker, bint fresh) except -1:
    cdef cheq_job job
    cdef cheq_work work
    job.kernels = active_kernels()
    job.maker = cheq_maker_at(maker, job.kernels)
    job.masked = views[1].buf != NULL
    job.applies = views[2].buf != NULL
    job.hist = <uint64_t *>views[3].buf
    job.luts = <const uint8_t *>views[4].buf
    job.lut_step = 0 if views[4].len == CHEQ_LEVELS else CHEQ_LEVELS
    job.counts = job.luts == NULL
    make_layouts(views, n_batch, &job.counted if job.counts else NULL, &job.applied if job.applies else NULL)
    cheq_job_group(&job)
    work = cheq_job_work(&job)
    if fresh:
        work.writes = work.phases
    return run_work(&work, threads)


cdef int run_wide(Py_buffer *views, int n_batch, int threads, int maker, bint signed, bint levels,
                  bint fresh) except -1:
    cdef cheq_wide_job job
    cdef cheq_work work
    cdef cheq_layout *layout
    job.kernels = active_kernels()
    job.maker = cheq_maker_at(maker, job.kernels)
    job.masked = views[1].buf != NULL
    job.applies = views[2].buf != NULL
    job.hist = <uint64_t *>views[3].buf
    job.luts = <const uint8_t *>views[4].buf
    job.counts = job.luts == NULL
    job.bytes = views[0].itemsize
    job.levels = CHEQ_LEVELS if job.bytes == 1 else CHEQ_LEVELS * CHEQ_LEVELS
    job.flip = job.levels // 2 if signed else 0
    job.entry_bytes = views[2].itemsize if job.applies else 0
    job.entry_is_level = levels
    job.lut_step = <size_t>(job.entry_bytes * <int>job.levels)
    if views[4].len == <Py_ssize_t>job.lut_step:
        job.lut_step = 0
    make_layouts(views, n_batch, &job.counted if job.counts else NULL, &job.applied if job.applies else NULL)
    layout = &job.applied if job.applies else &job.counted
    if job.counts:
        cheq_layout_group(&job.counted, 1)
    if job.applies:
        cheq_layout_group(&job.applied, 1)
    job.groups, job.pixels = cheq_axes_size(&layout.batch), cheq_axes_size(&layout.pixels)
    work = cheq_wide_work(&job)
    if fresh:
        work.writes = work.phases
    return run_work(&work, threads)


cdef void make_layouts(Py_buffer *views, int n_batch, cheq_layout *counted, cheq_layout *applied) noexcept:
    """Where the counted arrays lie, images and mask, and the applied ones, images and result; NULL: not wanted."""
    cdef Py_buffer *images = &views[0]
    if counted != NULL:
        cheq_layout_init(counted, images.ndim, n_batch, images.shape, images.buf, images.strides,
                         views[1].buf, views[1].strides, CHEQ_IMAGES)
    if applied != NULL:
        cheq_layout_init(applied, images.ndim, n_batch, images.shape, images.buf, images.strides,
                         views[2].buf, views[2].strides, CHEQ_OTHER)


cdef void one_lut(const cheq_maker *maker, const uint64_t *hist, void *lut, uint32_t levels, Py_ssize_t entry_bytes,
                  bint signed) noexcept nogil:
    cdef cheq_span all
    cdef cheq_counts counts
    cdef cheq_entries entries
    if levels == CHEQ_LEVELS and entry_bytes == 1 and not signed:
        cheq_make_lut_of_many_bytes(maker, hist, <uint8_t *>lut)
        return
    all.begin, all.end = 0, levels
    counts.hist32, counts.hist64, counts.spans, counts.n_spans, counts.present_only = NULL, hist, &all, 1, False
    entries.lut, entries.bytes, entries.levels = lut, <int>entry_bytes, levels
    entries.flip = levels // 2 if signed else 0
    cheq_make_lut(maker, &counts, &entries)


cdef uint32_t one_threshold(const uint64_t *hist, uint32_t levels) noexcept nogil:
    cdef cheq_span all
    cdef cheq_counts counts
    all.begin, all.end = 0, levels
    counts.hist32, counts.hist64, counts.spans, counts.n_spans, counts.present_only = NULL, hist, &all, 1, False
    return cheq_otsu(&counts)
