"""C declarations of the kernels, the layouts and the job; their comments are in the headers."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef extern from "kernels/kernels.h" nogil:
    enum:
        CHEQ_LEVELS
        CHEQ_MAX_CHANNELS

    ctypedef struct cheq_kernels:
        const char *name

cdef extern from "kernels/dispatch.h" nogil:
    enum:
        CHEQ_KERNEL_COUNT

    const cheq_kernels *cheq_kernels_at(int i)
    bint cheq_kernels_run_here(int i)

cdef extern from "kernels/layout.h" nogil:
    enum:
        CHEQ_IMAGES
        CHEQ_OTHER

    ctypedef struct cheq_layout:
        pass

    void cheq_layout_init(cheq_layout *layout, int ndim, int n_batch, const Py_ssize_t *shape,
                          void *images, const Py_ssize_t *images_strides,
                          void *other, const Py_ssize_t *other_strides, int key)

    bint cheq_ranges_meet(int ndim_a, const Py_ssize_t *shape_a, const Py_ssize_t *strides_a, const void *a,
                          int ndim_b, const Py_ssize_t *shape_b, const Py_ssize_t *strides_b, const void *b)

cdef extern from "kernels/plane.h" nogil:
    ctypedef uint32_t cheq_hist[256]

cdef extern from "kernels/job.h" nogil:
    ctypedef struct cheq_job:
        const cheq_kernels *kernels
        bint counts
        bint applies
        bint masked
        cheq_layout counted
        cheq_layout applied
        int channels
        size_t groups
        size_t pixels
        uint64_t *hist
        const uint8_t *luts
        size_t lut_step

    void cheq_job_group(cheq_job *job)
    const uint8_t *cheq_job_luts(const cheq_job *job, size_t group)
    void cheq_lut_from_hist(const cheq_kernels *k, const uint64_t *hist, uint8_t *lut)
    void cheq_run_groups(const cheq_job *job, size_t begin, size_t end)
    void cheq_count_share(const cheq_job *job, size_t group, size_t begin, size_t end, int i, int n,
                          cheq_hist *hist)
    void cheq_apply_share(const cheq_job *job, size_t group, size_t begin, size_t end, int i, int n,
                          const uint8_t *luts, size_t lut_step)

cdef extern from "openmp.h" nogil:
    int cheq_openmp_version()
    int cheq_openmp_max_threads()
    int cheq_fork_watch()
    bint cheq_forked()

cdef extern from "clock.h" nogil:
    double cheq_seconds()

cdef extern from "build.h" nogil:
    const char *cheq_compiler()
