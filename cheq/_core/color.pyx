"""Color images: gray, and Y equalized in YCrCb; without the GIL, by the parallel loop of work.pyx.

The callers in ``cheq._color`` have checked everything: shapes agree, results are writable and overlap nothing. Here
the axes are in the order batch axes, channels, pixels.
"""

from cpython.buffer cimport PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t
from libc.string cimport memset

from cheq._core.dispatch cimport active_kernels, cheq_kernels
from cheq._core.jobs cimport (
    CHEQ_IMAGES, CHEQ_MAX_NDIM, CHEQ_OTHER, cheq_layout, cheq_maker, cheq_maker_at, cheq_ranges_meet
)
from cheq._core.work cimport CHEQ_FRESH, cheq_work, run_work

cdef extern from "jobs/colors.h" nogil:
    ctypedef struct cheq_weights:
        pass

    const cheq_weights cheq_gray_opencv
    const cheq_weights cheq_gray_pillow

    ctypedef struct cheq_color_job:
        const cheq_kernels *kernels
        const cheq_weights *weights
        bint swapped
        int bytes
        cheq_maker maker
        bint masked
        cheq_layout counted
        cheq_layout applied

    void cheq_color_layout(cheq_layout *layout, int ndim, int n_batch, const Py_ssize_t *shape,
                           uint8_t *images, const Py_ssize_t *images_strides,
                           uint8_t *other, const Py_ssize_t *other_strides, int key)
    void cheq_color_job_measure(cheq_color_job *job)
    cheq_work cheq_gray_work(const cheq_color_job *job)
    cheq_work cheq_ycrcb_work(const cheq_color_job *job)


def to_gray(images, out, bint pillow, bint swapped, int threads, bint apart):
    """Write the gray of ``images``, (3, ...) uint8 or uint16 of either byte order, to ``out``, (...) native.

    By Pillow's weights or OpenCV's.

    Returns False, and has done nothing, if ``out`` may overlap the images, unless the caller knows that they are
    ``apart``.
    """
    cdef Py_buffer views[3]
    cdef cheq_color_job job
    cdef cheq_work work
    memset(views, 0, sizeof(views))
    try:
        PyObject_GetBuffer(images, &views[0], PyBUF_STRIDES)
        PyObject_GetBuffer(out, &views[2], PyBUF_STRIDES | PyBUF_WRITABLE)
        check_shapes(views, 1, 3, views[0].itemsize)
        if views[2].ndim != views[0].ndim - 1:
            raise changed()
        if not apart and meets(&views[2], &views[0]):
            return False
        memset(&job, 0, sizeof(job))
        job.kernels = active_kernels()
        job.weights = &cheq_gray_pillow if pillow else &cheq_gray_opencv
        job.swapped = swapped
        job.bytes = <int>views[0].itemsize
        lay_out(&job.applied, &views[0], &views[2], 1, 3, CHEQ_OTHER)
        cheq_color_job_measure(&job)
        work = cheq_gray_work(&job)
        run_work(&work, threads)
        return True
    finally:
        PyBuffer_Release(&views[0])
        PyBuffer_Release(&views[2])


def equalize_ycrcb(images, mask, out, int maker, int n_batch, int threads, int apart):
    """Equalize the Y of every image by a maker, as integer.MAKERS numbers them; the first ``n_batch`` axes are batch axes, the last of them the channels.

    ``mask``, or None, has no channel axis. Returns False, and has done nothing, if ``out`` may overlap what is still
    to be read when it is written, unless the caller knows that all is ``apart``. The same memory in the same order
    does not. An interrupt leaves each image of ``out`` whole or untouched, unless ``apart`` is integer.pyx's FRESH.
    """
    cdef Py_buffer views[3]
    cdef cheq_color_job job
    cdef cheq_work work
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
        memset(&job, 0, sizeof(job))
        job.kernels = active_kernels()
        job.maker = cheq_maker_at(maker, job.kernels)
        job.masked = mask is not None
        lay_out(&job.counted, &views[0], &views[1], n_batch, 3, CHEQ_IMAGES)
        lay_out(&job.applied, &views[0], &views[2], n_batch, channels, CHEQ_OTHER)
        cheq_color_job_measure(&job)
        work = cheq_ycrcb_work(&job)
        if apart == CHEQ_FRESH:
            work.writes = work.phases
        run_work(&work, threads)
        return True
    finally:
        for i in range(3):
            PyBuffer_Release(&views[i])


cdef changed():
    return ValueError("images: expected arrays that keep their shape and dtype during the call, got one that changed")


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
    return b.buf != NULL and cheq_ranges_meet(
        a.ndim, a.shape, a.strides, a.buf, a.itemsize, b.ndim, b.shape, b.strides, b.buf, b.itemsize)


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
