"""C declarations of the work on colour images; their comments are in the headers."""

from libc.stdint cimport uint8_t, uint32_t

# color_job.h has to be the first header: it includes the others without their warnings.
cdef extern from "kernels/color_job.h" nogil:
    enum:
        CHEQ_MAX_NDIM

    const size_t CHEQ_PART

    ctypedef uint32_t cheq_hist[256]

    ctypedef struct cheq_layout:
        pass

    ctypedef struct cheq_weights:
        pass

    ctypedef struct cheq_lut_rule:
        pass

    ctypedef struct cheq_color_job:
        const cheq_weights *weights
        bint swapped
        int bytes
        cheq_lut_rule rule
        bint masked
        cheq_layout counted
        cheq_layout applied
        size_t images
        size_t pixels
        size_t image
        cheq_hist *parts

    ctypedef void (*cheq_color_work)(const cheq_color_job *job, size_t begin, size_t end) noexcept

    const cheq_weights *const *cheq_gray_weights
    const cheq_lut_rule *cheq_luma_rules

    void cheq_color_job_begin(cheq_color_job *job, int kernel)
    void cheq_color_layout(cheq_layout *layout, int ndim, int n_batch, const Py_ssize_t *shape,
                           uint8_t *images, const Py_ssize_t *images_strides,
                           uint8_t *other, const Py_ssize_t *other_strides, int key)
    void cheq_color_job_measure(cheq_color_job *job)
    size_t cheq_parts(size_t pixels)

    void cheq_gray_parts(const cheq_color_job *job, size_t begin, size_t end)
    void cheq_ycrcb_images(const cheq_color_job *job, size_t begin, size_t end)
    void cheq_ycrcb_count_parts(const cheq_color_job *job, size_t begin, size_t end)
    void cheq_ycrcb_join_parts(cheq_color_job *job)
    void cheq_ycrcb_apply_parts(const cheq_color_job *job, size_t begin, size_t end)
