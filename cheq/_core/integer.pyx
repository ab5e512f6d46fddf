"""Integer planes: histogram, LUT, apply; without the GIL, parallel over planes or over parts of a plane.

The callers in ``cheq._equalize`` have checked everything: shapes agree, the last axes are a plane's,
results are writable and overlap nothing. Here buffers become a job and threads share it.

Whether the process was forked is asked before each parallel region, not once a call: a signal handler
may fork between two of them, and the child goes on with the call.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport prange
from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from cheq._core.kernels cimport *

# Pixels a thread works on between two looks at the clock: 1 ms or more, and 110 ms at the 27 ns a pixel of the
# slowest layouts. Below 2^32 by far, so 32-bit counts hold one chunk of a plane.
cdef size_t CHUNK = 1 << 22

# Seconds between two looks at the signals. They need the GIL, which may take 5 ms to come back when
# other threads want it too; so they wait for the clock, not for a number of pixels.
cdef double SIGNALS_INTERVAL = 0.05

# A plane's fixed cost (clearing and summing the sub-histograms, the LUT, the lookup of its place) in
# pixels, for cutting work into pieces of about equal time: some 200 ns.
cdef size_t PLANE_COST = 1 << 9

# Pixels a thread takes at a time: 50 us of work or more, beside which the handing out is nothing.
cdef size_t BLOCK = 1 << 18

# A plane is cut into parts only from this size on; a parallel region costs a few microseconds.
cdef size_t DIVISIBLE = 1 << 17

# GNU OpenMP crashes on a team of a million; more threads than this have no use here.
MAX_TEAM = 256

# The kernels in use. Tests change them; see use_kernel.
cdef const cheq_kernels *active = cheq_kernels_at(0)

cheq_fork_watch()


def run(images, mask, out, hist, luts, int n_batch, int threads, bint apart):
    """Do one call's work on ``images``, whose first ``n_batch`` axes are batch axes.

    With ``hist`` (int64, contiguous) histograms are written; with ``out`` and ``luts`` the LUTs are
    applied; with ``out`` alone the images are equalized. Absent arrays are None.

    Returns False, and has done nothing, if ``out`` may overlap what is still to be read when it is
    written, unless the caller knows that all is ``apart``. The same memory in the same order does not.
    """
    cdef Py_buffer views[5]
    cdef cheq_job job
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
        check_shapes(views, n_batch)
        if not apart and may_overlap(views):
            return False
        make_job(&job, views, n_batch)
        run_job(&job, min(threads, MAX_TEAM))
        return True
    finally:
        for i in range(5):
            PyBuffer_Release(&views[i])


def equalization_lut(hist, luts):
    """Fill ``luts`` (uint8) from ``hist`` (int64), both contiguous with a last axis of 256."""
    cdef Py_buffer counts, result
    cdef const uint64_t *row
    cdef uint8_t *lut
    cdef Py_ssize_t i
    PyObject_GetBuffer(hist, &counts, PyBUF_SIMPLE)
    try:
        PyObject_GetBuffer(luts, &result, PyBUF_SIMPLE | PyBUF_WRITABLE)
        row, lut = <const uint64_t *>counts.buf, <uint8_t *>result.buf
        with nogil:
            for i in range(result.len // CHEQ_LEVELS):
                cheq_lut_from_hist(active, row + i * CHEQ_LEVELS, lut + i * CHEQ_LEVELS)
        PyBuffer_Release(&result)
    finally:
        PyBuffer_Release(&counts)


def kernels():
    """Return the names of all kernels built in, each with whether this CPU can run it, the best last."""
    return {cheq_kernels_at(i).name.decode(): bool(cheq_kernels_run_here(i)) for i in range(CHEQ_KERNEL_COUNT)}


def kernel():
    """Return the name of the kernels in use."""
    return active.name.decode()


def use_kernel(name):
    """Use the kernels of this name from now on, in all threads."""
    global active
    known = kernels()
    if name not in known:
        raise ValueError(f"kernel: expected one of {', '.join(map(repr, known))}; got {name!r}")
    if not known[name]:
        raise RuntimeError(f"kernel: this CPU lacks the instructions of {name!r}; "
                           f"it has those of {', '.join(repr(each) for each in known if known[each])}")
    active = cheq_kernels_at(list(known).index(name))


def compiler():
    """Return the compiler's name and version."""
    return cheq_compiler().decode()


def openmp_version():
    """Return OpenMP's version as a date (201511 for 4.5), 0 without OpenMP."""
    return cheq_openmp_version()


def openmp_max_threads():
    """Return OpenMP's limit on the calling thread, 1 without OpenMP."""
    return cheq_openmp_max_threads()


def forked():
    """Return whether this process was forked after the import."""
    return bool(cheq_forked())


cdef int check_shapes(const Py_buffer *views, int n_batch) except -1:
    """Once more, on the buffers: code of the user's has run since the callers looked at the arrays."""
    cdef const Py_buffer *images = &views[0]
    cdef Py_ssize_t planes = 1
    cdef bint fits = 0 <= n_batch <= images.ndim
    cdef int i, a
    for i in range(3):
        if views[i].buf != NULL:
            fits = fits and views[i].ndim == images.ndim and views[i].itemsize == 1
            for a in range(images.ndim if fits else 0):
                fits = fits and views[i].shape[a] == images.shape[a]
    for a in range(n_batch if fits else 0):
        planes *= images.shape[a]
    fits = fits and (views[3].buf == NULL or views[3].len == planes * CHEQ_LEVELS * <Py_ssize_t>sizeof(uint64_t))
    fits = fits and (views[4].buf == NULL or views[4].len in (CHEQ_LEVELS, planes * CHEQ_LEVELS))
    if not fits:
        raise ValueError("images: expected arrays that keep their shape and dtype during the call, got one that changed")
    return 0


cdef bint may_overlap(const Py_buffer *views) noexcept:
    """Whether ``out`` shares memory with the mask, the LUTs, or another element of the images."""
    cdef const Py_buffer *out = &views[2]
    cdef bint same = out.buf == views[0].buf
    cdef int i
    if out.buf == NULL:
        return False
    for i in range(out.ndim):
        same = same and (out.strides[i] == views[0].strides[i] or out.shape[i] == 1)
    for i in (0, 1, 4):
        if views[i].buf != NULL and not (i == 0 and same) and cheq_ranges_meet(
                out.ndim, out.shape, out.strides, out.buf,
                views[i].ndim, views[i].shape, views[i].strides, views[i].buf):
            return True
    return False


cdef void make_job(cheq_job *job, Py_buffer *views, int n_batch) noexcept:
    cdef Py_buffer *images = &views[0]
    cdef Py_buffer *mask = &views[1]
    cdef Py_buffer *out = &views[2]
    job.kernels = active
    job.masked = mask.buf != NULL
    job.applies = out.buf != NULL
    job.hist = <uint64_t *>views[3].buf
    job.luts = <const uint8_t *>views[4].buf
    job.lut_step = 0 if views[4].len == CHEQ_LEVELS else CHEQ_LEVELS
    job.counts = job.luts == NULL
    if job.counts:
        cheq_layout_init(&job.counted, images.ndim, n_batch, images.shape, images.buf, images.strides,
                         mask.buf, mask.strides, CHEQ_IMAGES)
    if job.applies:
        cheq_layout_init(&job.applied, images.ndim, n_batch, images.shape, images.buf, images.strides,
                         out.buf, out.strides, CHEQ_OTHER)
    cheq_job_group(job)


cdef int run_job(const cheq_job *job, int threads) except -1:
    cdef size_t size = job.pixels * <size_t>job.channels
    if job.groups == 0 or job.pixels == 0:
        return 0
    if size > CHUNK or (threads > 1 and size >= DIVISIBLE and not shares_evenly(job.groups, threads)):
        return run_in_parts(job, <int>min(<size_t>threads, (size + DIVISIBLE - 1) // DIVISIBLE * 2))
    return run_whole(job, <int>min(<size_t>threads, job.groups), size)


cdef bint shares_evenly(size_t groups, size_t threads) noexcept nogil:
    """Whether whole planes keep all threads busy: the last round's idle share is at most an eighth."""
    return groups % threads == 0 or groups >= 8 * threads


cdef int run_whole(const cheq_job *job, int team, size_t size) except -1:
    cdef size_t chunk = max(CHUNK // (size + PLANE_COST), <size_t>1) * <size_t>team
    cdef size_t begin = 0
    while True:
        with nogil:
            begin = run_until_signals(job, begin, chunk, team, size)
        if begin == job.groups:
            return 0
        PyErr_CheckSignals()


cdef size_t run_until_signals(const cheq_job *job, size_t begin, size_t chunk, int team, size_t size) noexcept nogil:
    """Work on the groups from ``begin`` until the signals are due; return where it stopped."""
    cdef double due = 0 if begin + chunk >= job.groups else cheq_seconds() + SIGNALS_INTERVAL
    cdef size_t end
    while True:
        end = min(begin + chunk, job.groups)
        run_chunk(job, begin, end, team, size)
        begin = end
        if begin == job.groups or cheq_seconds() > due:
            return begin


cdef void run_chunk(const cheq_job *job, size_t begin, size_t end, int team, size_t size) noexcept nogil:
    cdef size_t groups = end - begin
    cdef size_t block = max(min(BLOCK // (size + PLANE_COST), groups // (4 * <size_t>team)), <size_t>1)
    cdef Py_ssize_t blocks = <Py_ssize_t>((groups + block - 1) // block)
    cdef Py_ssize_t i
    if team == 1 or cheq_forked():
        cheq_run_groups(job, begin, end)
        return
    for i in prange(blocks, schedule="dynamic", num_threads=team):
        cheq_run_groups(job, begin + <size_t>i * block, min(begin + (<size_t>i + 1) * block, end))


cdef int run_in_parts(const cheq_job *job, int team) except -1:
    cdef size_t shares = <size_t>team * <size_t>job.channels
    cdef cheq_hist *parts = <cheq_hist *>malloc(shares * sizeof(cheq_hist))
    cdef size_t group
    if parts == NULL:
        raise MemoryError("cheq: no memory for the threads' partial histograms")
    try:
        for group in range(job.groups):
            run_group_in_parts(job, group, team, parts)
    finally:
        free(parts)
    return 0


cdef int run_group_in_parts(const cheq_job *job, size_t group, int team, cheq_hist *parts) except -1:
    cdef uint64_t hist[CHEQ_MAX_CHANNELS * CHEQ_LEVELS]
    cdef uint8_t built[CHEQ_MAX_CHANNELS * CHEQ_LEVELS]
    cdef size_t bins = <size_t>job.channels * CHEQ_LEVELS
    cdef size_t planes = group * <size_t>job.channels
    cdef int c
    if job.counts:
        count_in_parts(job, group, team, parts, hist)
        if job.hist != NULL:
            memcpy(job.hist + planes * CHEQ_LEVELS, hist, bins * sizeof(uint64_t))
    if not job.applies:
        return 0
    if job.luts != NULL:
        return apply_in_parts(job, group, team, cheq_job_luts(job, group), job.lut_step)
    for c in range(job.channels):
        cheq_lut_from_hist(job.kernels, hist + c * CHEQ_LEVELS, built + c * CHEQ_LEVELS)
    return apply_in_parts(job, group, team, built, CHEQ_LEVELS)


cdef int count_in_parts(const cheq_job *job, size_t group, int team, cheq_hist *parts, uint64_t *hist) except -1:
    cdef size_t begin = 0
    memset(hist, 0, <size_t>job.channels * CHEQ_LEVELS * sizeof(uint64_t))
    while begin < job.pixels:
        with nogil:
            begin = count_until_signals(job, group, begin, team, parts, hist)
        PyErr_CheckSignals()
    return 0


cdef size_t count_until_signals(const cheq_job *job, size_t group, size_t begin, int team, cheq_hist *parts,
                                uint64_t *hist) noexcept nogil:
    """Count one group's pixels from ``begin`` until the signals are due; return where it stopped."""
    cdef double due = cheq_seconds() + SIGNALS_INTERVAL
    cdef size_t chunk = CHUNK // <size_t>job.channels * <size_t>team
    cdef size_t bins = <size_t>job.channels * CHEQ_LEVELS
    cdef const uint32_t *counts = <const uint32_t *>parts
    cdef size_t end, b
    cdef int i
    while begin < job.pixels and cheq_seconds() < due:
        end = min(begin + chunk, job.pixels)
        if team == 1 or cheq_forked():
            for i in range(team):
                cheq_count_share(job, group, begin, end, i, team, parts + i * job.channels)
        else:
            for i in prange(team, schedule="static", num_threads=team):
                cheq_count_share(job, group, begin, end, i, team, parts + i * job.channels)
        for i in range(team):
            for b in range(bins):
                hist[b] += counts[<size_t>i * bins + b]
        begin = end
    return begin


cdef int apply_in_parts(const cheq_job *job, size_t group, int team, const uint8_t *luts, size_t lut_step) except -1:
    """Apply to one group of planes. An interrupt waits until it is whole."""
    cdef size_t begin = 0
    interrupt = None
    while begin < job.pixels:
        with nogil:
            begin = apply_until_signals(job, group, begin, team, luts, lut_step)
        try:
            PyErr_CheckSignals()
        except BaseException as raised:
            interrupt = raised
    if interrupt is not None:
        raise interrupt
    return 0


cdef size_t apply_until_signals(const cheq_job *job, size_t group, size_t begin, int team, const uint8_t *luts,
                                size_t lut_step) noexcept nogil:
    """Apply to one group's pixels from ``begin`` until the signals are due; return where it stopped."""
    cdef double due = cheq_seconds() + SIGNALS_INTERVAL
    cdef size_t chunk = CHUNK // <size_t>job.channels * <size_t>team
    cdef size_t end
    cdef int i
    while begin < job.pixels and cheq_seconds() < due:
        end = min(begin + chunk, job.pixels)
        if team == 1 or cheq_forked():
            for i in range(team):
                cheq_apply_share(job, group, begin, end, i, team, luts, lut_step)
        else:
            for i in prange(team, schedule="static", num_threads=team):
                cheq_apply_share(job, group, begin, end, i, team, luts, lut_step)
        begin = end
    return begin
