"""CLAHE: the tiles of planes; without the GIL, by the parallel loop of work.pyx.

A call (``cheq._call.Call``) has checked everything; a plane has two axes.
"""

from libc.stdlib cimport free
from libc.string cimport memset

from cheq._core.dispatch cimport active_kernels, cheq_kernels
from cheq._core.jobs cimport *
from cheq._core.views cimport *
from cheq._core.work cimport cheq_work, run_work, zeros

cdef extern from "formulas/clip.h" nogil:
    ctypedef struct cheq_tile_axis:
        size_t length

cdef extern from "jobs/tiles.h" nogil:
    ctypedef struct cheq_tiles_job:
        const cheq_kernels *kernels
        cheq_layout layout
        int bytes
        bint keeps
        size_t groups
        size_t pixels
        cheq_tile_axis rows
        cheq_tile_axis columns
        const double *clip_limits
        size_t clip_step

    void cheq_layout_place(cheq_layout *layout, int ndim, int n_batch, const Py_ssize_t *shape,
                           const cheq_operand *operands)
    bint cheq_tile_axis_open(cheq_tile_axis *axis, size_t length, size_t tile, size_t tiles)
    void cheq_tiles_close(cheq_tiles_job *job)
    bint cheq_tiles_work(cheq_tiles_job *job, bint shares, cheq_work *work)


def equalize(call, clip_limits, grid, tile):
    """Equalize the call's images into its result, tile by tile. An interrupt leaves each plane whole or untouched, unless
    the result is fresh.

    clip_limits: doubles, contiguous, one or one a plane. grid and tile: (columns, rows), and the (width, height) of a tile.
    """
    cdef cheq_views views
    memset(&views, 0, sizeof(views))
    try:
        open_views(&views, call, clip_limits, None, 0)
        check(fits(&views))
        if views.images.len == 0:
            return
        if not may_overlap(&views, False):
            run(&views, grid, tile)
            return
    finally:
        release_views(&views)
    call.separate()
    equalize(call, clip_limits, grid, tile)


cdef bint fits(const cheq_views *views) noexcept:
    cdef const Py_buffer *images = &views.images
    cdef const Py_buffer *limits = &views.tables[0]
    return (views.n_batch >= 0 and views.n_batch + 2 == images.ndim and has_kind(images, b"BH")
            and kind_of(&views.out) == kind_of(images) and has_kind(&views.mask, b"?")
            and has_shape(&views.out, images) and has_shape(&views.mask, images) and has_kind(limits, b"d")
            and limits.len // <Py_ssize_t>sizeof(double) in (1, planes_of(views)))


cdef int run(cheq_views *views, grid, tile) except -1:
    cdef cheq_tiles_job *job = <cheq_tiles_job *>zeros(sizeof(cheq_tiles_job))
    cdef Py_buffer *images = &views.images
    cdef cheq_work work
    cdef Py_ssize_t last = images.ndim - 1
    try:
        job.kernels, job.bytes, job.keeps = active_kernels(), <int>images.itemsize, views.keeps
        job.clip_limits = <const double *>views.tables[0].buf
        job.clip_step = 1 if views.tables[0].len > <Py_ssize_t>sizeof(double) else 0
        lay_out(&job.layout, views)
        job.groups, job.pixels = cheq_axes_size(&job.layout.batch), cheq_axes_size(&job.layout.pixels)
        if not (cheq_tile_axis_open(&job.columns, images.shape[last], tile[0], grid[0])
                and cheq_tile_axis_open(&job.rows, images.shape[last - 1], tile[1], grid[1])
                and cheq_tiles_work(job, True, &work)):
            raise MemoryError("cheq: no memory for the tiles of a plane")
        return run_work(&work, views.threads, views.ownership == CHEQ_FRESH)
    finally:
        cheq_tiles_close(job)
        free(job)


cdef void lay_out(cheq_layout *layout, cheq_views *views) noexcept:
    cdef cheq_operand operands[CHEQ_OPERANDS]
    operands[CHEQ_IMAGES] = cheq_operand(views.images.buf, views.images.strides)
    operands[CHEQ_OUT] = cheq_operand(views.out.buf, views.out.strides)
    operands[CHEQ_MASK] = cheq_operand(views.mask.buf, views.mask.strides)
    cheq_layout_place(layout, views.images.ndim, views.n_batch, views.images.shape, operands)
