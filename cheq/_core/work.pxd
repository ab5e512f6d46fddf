"""The parallel loop that all jobs share, and the C declarations of what a job tells it."""

cdef extern from "jobs/work.h" nogil:
    ctypedef struct cheq_work:
        const void *job
        size_t groups
        size_t pixels
        size_t planes
        size_t cost
        void (*count)(const void *job, size_t group, size_t begin, size_t end, void *counts) noexcept nogil
        void (*apply)(const void *job, size_t group, size_t begin, size_t end, const void *made) noexcept nogil

cdef extern from "jobs/passes.h" nogil:
    enum:
        CHEQ_LINE
        CHEQ_MOST_COUNTED

    ctypedef struct cheq_parts:
        pass

    char *cheq_first_line(char *memory)
    size_t cheq_scratch_bytes(const cheq_work *work)
    void cheq_run_groups(const cheq_work *work, size_t begin, size_t end, char *scratch)
    size_t cheq_parts_bytes(const cheq_work *work, int team)
    cheq_parts cheq_parts_in(const cheq_work *work, char *memory)
    void cheq_run_part(const cheq_work *work, const cheq_parts *parts, bint counting, size_t group, size_t begin,
                       size_t end, int i, int n)
    void cheq_join_parts(const cheq_work *work, const cheq_parts *parts, int n)
    void cheq_make_joined(const cheq_work *work, const cheq_parts *parts, size_t group)

cdef extern from "openmp.h" nogil:
    int cheq_openmp_version()
    int cheq_openmp_max_threads()
    int cheq_fork_watch()
    bint cheq_forked()

cdef extern from "clock.h" nogil:
    double cheq_seconds()

# Pixels up to which a call keeps the GIL: some microseconds of work, beside which letting it go and asking for it again
# is dear, and takes 5 ms where other threads want it too.
cdef enum:
    BRIEF = 1 << 14

# Pixels from which a second thread pays (benchmarks/small_work.py).
cdef enum:
    CHEQ_SMALL_WORK = 1 << 17

cdef int run_work(const cheq_work *work, int threads, bint fresh) except -1
