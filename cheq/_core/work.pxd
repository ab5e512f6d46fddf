"""The parallel loop that all jobs share, and the C declarations of what a job tells it."""

from libc.stdlib cimport calloc

cdef extern from "jobs/work.h" nogil:
    ctypedef struct cheq_work:
        const void *job
        size_t groups
        size_t pixels
        size_t planes
        size_t cost
        void (*count)(const void *job, size_t group, size_t begin, size_t end, void *counts, void *room) noexcept nogil
        void (*apply)(const void *job, size_t group, size_t begin, size_t end, const void *made, void *room) noexcept nogil

cdef extern from "jobs/passes.h" nogil:
    enum:
        CHEQ_LINE
        CHEQ_MOST_COUNTED

    ctypedef struct cheq_memory:
        pass

    char *cheq_first_line(char *memory)
    bint cheq_memory_open(cheq_memory *memory, const cheq_work *work, size_t team, bint shares)
    void cheq_memory_close(cheq_memory *memory)
    void cheq_run_groups(const cheq_work *work, size_t begin, size_t end, const cheq_memory *memory, size_t thread)
    void cheq_run_part(const cheq_work *work, const cheq_memory *memory, bint counting, size_t group, size_t begin,
                       size_t end, int i, int n)
    void cheq_join_parts(const cheq_work *work, const cheq_memory *memory, int n)
    void cheq_make_joined(const cheq_work *work, const cheq_memory *memory, size_t group)

cdef extern from "jobs/arithmetic.h" nogil:
    ctypedef struct cheq_arithmetic:  # of some type
        pass

    cheq_arithmetic cheq_arithmetic_begin()
    void cheq_arithmetic_end(cheq_arithmetic saved)

cdef extern from "openmp.h" nogil:
    int cheq_openmp_version()
    int cheq_openmp_max_threads()
    int cheq_fork_watch()
    bint cheq_forked()
    void cheq_use_stack(size_t bytes)
    int cheq_startable(int team)

cdef extern from "clock.h" nogil:
    double cheq_seconds()

# Pixels up to which a call keeps the GIL: some microseconds of work, beside which letting it go and asking for it again
# is dear, and takes 5 ms where other threads want it too.
cdef enum:
    BRIEF = 1 << 14

# Pixels from which a second thread pays (benchmarks/small_work.py).
cdef enum:
    CHEQ_SMALL_WORK = 1 << 17

cdef inline void *zeros(size_t size) except NULL:
    """Memory that is all zeros, for its owner to free."""
    cdef void *memory = calloc(max(size, <size_t>1), 1)
    if memory == NULL:
        raise MemoryError(f"cheq: no memory, {size} bytes")
    return memory


cdef int run_work(const cheq_work *work, int threads, bint fresh) except -1
cdef bint has_parts(const cheq_work *work) noexcept nogil
cdef bint wants_parts(const cheq_work *work, int threads) noexcept nogil
