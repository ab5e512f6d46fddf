"""Which kernels there are and which are in use. This extension alone compiles them; the others ask it for the table."""

cdef extern from "kernels/dispatch.h" nogil:
    enum:
        CHEQ_KERNEL_COUNT
        CHEQ_MOST_FEATURES

    ctypedef struct cheq_feature:
        const char *name
        bint here

    const cheq_kernels *cheq_kernels_at(int i)
    bint cheq_runs_here(const cheq_kernels *k)
    int cheq_features(cheq_feature *features)

cdef extern from "build.h" nogil:
    const char *cheq_compiler()

# Until use_kernel is called, which the import of cheq does.
cdef const cheq_kernels *active = cheq_kernels_at(0)


cdef const cheq_kernels *active_kernels() noexcept nogil:
    return active


def kernels():
    """Return the names of all kernels built in, each with whether this CPU can run it, the best last."""
    return {cheq_kernels_at(i).name.decode(): bool(cheq_runs_here(cheq_kernels_at(i))) for i in range(CHEQ_KERNEL_COUNT)}


def kernel():
    """Return the name of the kernels in use."""
    return active.name.decode()


def use_kernel(name):
    """Use the kernels of this name from now on, in all threads."""
    global active
    known = kernels()
    if name not in known:
        raise ValueError(f"kernel: expected one of {', '.join(map(repr, known))}; got {name!r}")
    if not known[name]:
        raise RuntimeError(f"kernel: this CPU lacks the instructions of {name!r}; "
                           f"it has those of {', '.join(repr(each) for each in known if known[each])}")
    active = cheq_kernels_at(list(known).index(name))


def features():
    """Return the instruction sets that the kernels ask for, each with whether this CPU has it."""
    cdef cheq_feature found[CHEQ_MOST_FEATURES]
    cdef int count = cheq_features(found)
    return {found[i].name.decode(): bool(found[i].here) for i in range(count)}


def compiler():
    """Return the compiler's name and version."""
    return cheq_compiler().decode()
