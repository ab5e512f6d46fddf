"""What other modules of the core may ask of this one."""

from cheq._core.kernels cimport cheq_kernels

cdef const cheq_kernels *active_kernels() noexcept nogil
