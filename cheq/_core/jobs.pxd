"""C declarations of the layouts, the LUTs and the jobs; their comments are in the headers."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from cheq._core.dispatch cimport cheq_kernels
from cheq._core.work cimport cheq_work

cdef extern from "formulas/base.h" nogil:
    enum:
        CHEQ_LEVELS
        CHEQ_ROOM

cdef extern from "kernels/kernels.h" nogil:
    enum:
        CHEQ_NO_ROOM

cdef extern from "jobs/layout.h" nogil:
    enum:
        CHEQ_IMAGES
        CHEQ_OUT
        CHEQ_MASK
        CHEQ_LIGHTNESS
        CHEQ_OPERANDS
        CHEQ_MAX_NDIM

    ctypedef struct cheq_operand:
        void *base
        const Py_ssize_t *strides

    ctypedef struct cheq_axes:
        pass

    ctypedef struct cheq_layout:
        cheq_axes batch
        cheq_axes pixels

    size_t cheq_axes_size(const cheq_axes *axes)
    void cheq_layout_init(cheq_layout *layout, int ndim, int n_batch, const Py_ssize_t *shape,
                          const cheq_operand *operands, int key)
    void cheq_layout_group(cheq_layout *layout, int channels)

cdef extern from "formulas/bins.h" nogil:
    ctypedef struct cheq_distribution:
        pass

cdef extern from "formulas/lut.h" nogil:
    ctypedef struct cheq_entries:
        void *lut
        int bytes
        uint32_t levels
        uint32_t flip
        void *room

cdef extern from "jobs/makers.h" nogil:
    enum:
        CHEQ_MAKER_COUNT

    ctypedef struct cheq_maker:
        const char *name
        cheq_distribution *distribution

    cheq_maker cheq_maker_at(int i, const cheq_kernels *kernels)
    void cheq_make_lut_of_hist(const cheq_maker *maker, size_t plane, const uint64_t *hist, const cheq_entries *to)
    uint32_t cheq_otsu_of_hist(const uint64_t *hist, uint32_t levels)

cdef extern from "jobs/bytes.h" nogil:
    ctypedef struct cheq_bytes_job:
        const cheq_kernels *kernels
        cheq_maker maker
        bint counts
        bint applies
        cheq_layout counted
        cheq_layout applied
        uint64_t *hist
        const uint8_t *luts
        size_t lut_step

    void cheq_equalize_plane(const cheq_kernels *k, const cheq_maker *maker, const uint8_t *images, uint8_t *out,
                             size_t pixels, void *room)
    void cheq_bytes_group(cheq_bytes_job *job)
    cheq_work cheq_bytes_work(const cheq_bytes_job *job)

cdef extern from "jobs/lookup.h" nogil:
    bint cheq_streams(const cheq_layout *layout, int entry_bytes, bint fresh)

cdef extern from "jobs/levels.h" nogil:
    ctypedef struct cheq_levels_job:
        const cheq_kernels *kernels
        cheq_maker maker
        bint counts
        bint applies
        int bytes
        uint32_t levels
        uint32_t flip
        int entry_bytes
        bint entry_is_level
        bint streams
        cheq_layout counted
        cheq_layout applied
        size_t groups
        size_t pixels
        uint64_t *hist
        const uint8_t *luts
        size_t lut_step

    cheq_work cheq_levels_work(const cheq_levels_job *job)
