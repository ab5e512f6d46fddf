"""CLAHE: the tiles of planes; without the GIL, by the parallel loop of work.pyx.

A call (``cheq._call.Call``) has checked everything; of OpenCV's CLAHE a plane has two axes, of scikit-image's any number.
"""

from libc.stdlib cimport free
from libc.string cimport memset, strchr

from cheq._core.dispatch cimport active_kernels, cheq_kernels
from cheq._core.jobs cimport *
from cheq._core.views cimport *
from cheq._core.work cimport cheq_work, has_parts, run_work, wants_parts, zeros

cdef extern from "formulas/clip.h" nogil:
    ctypedef struct cheq_tile_axis:
        size_t length

cdef extern from "jobs/tiles.h" nogil:
    ctypedef struct cheq_level_range:
        pass

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
    bint cheq_tiles_share(cheq_tiles_job *job, void *ranges)
    cheq_work cheq_tiles_work(const cheq_tiles_job *job)
    cheq_work cheq_tile_ranges_work(const cheq_tiles_job *job)

cdef extern from "jobs/shared.h" nogil:
    enum:
        CHEQ_MOST_TILED_AXES
        CHEQ_MOST_TILE_PIXELS
        CHEQ_MOST_ADAPT_COST

    ctypedef enum cheq_kind:
        CHEQ_UINT8  # and the others, in the order of kind_number

    ctypedef enum cheq_step:
        CHEQ_LOAD
        CHEQ_BIN
        CHEQ_MAKE
        CHEQ_INTERPOLATE
        CHEQ_STORE

    ctypedef struct cheq_tiled_axis:
        size_t tiles

    ctypedef struct cheq_adapt_job:
        cheq_kind kind
        cheq_kind result
        cheq_layout layout
        size_t planes
        size_t pixels
        cheq_tiled_axis axis[CHEQ_MOST_TILED_AXES]
        size_t nbins

    ctypedef struct cheq_adapt_shared:
        const cheq_adapt_job *job
        void *memory
        size_t group

    bint cheq_adapt_fits(int ndim, const Py_ssize_t *shape, const size_t *tile)
    bint cheq_adapt_open(cheq_adapt_job *job, int ndim, const Py_ssize_t *shape, const size_t *tile, double clip_limit)
    void cheq_adapt_close(cheq_adapt_job *job)
    cheq_work cheq_adapt_work(const cheq_adapt_job *job)
    bint cheq_shared_open(cheq_adapt_shared *shared, const cheq_adapt_job *job)
    size_t cheq_shared_first(const cheq_adapt_shared *shared, size_t end)
    cheq_work cheq_shared_work(cheq_adapt_shared *shared, cheq_step step, size_t first, size_t end)
    void cheq_shared_loaded(cheq_adapt_shared *shared)
    void cheq_shared_interpolated(cheq_adapt_shared *shared)
    void cheq_shared_finished(cheq_adapt_shared *shared)

MOST_AXES, MOST_TILE_PIXELS = CHEQ_MOST_TILED_AXES, CHEQ_MOST_TILE_PIXELS


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
    cdef void *ranges = NULL
    cdef Py_ssize_t last = images.ndim - 1
    try:
        job.kernels, job.bytes, job.keeps = active_kernels(), <int>images.itemsize, views.keeps
        job.clip_limits = <const double *>views.tables[0].buf
        job.clip_step = 1 if views.tables[0].len > <Py_ssize_t>sizeof(double) else 0
        lay_out(&job.layout, views)
        job.groups, job.pixels = cheq_axes_size(&job.layout.batch), cheq_axes_size(&job.layout.pixels)
        if not (cheq_tile_axis_open(&job.columns, images.shape[last], tile[0], grid[0])
                and cheq_tile_axis_open(&job.rows, images.shape[last - 1], tile[1], grid[1])):
            raise MemoryError("cheq: no memory for the tiles of a plane")
        work = cheq_tiles_work(job)
        if has_parts(&work) and wants_parts(&work, views.threads):
            if job.bytes == 2:
                ranges = zeros(job.groups * sizeof(cheq_level_range))
            if not cheq_tiles_share(job, ranges):
                raise MemoryError("cheq: no memory for the LUTs of a plane")
        if ranges != NULL:
            work = cheq_tile_ranges_work(job)
            run_work(&work, views.threads, True)
            work = cheq_tiles_work(job)
        return run_work(&work, views.threads, views.ownership == CHEQ_FRESH)
    finally:
        cheq_tiles_close(job)
        free(ranges)
        free(job)


cdef void lay_out(cheq_layout *layout, cheq_views *views) noexcept:
    cdef cheq_operand operands[CHEQ_OPERANDS]
    operands[CHEQ_IMAGES] = cheq_operand(views.images.buf, views.images.strides)
    operands[CHEQ_OUT] = cheq_operand(views.out.buf, views.out.strides)
    operands[CHEQ_MASK] = cheq_operand(views.mask.buf, views.mask.strides)
    operands[CHEQ_LIGHTNESS] = cheq_operand(NULL, NULL)
    cheq_layout_place(layout, views.images.ndim, views.n_batch, views.images.shape, operands)


# ---------------------------------------------------------------- scikit-image's


def adapt(call, tile, double clip_limit, size_t nbins):
    """Equalize the call's images into its result, of any number of axes, as scikit-image does it. Interrupts: as above.

    tile: the sides of a tile, one an axis of a plane. Floats must be from -1 to 1.
    """
    cdef cheq_views views
    memset(&views, 0, sizeof(views))
    try:
        open_views(&views, call, None, None, 0)
        check(0 <= views.n_batch <= views.images.ndim and kind_number(&views.images) >= 0
              and kind_number(&views.out) >= 0 and has_shape(&views.out, &views.images))
        if views.images.len == 0:
            return
        if not may_overlap(&views, False):
            run_adapt(&views, tile, clip_limit, nbins)
            return
    finally:
        release_views(&views)
    call.separate()
    adapt(call, tile, clip_limit, nbins)


cdef int kind_number(const Py_buffer *view) noexcept:
    """The elements' cheq_kind; -1: another one."""
    cdef const char *kinds = b"B?Hhfd"
    cdef const char *found = strchr(kinds, kind_of(view))
    return <int>(found - kinds) if found != NULL and found[0] != 0 else -1


cdef int run_adapt(cheq_views *views, tile, double clip_limit, size_t nbins) except -1:
    cdef cheq_adapt_job *job = <cheq_adapt_job *>zeros(sizeof(cheq_adapt_job))
    cdef Py_buffer *images = &views.images
    cdef size_t tiles[CHEQ_MAX_NDIM]
    cdef cheq_work work
    cdef int a, n = images.ndim - views.n_batch
    try:
        check(len(tile) == n)
        for a in range(n):
            tiles[a] = tile[a]
        check(cheq_adapt_fits(n, images.shape + views.n_batch, tiles))
        job.kind, job.result = <cheq_kind>kind_number(images), <cheq_kind>kind_number(&views.out)
        lay_out(&job.layout, views)
        job.planes, job.pixels = cheq_axes_size(&job.layout.batch), cheq_axes_size(&job.layout.pixels)
        job.nbins = nbins
        if not cheq_adapt_open(job, n, images.shape + views.n_batch, tiles, clip_limit):
            raise MemoryError("cheq: no memory for the tiles of a plane")
        work = cheq_adapt_work(job)
        if wants_parts(&work, views.threads) or work.cost > CHEQ_MOST_ADAPT_COST:
            return share_planes(job, views.threads, views.ownership == CHEQ_FRESH)
        return run_work(&work, views.threads, views.ownership == CHEQ_FRESH)
    finally:
        cheq_adapt_close(job)
        free(job)


cdef int share_planes(const cheq_adapt_job *job, int threads, bint fresh) except -1:
    """One plane after the other, on all threads."""
    cdef cheq_adapt_shared shared
    cdef size_t plane
    if not cheq_shared_open(&shared, job):
        raise MemoryError(f"cheq: no memory for a plane, {job.pixels} pixels")
    try:
        for plane in range(job.planes):
            shared.group = plane
            share_plane(&shared, threads, fresh)
    finally:
        free(shared.memory)
    return 0


cdef int share_plane(cheq_adapt_shared *shared, int threads, bint fresh) except -1:
    cdef size_t first, end = shared.job.axis[0].tiles
    run_step(shared, CHEQ_LOAD, 0, 0, threads, fresh)
    cheq_shared_loaded(shared)
    run_step(shared, CHEQ_BIN, 0, 0, threads, fresh)
    while end > 0:
        first = cheq_shared_first(shared, end)
        run_step(shared, CHEQ_MAKE, first, end, threads, fresh)
        run_step(shared, CHEQ_INTERPOLATE, first, end, threads, fresh)
        cheq_shared_interpolated(shared)
        end = first
    cheq_shared_finished(shared)
    return run_step(shared, CHEQ_STORE, 0, 0, threads, fresh)


cdef int run_step(cheq_adapt_shared *shared, cheq_step step, size_t first, size_t end, int threads, bint fresh) except -1:
    cdef cheq_work work = cheq_shared_work(shared, step, first, end)
    return run_work(&work, threads, fresh)
