"""Color images: gray, and lightness equalized; without the GIL, by the parallel loop of work.pyx.

A call (``cheq._call.Call``) has checked everything; its axes are in the order batch axes, channels, pixels.
"""

from libc.stdint cimport uint8_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from cheq._core.dispatch cimport active_kernels, cheq_kernels
from cheq._core.jobs cimport *
from cheq._core.targets cimport *
from cheq._core.views cimport *
from cheq._core.work cimport cheq_work, run_work, zeros

cdef extern from "jobs/colors.h" nogil:
    ctypedef struct cheq_lab:
        pass

    ctypedef struct cheq_space:
        const char *name
        const cheq_lab *lab

    enum:
        CHEQ_LAB
        CHEQ_SPACE_COUNT

    const cheq_space cheq_spaces[]
    void cheq_lab_make(cheq_lab *lab)

    ctypedef struct cheq_color_job:
        const cheq_kernels *kernels
        cheq_space space
        bint swapped
        int bytes
        cheq_maker maker
        cheq_layout counted
        cheq_layout applied

    void cheq_color_layout(cheq_layout *layout, int ndim, int n_batch, const Py_ssize_t *shape,
                           const cheq_operand *operands, int key)
    void cheq_color_job_measure(cheq_color_job *job)
    cheq_work cheq_gray_work(const cheq_color_job *job)

cdef extern from "jobs/lightness.h" nogil:
    cheq_work cheq_lightness_work(const cheq_color_job *job)
    cheq_work cheq_recolor_work(const cheq_color_job *job)

# Gray of each method, and the spaces whose lightness is equalized, by name.
SPACES = {cheq_spaces[i].name.decode(): i for i in range(CHEQ_SPACE_COUNT)}

# Lab's tables, made once in a process: 0.1 ms.
cdef cheq_lab LAB_TABLES
cdef bint lab_is_made

if not lab_is_made:
    cheq_lab_make(&LAB_TABLES)
    lab_is_made = True


cdef cheq_space space_at(int i) noexcept:
    cdef cheq_space space = cheq_spaces[i]
    space.lab = &LAB_TABLES
    return space


def to_gray(call, int space):
    """Write the gray or the lightness of the call's images, (3, ...) uint8 or uint16 of either byte order."""
    cdef cheq_views views
    cdef cheq_color_job *job = NULL
    cdef cheq_work work
    memset(&views, 0, sizeof(views))
    try:
        open_views(&views, call, None, None, 0)
        check(views.images.ndim > 0 and views.images.shape[0] == 3 and has_kind(&views.out, b"BH")
              and views.out.itemsize == views.images.itemsize and has_shape(&views.out, &views.images, 0))
        if may_overlap(&views, False):
            call.separate()
            return to_gray(call, space)
        job = <cheq_color_job *>zeros(sizeof(cheq_color_job))
        job.kernels = active_kernels()
        job.space = space_at(space)
        job.swapped = not has_kind(&views.images, b"BH")
        job.bytes = <int>views.images.itemsize
        lay_out(&job.applied, &views, 1, 3, CHEQ_OUT)
        cheq_color_job_measure(job)
        work = cheq_gray_work(job)
        run_work(&work, views.threads, True)  # pixels have nothing to do with each other
    finally:
        free(job)
        release_views(&views)


def equalize(call, int space, int maker):
    """Equalize the lightness of every image by a maker of integer.MAKERS; the last of the batch axes is that of the channels.

    The mask has no channel axis. An interrupt leaves each image of the result whole or untouched, unless it is fresh.
    """
    cdef cheq_maker made_by = cheq_maker_at(maker, active_kernels())
    change_lightness(call, space, &made_by)


def match(call, int space, targets):
    """Give the lightness of every image the histogram of its target (matching.pyx). Mask and interrupts: see equalize."""
    cdef cheq_targets opened
    try:
        open_targets(&opened, targets, False)
        change_lightness(call, space, &opened.maker)
    finally:
        close_targets(&opened)


cdef int change_lightness(call, int space, const cheq_maker *maker) except -1:
    cdef cheq_views views
    cdef cheq_color_job *job = NULL
    cdef cheq_work work
    cdef int channels
    memset(&views, 0, sizeof(views))
    try:
        open_views(&views, call, None, None, 0)
        check(fits(&views) and views.images.itemsize == 1)
        if may_overlap(&views, False):
            call.separate()
            return change_lightness(call, space, maker)
        channels = <int>views.images.shape[views.n_batch - 1]
        job = <cheq_color_job *>zeros(sizeof(cheq_color_job))
        job.kernels = active_kernels()
        job.space = space_at(space)
        job.maker = maker[0]
        lay_out(&job.counted, &views, views.n_batch, 3, CHEQ_IMAGES)
        lay_out(&job.applied, &views, views.n_batch, channels, CHEQ_OUT)
        cheq_color_job_measure(job)
        work = cheq_lightness_work(job)
        return run_work(&work, views.threads, views.ownership == CHEQ_FRESH)
    finally:
        free(job)
        release_views(&views)


def set_apart(call):
    """Copy what the result's memory would overwrite before it is read; then the call may be cut into parts."""
    cdef cheq_views views
    cdef bint overlaps
    memset(&views, 0, sizeof(views))
    try:
        open_views(&views, call, None, None, 0)
        overlaps = may_overlap(&views, False)
    finally:
        release_views(&views)
    if overlaps:
        call.separate()


def recolor(call, int space, lightness):
    """Give every pixel of the images another lightness: contiguous, of their shape without channels.

    Of 16 bits in YCrCb and YUV. The call is set apart. Else as above.
    """
    cdef cheq_views views
    cdef cheq_color_job *job = NULL
    cdef cheq_work work
    memset(&views, 0, sizeof(views))
    try:
        open_views(&views, call, lightness, None, 0)
        check(fits(&views) and views.tables[0].itemsize == views.images.itemsize
              and has_shape(&views.tables[0], &views.images, views.n_batch - 1))
        job = <cheq_color_job *>zeros(sizeof(cheq_color_job))
        job.kernels = active_kernels()
        job.space = space_at(space)
        job.bytes = <int>views.images.itemsize
        lay_out(&job.applied, &views, views.n_batch, <int>views.images.shape[views.n_batch - 1], CHEQ_OUT)
        cheq_color_job_measure(job)
        work = cheq_recolor_work(job)
        run_work(&work, views.threads, views.ownership == CHEQ_FRESH)
    finally:
        free(job)
        release_views(&views)


cdef bint fits(const cheq_views *views) noexcept:
    cdef const Py_buffer *images = &views.images
    return (0 < views.n_batch <= images.ndim and has_kind(images, b"BH") and kind_of(&views.out) == kind_of(images)
            and images.shape[views.n_batch - 1] in (3, 4) and has_kind(&views.mask, b"?")
            and has_shape(&views.mask, images, views.n_batch - 1) and has_shape(&views.out, images))


cdef void lay_out(cheq_layout *layout, cheq_views *views, int n_batch, int channels, int key) noexcept:
    """Lay out the first ``channels`` of the images, and the mask to count or, with the key CHEQ_OUT, the result and
    the lightness it gets, if any.
    """
    cdef Py_buffer *arrays[CHEQ_OPERANDS]
    cdef Py_ssize_t shape[CHEQ_MAX_NDIM]
    cdef Py_ssize_t strides[CHEQ_OPERANDS][CHEQ_MAX_NDIM]
    cdef cheq_operand operands[CHEQ_OPERANDS]
    cdef int op
    arrays[CHEQ_IMAGES] = &views.images
    arrays[CHEQ_OUT] = &views.out if key == CHEQ_OUT else NULL
    arrays[CHEQ_MASK] = &views.mask if key == CHEQ_IMAGES or views.keeps else NULL
    arrays[CHEQ_LIGHTNESS] = &views.tables[0] if key == CHEQ_OUT else NULL
    memcpy(shape, views.images.shape, views.images.ndim * sizeof(Py_ssize_t))
    shape[n_batch - 1] = channels
    for op in range(CHEQ_OPERANDS):
        operands[op] = cheq_operand(NULL, NULL)
        if arrays[op] != NULL and arrays[op].buf != NULL:
            copy_strides(strides[op], arrays[op], views.images.ndim, n_batch - 1)
            operands[op] = cheq_operand(arrays[op].buf, &strides[op][0])
    cheq_color_layout(layout, views.images.ndim, n_batch, shape, operands, key)


cdef void copy_strides(Py_ssize_t *strides, const Py_buffer *array, int ndim, int channel) noexcept:
    """Of an array that may have no channels: all see the same there."""
    cdef int a
    cdef int without = array.ndim < ndim
    for a in range(ndim):
        strides[a] = 0 if without and a == channel else array.strides[a - (1 if without and a > channel else 0)]
