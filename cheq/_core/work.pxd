"""The parallel loop that all jobs share, and the C declarations of what a job tells it."""

cdef extern from "jobs/work.h" nogil:
    ctypedef struct cheq_work:
        const void *job
        size_t groups
        size_t pixels
        size_t planes
        size_t cost
        void (*run)(const void *job, size_t begin, size_t end, void *scratch) noexcept nogil
        size_t scratch_bytes
        int phases
        int writes
        void (*share)(const void *job, int phase, size_t group, size_t begin, size_t end, void *part,
                      const void *joined) noexcept nogil
        void (*join)(const void *job, int phase, size_t group, const void *parts, int n, void *joined) noexcept nogil
        size_t part_bytes
        size_t joined_bytes

    void cheq_part(size_t *begin, size_t *end, int i, int n)

cdef extern from "openmp.h" nogil:
    int cheq_openmp_version()
    int cheq_openmp_max_threads()
    int cheq_fork_watch()
    bint cheq_forked()

cdef extern from "clock.h" nogil:
    double cheq_seconds()

cdef int run_work(cheq_work *work, int threads, bint fresh) except -1
