"""The kernels in use, for the modules that make jobs."""

cdef extern from "kernels/kernels.h" nogil:
    ctypedef struct cheq_kernels:
        const char *name

cdef const cheq_kernels *active_kernels() noexcept nogil
