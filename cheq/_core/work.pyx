"""The parallel loop: threads take whole groups of planes, or parts of one group when groups are few and large.

Signals are looked at between chunks of work. Whether the process was forked is asked before each parallel region,
not once a call: a signal handler may fork between two of them, and the child goes on with the call.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport prange, threadid

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
SMALL_WORK = CHEQ_SMALL_WORK
cdef int LARGEST_TEAM = MAX_TEAM

cheq_fork_watch()


def openmp_version():
    """Return OpenMP's version as a date (201511 for 4.5), 0 without OpenMP."""
    return cheq_openmp_version()


def openmp_max_threads():
    """Return OpenMP's limit on the calling thread, 1 without OpenMP."""
    return cheq_openmp_max_threads()


def use_stack(size_t size):
    """Have threads tried with stacks of so many bytes, as OpenMP gives its own; 0: of the system's default size."""
    cheq_use_stack(size)


def forked():
    """Return whether this process was forked after the import."""
    return bool(cheq_forked())


cdef class usual_arithmetic:
    """A context in which NumPy computes on this thread as the core does: see arithmetic.h."""

    cdef cheq_arithmetic before

    def __enter__(self):
        self.before = cheq_arithmetic_begin()

    def __exit__(self, *raised):
        cheq_arithmetic_end(self.before)


cdef int run_work(const cheq_work *work, int threads, bint fresh) except -1:
    """Do the work on at most so many threads; raise what a signal's handler raises.

    That leaves each group of the result whole or untouched, unless it is ``fresh``.
    """
    cdef size_t size = work.pixels * work.planes
    cdef size_t team = <size_t>min(threads, LARGEST_TEAM)
    if work.groups == 0 or size == 0:
        return 0
    if work.groups * (size + work.planes * work.cost) <= BRIEF:
        return run_briefly(work)
    if has_parts(work) and wants_parts(work, threads):
        return run_in_parts(work, cheq_startable(<int>min(team, (size + DIVISIBLE - 1) // DIVISIBLE * 2)), fresh)
    return run_whole(work, cheq_startable(<int>min(team, work.groups)), size + work.planes * work.cost)


cdef int run_briefly(const cheq_work *work) except -1:
    cdef cheq_memory memory
    open_memory(&memory, work, 1, False)
    cheq_run_groups(work, 0, work.groups, &memory, 0)
    cheq_memory_close(&memory)
    return 0


cdef int open_memory(cheq_memory *memory, const cheq_work *work, int team, bint shares) except -1:
    if not cheq_memory_open(memory, work, team, shares):
        raise MemoryError(f"cheq: no memory for the own results of the threads, {team} in number")
    return 0


cdef bint has_parts(const cheq_work *work) noexcept nogil:
    """Whether a group can be worked on in parts, or only as a whole."""
    return work.count != NULL or work.apply != NULL


cdef bint wants_parts(const cheq_work *work, int threads) noexcept nogil:
    """Whether a group is so large, or groups are so few, that it is best worked on in parts."""
    cdef size_t size = work.pixels * work.planes
    cdef size_t team = <size_t>min(threads, LARGEST_TEAM)
    return size > CHUNK or (team > 1 and size >= DIVISIBLE and not shares_evenly(work.groups, team))


cdef bint shares_evenly(size_t groups, size_t team) noexcept nogil:
    """Whether whole groups keep all threads busy: the last round's idle share is at most an eighth."""
    return groups % team == 0 or groups >= 8 * team


# ---------------------------------------------------------------- whole groups


cdef int run_whole(const cheq_work *work, int team, size_t cost) except -1:
    cdef size_t chunk = max(CHUNK // cost, <size_t>1) * <size_t>team
    cdef size_t begin = 0
    cdef cheq_memory memory
    open_memory(&memory, work, team, False)
    try:
        while True:
            with nogil:
                begin = run_until_signals(work, begin, chunk, team, cost, &memory)
            if begin == work.groups:
                return 0
            PyErr_CheckSignals()
    finally:
        cheq_memory_close(&memory)


cdef size_t run_until_signals(const cheq_work *work, size_t begin, size_t chunk, int team, size_t cost,
                              const cheq_memory *memory) noexcept nogil:
    """Work on the groups from ``begin`` until the signals are due; return where it stopped."""
    cdef double due = 0 if begin + chunk >= work.groups else cheq_seconds() + SIGNALS_INTERVAL
    cdef size_t end
    while True:
        end = min(begin + chunk, work.groups)
        run_chunk(work, begin, end, team, cost, memory)
        begin = end
        if begin == work.groups or cheq_seconds() > due:
            return begin


cdef void run_chunk(const cheq_work *work, size_t begin, size_t end, int team, size_t cost,
                    const cheq_memory *memory) noexcept nogil:
    cdef size_t groups = end - begin
    cdef size_t block = max(min(BLOCK // cost, groups // (4 * <size_t>team)), <size_t>1)
    cdef Py_ssize_t blocks = <Py_ssize_t>((groups + block - 1) // block)
    cdef Py_ssize_t i
    if team == 1 or cheq_forked():
        cheq_run_groups(work, begin, end, memory, 0)
        return
    for i in prange(blocks, schedule="dynamic", num_threads=team):
        cheq_run_groups(work, begin + <size_t>i * block, min(begin + (<size_t>i + 1) * block, end),
                        memory, <size_t>threadid())


# ---------------------------------------------------------------- one group in parts


cdef int run_in_parts(const cheq_work *work, int team, bint fresh) except -1:
    cdef cheq_memory memory
    cdef size_t group
    open_memory(&memory, work, team, True)
    try:
        for group in range(work.groups):
            if work.count != NULL:
                pass_over(work, &memory, True, group, team, fresh)
                with nogil:
                    cheq_make_joined(work, &memory, group)
            if work.apply != NULL:
                pass_over(work, &memory, False, group, team, fresh)
    finally:
        cheq_memory_close(&memory)
    return 0


cdef int pass_over(const cheq_work *work, const cheq_memory *memory, bint counting, size_t group, int team,
                   bint fresh) except -1:
    """Count or apply all pixels of a group; an interrupted result is finished first, unless it is fresh."""
    cdef size_t begin = 0
    interrupt = None
    while begin < work.pixels:
        with nogil:
            begin = share_until_signals(work, memory, counting, group, begin, team)
        try:
            PyErr_CheckSignals()
        except BaseException as raised:
            if counting or fresh:
                raise
            interrupt = raised
    if interrupt is not None:
        raise interrupt
    return 0


cdef size_t share_until_signals(const cheq_work *work, const cheq_memory *memory, bint counting, size_t group,
                                size_t begin, int team) noexcept nogil:
    """Share the pixels from ``begin`` until the signals are due, and join what is counted; return where it stopped."""
    cdef double due = cheq_seconds() + SIGNALS_INTERVAL
    cdef size_t chunk = CHUNK // work.planes * <size_t>team
    cdef size_t last = min(work.pixels, begin + CHEQ_MOST_COUNTED)
    cdef size_t end
    cdef int i
    while begin < last and cheq_seconds() < due:
        end = min(begin + chunk, last)
        if team == 1 or cheq_forked():
            for i in range(team):
                cheq_run_part(work, memory, counting, group, begin, end, i, team)
        else:
            for i in prange(team, schedule="static", num_threads=team):
                cheq_run_part(work, memory, counting, group, begin, end, i, team)
        begin = end
    if counting:
        cheq_join_parts(work, memory, team)
    return begin
