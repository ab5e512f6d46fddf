"""Integer planes: histogram, LUT, apply; without the GIL, by the parallel loop of work.pyx.

A call (``cheq._call.Call``) has checked everything. Here its buffers become a job. Bytes to bytes have a job and kernels of
their own (bytes.h); levels of 16 bits or with a sign, and results that are not levels, have another (levels.h).
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from cheq._core.dispatch cimport active_kernels
from cheq._core.jobs cimport *
from cheq._core.targets cimport *
from cheq._core.views cimport *
from cheq._core.work cimport (
    BRIEF, CHEQ_LINE, CHEQ_SMALL_WORK, cheq_arithmetic, cheq_arithmetic_begin, cheq_arithmetic_end, cheq_first_line,
    run_work
)

from numpy import dtype as numpy_dtype, empty, iinfo as numpy_iinfo, ndarray

cdef object UINT8 = numpy_dtype("u1")
cdef object UINT16 = numpy_dtype("u2")
cdef object BOOL = numpy_dtype("?")
NBINS = 256  # the default of that name, which equalize_usual knows by its identity

MAY_OVERLAP, APART, FRESH = CHEQ_MAY_OVERLAP, CHEQ_APART, CHEQ_FRESH

# What makes LUTs, by name: the methods, and Otsu's threshold.
MAKERS = {cheq_maker_at(i, active_kernels()).name.decode(): i for i in range(CHEQ_MAKER_COUNT)}
cdef int OPENCV = MAKERS["opencv"]
cdef int PILLOW = MAKERS["pillow"]


def equalize_usual(
    images, method, color, axes, channel_axis, mask, outside, out, dtype, nbins, nan_policy, num_threads
):
    """The usual call, made quickly: the result, or None for all others, which cheq.equalize then checks and makes.

    Usual are unsigned levels, work for one thread, the last two axes, and no option but the method of Pillow, ``mask``,
    ``outside`` beside it, ``out`` and one thread: every other argument is the very object that is its default. Beside
    work of a microsecond, checks in Python would cost three times as much.
    """
    cdef cheq_views views
    cdef int flags = PyBUF_STRIDES
    cdef int maker = OPENCV if method is "opencv" else PILLOW if method is "pillow" else -1
    if not (maker >= 0 and color is "channels" and axes is None and channel_axis is None
            and dtype is None and nbins is NBINS and nan_policy is "raise"
            and (num_threads is None or (type(num_threads) is int and num_threads == 1))
            and type(images) is ndarray and (mask is None or (type(mask) is ndarray and mask.dtype is BOOL))
            and (outside is "lut" or (outside is "keep" and mask is not None))):
        return None
    kind = images.dtype
    if kind is UINT16 and maker == OPENCV:
        flags |= PyBUF_FORMAT  # which takes time to write, and bytes need none
    elif kind is not UINT8:
        return None
    memset(&views, 0, sizeof(views))
    try:
        PyObject_GetBuffer(images, &views.images, flags)
        if not is_usual(&views.images):
            return None
        if out is None:
            out = empty(images.shape, kind)
        elif type(out) is not ndarray or out.dtype is not kind:
            return None
        PyObject_GetBuffer(out, &views.out, flags)
        if mask is not None:
            PyObject_GetBuffer(mask, &views.mask, PyBUF_STRIDES)
        views.n_batch, views.threads, views.ownership = views.images.ndim - 2, 1, CHEQ_MAY_OVERLAP
        views.keeps = outside is "keep"
        # Without a GIL, another thread may have given an array another dtype since it was asked for.
        if not (is_dense(&views.out) and views.out.itemsize == views.images.itemsize and not views.out.readonly
                and has_shape(&views.out, &views.images) and has_shape(&views.mask, &views.images)
                ) or may_overlap(&views, False):
            return None
        run_usual(&views, maker)
        return out
    finally:
        release_views(&views)


cdef int run_usual(cheq_views *views, int maker) except -1:
    cdef cheq_maker made_by = cheq_maker_at(maker, active_kernels())
    cdef char *room
    cdef size_t pixels = views.images.len
    if views.images.itemsize == 2:
        return run_levels(views, &made_by, False)
    if views.mask.buf != NULL or views.images.ndim > 2 or views.images.len > BRIEF or not is_dense(&views.images):
        return run_bytes(views, &made_by, False)
    room = room_of(CHEQ_ROOM) if pixels >= CHEQ_NO_ROOM else NULL
    cheq_equalize_plane(active_kernels(), &made_by, <const uint8_t *>views.images.buf, <uint8_t *>views.out.buf, pixels,
                        NULL if room == NULL else cheq_first_line(room))
    free(room)
    return 0


cdef char *room_of(size_t size) except NULL:
    """Memory of any content, for its owner to free; from its first cache line on it has so many bytes."""
    cdef void *room = malloc(size + CHEQ_LINE)
    if room == NULL:
        raise MemoryError(f"cheq: no memory, {size} bytes")
    return <char *>room


cdef bint is_usual(const Py_buffer *images) noexcept:
    """Whether images are few, and their last two axes plainly those of planes."""
    cdef int last = images.ndim - 1
    return last >= 1 and images.len < CHEQ_SMALL_WORK and (last == 1 or images.shape[last] not in (1, 3, 4))


cdef bint is_dense(const Py_buffer *array) noexcept:
    """Whether it is C-contiguous, so that no element overlaps another."""
    cdef Py_ssize_t stride = array.itemsize
    cdef int a
    for a in range(array.ndim - 1, -1, -1):
        if array.strides[a] != stride:
            return False
        stride *= array.shape[a]
    return True


def equalize(call, int maker):
    """Equalize the call's images into its result by a maker: to levels of their dtype, or else to doubles.

    An interrupt leaves each plane of the result whole or untouched, unless it is fresh.
    """
    cdef cheq_maker made_by = cheq_maker_at(maker, active_kernels())
    run(call, None, None, &made_by)


def match(call, targets, bint truncates):
    """Give each plane the histogram of its target (matching.pyx), as levels, the nearest or truncated, or doubles.

    Interrupts: see equalize.
    """
    cdef cheq_targets opened
    try:
        open_targets(&opened, targets, truncates)
        run(call, None, None, &opened.maker)
    finally:
        close_targets(&opened)


def learn(call, knots, rows):
    """Fill the targets (matching.pyx) of the call's planes, with room for as many knots each as fit."""
    cdef Py_buffer buffers[2]
    cdef cheq_learning learning
    cdef cheq_maker made_by
    memset(buffers, 0, sizeof(buffers))
    try:
        PyObject_GetBuffer(knots, &buffers[0], PyBUF_SIMPLE | PyBUF_WRITABLE)
        PyObject_GetBuffer(rows, &buffers[1], PyBUF_SIMPLE | PyBUF_WRITABLE)
        learning.knots, learning.rows = <cheq_knot *>buffers[0].buf, <int64_t (*)[2]>buffers[1].buf
        learning.n_rows = buffers[1].len // <Py_ssize_t>sizeof(int64_t[2])
        learning.room = buffers[0].len // <Py_ssize_t>(sizeof(cheq_knot) * max(learning.n_rows, <size_t>1))
        check(learning.room > 0)
        learning.lowest = numpy_iinfo(call.images.dtype).min
        made_by = cheq_learner(&learning)
        run(call, None, None, &made_by)
    finally:
        PyBuffer_Release(&buffers[0])
        PyBuffer_Release(&buffers[1])


def count(call, hist):
    """Write the histogram of every plane to ``hist``, int64, contiguous."""
    run(call, hist, None, NULL)


def apply(call, luts):
    """Replace the levels of the images by their entries in ``luts``, contiguous: one for all planes, or one a plane."""
    run(call, None, luts, NULL)


cdef int run(call, hist, luts, const cheq_maker *maker) except -1:
    cdef cheq_views views
    cdef bint looks_up = luts is not None
    memset(&views, 0, sizeof(views))
    try:
        open_views(&views, call, luts if looks_up else hist, None, 0 if looks_up else PyBUF_WRITABLE)
        check(fits(&views, looks_up))
        if not may_overlap(&views, looks_up):
            if has_kind(&views.images, b"B") and views.out.itemsize <= 1:
                return run_bytes(&views, maker, looks_up)
            return run_levels(&views, maker, looks_up)
    finally:
        release_views(&views)
    return run(call, hist, call.separate(luts), maker)


def equalization_lut(hist, luts, int maker, bint signed):
    """Fill ``luts`` (levels or doubles) from ``hist`` (int64), both contiguous with a last axis of all levels."""
    cdef cheq_maker made_by = cheq_maker_at(maker, active_kernels())
    make_luts(hist, luts, &made_by, signed)


def matching_lut(hist, luts, targets, bint signed):
    """The same for a target of each histogram; levels are the nearest."""
    cdef cheq_targets opened
    try:
        open_targets(&opened, targets, False)
        make_luts(hist, luts, &opened.maker, signed)
    finally:
        close_targets(&opened)


cdef int make_luts(hist, luts, const cheq_maker *maker, bint signed) except -1:
    cdef Py_buffer counts, result
    cdef Py_ssize_t i
    cdef uint32_t levels = hist.shape[hist.ndim - 1]
    cdef cheq_entries entries
    cdef cheq_arithmetic before
    cdef char *room = room_of(CHEQ_ROOM)
    memset(&counts, 0, sizeof(counts))
    memset(&result, 0, sizeof(result))
    try:
        PyObject_GetBuffer(hist, &counts, PyBUF_SIMPLE)
        PyObject_GetBuffer(luts, &result, PyBUF_STRIDES | PyBUF_WRITABLE)
        entries.bytes, entries.levels, entries.flip = result.itemsize, levels, levels // 2 if signed else 0
        entries.room = cheq_first_line(room)
        with nogil:
            before = cheq_arithmetic_begin()
            for i in range(result.len // result.itemsize // levels):
                entries.lut = <char *>result.buf + i * levels * result.itemsize
                cheq_make_lut_of_hist(maker, i, <const uint64_t *>counts.buf + i * levels, &entries)
            cheq_arithmetic_end(before)
    finally:
        PyBuffer_Release(&result)
        PyBuffer_Release(&counts)
        free(room)
    return 0


def otsu_thresholds(hist, thresholds):
    """Fill ``thresholds`` (int64), one a histogram of ``hist`` (int64), both contiguous."""
    cdef Py_buffer counts, result
    cdef Py_ssize_t i
    cdef uint32_t levels = hist.shape[hist.ndim - 1]
    cdef cheq_arithmetic before
    PyObject_GetBuffer(hist, &counts, PyBUF_SIMPLE)
    try:
        PyObject_GetBuffer(thresholds, &result, PyBUF_SIMPLE | PyBUF_WRITABLE)
        with nogil:
            before = cheq_arithmetic_begin()
            for i in range(result.len // <Py_ssize_t>sizeof(uint64_t)):
                (<uint64_t *>result.buf)[i] = cheq_otsu_of_hist(<const uint64_t *>counts.buf + i * levels, levels)
            cheq_arithmetic_end(before)
        PyBuffer_Release(&result)
    finally:
        PyBuffer_Release(&counts)


cdef bint fits(const cheq_views *views, bint looks_up) noexcept:
    cdef const Py_buffer *images = &views.images
    cdef const Py_buffer *out = &views.out
    cdef const Py_buffer *table = &views.tables[0]
    cdef Py_ssize_t bins = CHEQ_LEVELS if images.itemsize == 1 else CHEQ_LEVELS * CHEQ_LEVELS
    cdef Py_ssize_t planes
    if not (0 <= views.n_batch <= images.ndim and has_kind(images, b"BbHh") and has_kind(out, b"BbHhfd")
            and has_kind(&views.mask, b"?") and has_shape(&views.mask, images) and has_shape(out, images)):
        return False
    planes = planes_of(views)
    if looks_up:
        return kind_of(table) == kind_of(out) and table.len in (bins * table.itemsize, planes * bins * table.itemsize)
    if table.buf != NULL:
        return has_kind(table, b"lq") and table.len == planes * bins * <Py_ssize_t>sizeof(uint64_t)
    return out.buf == NULL or kind_of(out) in (kind_of(images), c"d")


cdef int run_bytes(cheq_views *views, const cheq_maker *maker, bint looks_up) except -1:
    cdef cheq_bytes_job *job = <cheq_bytes_job *>room_of(sizeof(cheq_bytes_job))
    cdef cheq_work work
    job.kernels = active_kernels()
    memset(&job.maker, 0, sizeof(cheq_maker))
    if maker != NULL:
        job.maker = maker[0]
    job.applies = views.out.buf != NULL
    job.counts = not looks_up
    job.hist = NULL if looks_up else <uint64_t *>views.tables[0].buf
    job.luts = <const uint8_t *>views.tables[0].buf if looks_up else NULL
    job.lut_step = 0 if views.tables[0].len == CHEQ_LEVELS else CHEQ_LEVELS
    make_layouts(views, &job.counted if job.counts else NULL, &job.applied if job.applies else NULL)
    cheq_bytes_group(job)
    work = cheq_bytes_work(job)
    try:
        return run_work(&work, views.threads, views.ownership == CHEQ_FRESH)
    finally:
        free(job)


cdef int run_levels(cheq_views *views, const cheq_maker *maker, bint looks_up) except -1:
    cdef cheq_levels_job *job = <cheq_levels_job *>room_of(sizeof(cheq_levels_job))
    cdef cheq_work work
    cdef cheq_layout *layout
    job.kernels = active_kernels()
    memset(&job.maker, 0, sizeof(cheq_maker))
    if maker != NULL:
        job.maker = maker[0]
    job.applies = views.out.buf != NULL
    job.counts = not looks_up
    job.hist = NULL if looks_up else <uint64_t *>views.tables[0].buf
    job.luts = <const uint8_t *>views.tables[0].buf if looks_up else NULL
    job.bytes = views.images.itemsize
    job.levels = CHEQ_LEVELS if job.bytes == 1 else CHEQ_LEVELS * CHEQ_LEVELS
    job.flip = job.levels // 2 if has_kind(&views.images, b"bh") else 0
    job.entry_bytes = views.out.itemsize if job.applies else 0
    job.entry_is_level = not looks_up and job.entry_bytes == job.bytes
    job.lut_step = <size_t>(job.entry_bytes * <int>job.levels)
    if views.tables[0].len == <Py_ssize_t>job.lut_step:
        job.lut_step = 0
    make_layouts(views, &job.counted if job.counts else NULL, &job.applied if job.applies else NULL)
    layout = &job.applied if job.applies else &job.counted
    if job.counts:
        cheq_layout_group(&job.counted, 1)
    if job.applies:
        cheq_layout_group(&job.applied, 1)
        job.streams = cheq_streams(&job.applied, job.entry_bytes, views.ownership == CHEQ_FRESH)
    job.groups, job.pixels = cheq_axes_size(&layout.batch), cheq_axes_size(&layout.pixels)
    work = cheq_levels_work(job)
    try:
        return run_work(&work, views.threads, views.ownership == CHEQ_FRESH)
    finally:
        free(job)
