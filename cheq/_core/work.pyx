"""The parallel loop: threads take whole groups of planes, or parts of one group when groups are few and large.

Signals are looked at between chunks of work. Whether the process was forked is asked before each parallel region,
not once a call: a signal handler may fork between two of them, and the child goes on with the call.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport prange, threadid
from libc.stdlib cimport calloc, free
from libc.string cimport memset

# Pixels a thread works on between two looks at the clock: 1 ms or more, and 110 ms at the 27 ns a pixel of the
# slowest layouts. Below 2^32 by far, so 32-bit counts hold one chunk of a plane.
cdef size_t CHUNK = 1 << 22

# Seconds between two looks at the signals. They need the GIL, which may take 5 ms to come back when
# other threads want it too; so they wait for the clock, not for a number of pixels.
cdef double SIGNALS_INTERVAL = 0.05

# Pixels a thread takes at a time: 50 us of work or more, beside which the handing out is nothing.
cdef size_t BLOCK = 1 << 18

# A plane is cut into parts only from this size on; a parallel region costs a few microseconds.
cdef size_t DIVISIBLE = 1 << 17

# GNU OpenMP crashes on a team of a million; more threads than this have no use here.
MAX_TEAM = 256
cdef int LARGEST_TEAM = MAX_TEAM

cheq_fork_watch()


def openmp_version():
    """Return OpenMP's version as a date (201511 for 4.5), 0 without OpenMP."""
    return cheq_openmp_version()


def openmp_max_threads():
    """Return OpenMP's limit on the calling thread, 1 without OpenMP."""
    return cheq_openmp_max_threads()


def forked():
    """Return whether this process was forked after the import."""
    return bool(cheq_forked())


cdef int run_work(cheq_work *work, int threads, bint fresh) except -1:
    """Do the work on at most so many threads; raise what a signal's handler raises, soon if the result is fresh."""
    cdef size_t size = work.pixels * work.planes
    cdef size_t team = <size_t>min(threads, LARGEST_TEAM)
    if work.groups == 0 or size == 0:
        return 0
    if fresh:
        work.writes = work.phases
    if size > CHUNK or (team > 1 and size >= DIVISIBLE and not shares_evenly(work.groups, team)):
        return run_in_parts(work, <int>min(team, (size + DIVISIBLE - 1) // DIVISIBLE * 2))
    return run_whole(work, <int>min(team, work.groups), size + work.planes * work.cost)


cdef bint shares_evenly(size_t groups, size_t team) noexcept nogil:
    """Whether whole groups keep all threads busy: the last round's idle share is at most an eighth."""
    return groups % team == 0 or groups >= 8 * team


# ---------------------------------------------------------------- whole groups


cdef int run_whole(const cheq_work *work, int team, size_t cost) except -1:
    cdef size_t chunk = max(CHUNK // cost, <size_t>1) * <size_t>team
    cdef size_t begin = 0
    cdef char *scratch = <char *>zeros(<size_t>team, work.scratch_bytes)  # never NULL, which has no offsets in C
    try:
        while True:
            with nogil:
                begin = run_until_signals(work, begin, chunk, team, cost, scratch)
            if begin == work.groups:
                return 0
            PyErr_CheckSignals()
    finally:
        free(scratch)


cdef size_t run_until_signals(const cheq_work *work, size_t begin, size_t chunk, int team, size_t cost,
                              char *scratch) noexcept nogil:
    """Work on the groups from ``begin`` until the signals are due; return where it stopped."""
    cdef double due = 0 if begin + chunk >= work.groups else cheq_seconds() + SIGNALS_INTERVAL
    cdef size_t end
    while True:
        end = min(begin + chunk, work.groups)
        run_chunk(work, begin, end, team, cost, scratch)
        begin = end
        if begin == work.groups or cheq_seconds() > due:
            return begin


cdef void run_chunk(const cheq_work *work, size_t begin, size_t end, int team, size_t cost,
                    char *scratch) noexcept nogil:
    cdef size_t groups = end - begin
    cdef size_t block = max(min(BLOCK // cost, groups // (4 * <size_t>team)), <size_t>1)
    cdef Py_ssize_t blocks = <Py_ssize_t>((groups + block - 1) // block)
    cdef Py_ssize_t i
    if team == 1 or cheq_forked():
        work.run(work.job, begin, end, scratch)
        return
    for i in prange(blocks, schedule="dynamic", num_threads=team):
        work.run(work.job, begin + <size_t>i * block, min(begin + (<size_t>i + 1) * block, end),
                 scratch + <size_t>threadid() * work.scratch_bytes)


# ---------------------------------------------------------------- one group in parts


cdef int run_in_parts(const cheq_work *work, int team) except -1:
    cdef char *parts = <char *>zeros(<size_t>team, work.part_bytes)
    cdef void *joined = NULL
    cdef size_t group
    try:
        joined = zeros(1, work.joined_bytes)
        for group in range(work.groups):
            memset(parts, 0, <size_t>team * work.part_bytes)
            run_group_in_parts(work, group, team, parts, joined)
    finally:
        free(joined)
        free(parts)
    return 0


cdef void *zeros(size_t n, size_t size) except NULL:
    cdef void *memory = calloc(max(n * size, <size_t>1), 1)
    if memory == NULL:
        raise MemoryError(f"cheq: no memory for the threads' own results, {n * size} bytes")
    return memory


cdef int run_group_in_parts(const cheq_work *work, size_t group, int team, char *parts, void *joined) except -1:
    cdef size_t begin
    cdef int phase
    interrupt = None
    for phase in range(work.phases):
        begin = 0
        while begin < work.pixels:
            with nogil:
                begin = share_until_signals(work, phase, group, begin, team, parts, joined)
            try:
                PyErr_CheckSignals()
            except BaseException as raised:
                if phase < work.writes:
                    raise
                interrupt = raised
        with nogil:
            work.join(work.job, phase, group, parts, team, joined)
    if interrupt is not None:
        raise interrupt
    return 0


cdef size_t share_until_signals(const cheq_work *work, int phase, size_t group, size_t begin, int team, char *parts,
                                const void *joined) noexcept nogil:
    """Share one phase's pixels from ``begin`` until the signals are due; return where it stopped."""
    cdef double due = cheq_seconds() + SIGNALS_INTERVAL
    cdef size_t chunk = CHUNK // work.planes * <size_t>team
    cdef size_t end
    cdef int i
    while begin < work.pixels and cheq_seconds() < due:
        end = min(begin + chunk, work.pixels)
        if team == 1 or cheq_forked():
            for i in range(team):
                share_part(work, phase, group, begin, end, i, team, parts, joined)
        else:
            for i in prange(team, schedule="static", num_threads=team):
                share_part(work, phase, group, begin, end, i, team, parts, joined)
        begin = end
    return begin


cdef void share_part(const cheq_work *work, int phase, size_t group, size_t begin, size_t end, int i, int n,
                     char *parts, const void *joined) noexcept nogil:
    cheq_part(&begin, &end, i, n)
    if begin < end:
        work.share(work.job, phase, group, begin, end, parts + <size_t>i * work.part_bytes, joined)
