"""C declarations of the work on colour images; their comments are in the headers."""

from libc.stdint cimport uint8_t

from cheq._core.work cimport cheq_work

# color_job.h has to be the first header: it includes the others without their warnings.
cdef extern from "jobs/colors.h" nogil:
    enum:
        CHEQ_MAX_NDIM

    ctypedef struct cheq_kernels:
        pass

    ctypedef struct cheq_layout:
        pass

    ctypedef enum cheq_rule:
        pass

    ctypedef struct cheq_weights:
        pass

    const cheq_weights cheq_gray_opencv
    const cheq_weights cheq_gray_pillow

    ctypedef struct cheq_color_job:
        const cheq_weights *weights
        bint swapped
        int bytes
        cheq_rule rule
        bint masked
        cheq_layout counted
        cheq_layout applied

    void cheq_color_job_begin(cheq_color_job *job, const cheq_kernels *kernels)
    void cheq_color_layout(cheq_layout *layout, int ndim, int n_batch, const Py_ssize_t *shape,
                           uint8_t *images, const Py_ssize_t *images_strides,
                           uint8_t *other, const Py_ssize_t *other_strides, int key)
    void cheq_color_job_measure(cheq_color_job *job)
    cheq_work cheq_gray_work(const cheq_color_job *job)
    cheq_work cheq_ycrcb_work(const cheq_color_job *job)
