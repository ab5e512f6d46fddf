"""Colour images: gray, and Y equalized in YCrCb; without the GIL, parallel over images or over parts of one.

The callers in ``cheq._color`` have checked everything: shapes agree, results are writable and overlap nothing. Here
the axes are in the order batch axes, channels, pixels.

Whether the process was forked is asked before each parallel region: see ``integer.pyx``.
"""

from cpython.buffer cimport PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport prange
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from cheq._core.color_kernels cimport *
from cheq._core.kernels cimport (CHEQ_IMAGES, CHEQ_KERNEL_COUNT, CHEQ_OTHER, cheq_fork_watch, cheq_forked,
                                 cheq_kernels_at, cheq_ranges_meet, cheq_seconds)

# In pixels, as in integer.pyx: what a thread works on between two looks at the clock (1 ms or more here too), what
# it takes at a time, what an image costs beside its pixels, and the size from which one is cut into parts.
cdef size_t CHUNK = 1 << 22
cdef size_t BLOCK = 1 << 16
cdef size_t IMAGE_COST = 1 << 9
cdef size_t DIVISIBLE = 1 << 17

# Seconds between two looks at the signals.
cdef double SIGNALS_INTERVAL = 0.05

# In the order of cheq_gray_weights and cheq_luma_rules.
GRAY_METHODS = ("opencv", "pillow")
LUMA_METHODS = ("opencv",)

cheq_fork_watch()


def to_gray(images, out, method, kernel, bint swapped, int threads, bint apart):
    """Write the gray of ``images``, (3, ...) uint8 or uint16 of either byte order, to ``out``, (...) native.

    Returns False, and has done nothing, if ``out`` may overlap the images, unless the caller knows that they are
    ``apart``.
    """
    cdef Py_buffer views[3]
    cdef cheq_color_job job
    memset(views, 0, sizeof(views))
    try:
        PyObject_GetBuffer(images, &views[0], PyBUF_STRIDES)
        PyObject_GetBuffer(out, &views[2], PyBUF_STRIDES | PyBUF_WRITABLE)
        check_shapes(views, 1, 3, views[0].itemsize)
        if views[2].ndim != views[0].ndim - 1:
            raise changed()
        if not apart and meets(&views[2], &views[0]):
            return False
        cheq_color_job_begin(&job, kernel_number(kernel))
        job.weights = cheq_gray_weights[GRAY_METHODS.index(method)]
        job.swapped = swapped
        job.bytes = <int>views[0].itemsize
        lay_out(&job.applied, &views[0], &views[2], 1, 3, CHEQ_OTHER)
        cheq_color_job_measure(&job)
        run(cheq_gray_parts, &job, cheq_parts(job.pixels), CHEQ_PART, threads, False)
        return True
    finally:
        PyBuffer_Release(&views[0])
        PyBuffer_Release(&views[2])


def equalize_ycrcb(images, mask, out, method, kernel, int n_batch, int threads, bint apart):
    """Equalize the Y of every image; the first ``n_batch`` axes are batch axes, the last of them the channels.

    ``mask``, or None, has no channel axis. Returns False, and has done nothing, if ``out`` may overlap what is still
    to be read when it is written, unless the caller knows that all is ``apart``. The same memory in the same order
    does not.
    """
    cdef Py_buffer views[3]
    cdef cheq_color_job job
    cdef int i, channels
    memset(views, 0, sizeof(views))
    try:
        PyObject_GetBuffer(images, &views[0], PyBUF_STRIDES)
        if mask is not None:
            PyObject_GetBuffer(mask, &views[1], PyBUF_STRIDES)
        PyObject_GetBuffer(out, &views[2], PyBUF_STRIDES | PyBUF_WRITABLE)
        channels = 4 if 0 < n_batch <= views[0].ndim and views[0].shape[n_batch - 1] == 4 else 3
        check_shapes(views, n_batch, channels, 1)
        if views[2].ndim != views[0].ndim:
            raise changed()
        if not apart and ((meets(&views[2], &views[0]) and not is_same(&views[2], &views[0])) or meets(&views[2], &views[1])):
            return False
        cheq_color_job_begin(&job, kernel_number(kernel))
        job.rule = cheq_luma_rules[LUMA_METHODS.index(method)]
        job.masked = mask is not None
        lay_out(&job.counted, &views[0], &views[1], n_batch, 3, CHEQ_IMAGES)
        lay_out(&job.applied, &views[0], &views[2], n_batch, channels, CHEQ_OTHER)
        cheq_color_job_measure(&job)
        run_ycrcb(&job, threads)
        return True
    finally:
        for i in range(3):
            PyBuffer_Release(&views[i])


cdef changed():
    return ValueError("images: expected arrays that keep their shape and dtype during the call, got one that changed")


cdef int kernel_number(name) except -1:
    """Return the number of the kernels of this name, which integer.kernel() gave."""
    return [cheq_kernels_at(i).name.decode() for i in range(CHEQ_KERNEL_COUNT)].index(name)


cdef int check_shapes(const Py_buffer *views, int n_batch, int channels, Py_ssize_t itemsize) except -1:
    """Once more, on the buffers: code of the user's has run since the callers looked at the arrays."""
    cdef const Py_buffer *images = &views[0]
    cdef bint fits = 0 < n_batch <= images.ndim and images.itemsize == itemsize and itemsize in (1, 2)
    cdef int i, a, beside
    fits = fits and images.shape[n_batch - 1] == channels
    for i in (1, 2):
        if not fits or views[i].buf == NULL:
            continue
        beside = images.ndim - views[i].ndim  # 1 where the channels are missing
        fits = beside in (0, 1) and views[i].itemsize == (1 if i == 1 else itemsize) and (i == 2 or beside == 1)
        for a in range(images.ndim if fits else 0):
            if a != n_batch - 1 or beside == 0:
                fits = fits and views[i].shape[a - (beside if a >= n_batch else 0)] == images.shape[a]
    if not fits:
        raise changed()
    return 0


cdef bint meets(const Py_buffer *a, const Py_buffer *b) noexcept:
    """Whether two arrays may share memory; an absent one does not."""
    return b.buf != NULL and cheq_ranges_meet(a.ndim, a.shape, a.strides, a.buf, b.ndim, b.shape, b.strides, b.buf)


cdef bint is_same(const Py_buffer *a, const Py_buffer *b) noexcept:
    """Whether two arrays of one shape are the same memory in the same order."""
    cdef bint same = a.buf == b.buf
    cdef int i
    for i in range(a.ndim):
        same = same and (a.strides[i] == b.strides[i] or a.shape[i] == 1)
    return same


cdef void lay_out(cheq_layout *layout, Py_buffer *images, Py_buffer *other, int n_batch, int channels, int key) noexcept:
    """Lay out the first ``channels`` of the images, and another array, which may be absent or without channels."""
    cdef Py_ssize_t shape[CHEQ_MAX_NDIM]
    cdef Py_ssize_t strides[CHEQ_MAX_NDIM]
    cdef int channel = n_batch - 1
    cdef int a
    memset(strides, 0, sizeof(strides))
    for a in range(images.ndim):
        shape[a] = images.shape[a]
        if other.buf != NULL and other.ndim == images.ndim:
            strides[a] = other.strides[a]
        elif other.buf != NULL and a != channel:
            strides[a] = other.strides[a - (1 if a > channel else 0)]
    shape[channel] = channels
    cheq_color_layout(layout, images.ndim, n_batch, shape, <uint8_t *>images.buf, images.strides,
                      <uint8_t *>other.buf, strides, key)


cdef int run_ycrcb(cheq_color_job *job, int threads) except -1:
    cdef size_t team = <size_t>threads
    cdef bint shared_evenly = job.images % team == 0 or job.images >= 8 * team
    if job.images == 0 or job.pixels == 0:
        return 0
    if job.pixels <= CHUNK and (threads == 1 or job.pixels < DIVISIBLE or shared_evenly):
        return run(cheq_ycrcb_images, job, job.images, job.pixels + IMAGE_COST, threads, False)
    job.parts = <cheq_hist *>malloc(cheq_parts(job.pixels) * sizeof(cheq_hist))
    if job.parts == NULL:
        raise MemoryError("cheq: no memory for the histograms of an image's parts")
    try:
        for job.image in range(job.images):
            run(cheq_ycrcb_count_parts, job, cheq_parts(job.pixels), CHEQ_PART, threads, False)
            cheq_ycrcb_join_parts(job)
            run(cheq_ycrcb_apply_parts, job, cheq_parts(job.pixels), CHEQ_PART, threads, True)
    finally:
        free(job.parts)
    return 0


cdef int run(cheq_color_work work, const cheq_color_job *job, size_t units, size_t size, int threads,
             bint finish) except -1:
    """Work on all units, each of about ``size`` pixels; with ``finish`` an interrupt waits until that is done."""
    cdef int team = <int>min(<size_t>threads, max(units, <size_t>1))
    cdef size_t begin = 0
    interrupt = None
    while begin < units:
        with nogil:
            begin = run_until_signals(work, job, begin, units, size, team)
        if begin == units and not finish:
            break
        try:
            PyErr_CheckSignals()
        except BaseException as raised:
            if not finish:
                raise
            interrupt = raised
    if interrupt is not None:
        raise interrupt
    return 0


cdef size_t run_until_signals(cheq_color_work work, const cheq_color_job *job, size_t begin, size_t units, size_t size,
                              int team) noexcept nogil:
    """Work on the units from ``begin`` until the signals are due; return where it stopped."""
    cdef size_t chunk = max(CHUNK // size, <size_t>1) * <size_t>team
    cdef double due = 0 if begin + chunk >= units else cheq_seconds() + SIGNALS_INTERVAL
    cdef size_t end
    while True:
        end = min(begin + chunk, units)
        run_chunk(work, job, begin, end, size, team)
        begin = end
        if begin == units or cheq_seconds() > due:
            return begin


cdef void run_chunk(cheq_color_work work, const cheq_color_job *job, size_t begin, size_t end, size_t size,
                    int team) noexcept nogil:
    cdef size_t units = end - begin
    cdef size_t block = max(min(BLOCK // size, units // (4 * <size_t>team)), <size_t>1)
    cdef Py_ssize_t blocks = <Py_ssize_t>((units + block - 1) // block)
    cdef Py_ssize_t i
    if team == 1 or cheq_forked():
        work(job, begin, end)
        return
    for i in prange(blocks, schedule="dynamic", num_threads=team):
        work(job, begin + <size_t>i * block, min(begin + (<size_t>i + 1) * block, end))
