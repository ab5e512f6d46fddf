"""A call's arrays as buffers: opened, compared with each other, released. What a user passed was checked before, in cheq._arguments."""

from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
)
from libc.string cimport memset, strchr

from cheq._core.jobs cimport (
    CHEQ_IMAGES, CHEQ_LIGHTNESS, CHEQ_MASK, CHEQ_OPERANDS, CHEQ_OUT, cheq_layout, cheq_layout_init, cheq_operand
)

cdef extern from "Python.h":
    bint PY_LITTLE_ENDIAN

cdef extern from "jobs/layout.h" nogil:
    bint cheq_ranges_meet(int ndim_a, const Py_ssize_t *shape_a, const Py_ssize_t *strides_a, const void *a,
                          Py_ssize_t bytes_a, int ndim_b, const Py_ssize_t *shape_b,
                          const Py_ssize_t *strides_b, const void *b, Py_ssize_t bytes_b)

# What is known of a result: it may overlap what is read; it does not; it does not and nobody has seen it, so that an
# interrupt may leave it half written.
cdef enum:
    CHEQ_MAY_OVERLAP
    CHEQ_APART
    CHEQ_FRESH

# The arrays of a cheq._call.Call, and up to two tables with a row a plane. An absent one has no buf.
ctypedef struct cheq_views:
    Py_buffer images
    Py_buffer mask
    Py_buffer out
    Py_buffer tables[2]
    int n_batch
    int threads
    int ownership
    bint keeps  # what is outside the mask


cdef inline int open_views(cheq_views *views, call, table, other_table, int tables_flags) except -1:
    """Open what there is; the caller releases, also after an error, what memset has made empty before."""
    open_view(&views.images, call.images, 0)
    open_view(&views.mask, call.mask, 0)
    open_view(&views.out, call.out, PyBUF_WRITABLE)
    open_view(&views.tables[0], table, PyBUF_C_CONTIGUOUS | tables_flags)
    open_view(&views.tables[1], other_table, PyBUF_C_CONTIGUOUS | tables_flags)
    views.n_batch, views.threads, views.ownership = call.n_batch, call.threads, call.ownership
    views.keeps = call.keeps
    return 0


cdef inline int open_view(Py_buffer *view, array, int flags) except -1:
    if array is None:
        return 0
    return PyObject_GetBuffer(array, view, PyBUF_STRIDES | PyBUF_FORMAT | flags)


cdef inline void release_views(cheq_views *views) noexcept:
    PyBuffer_Release(&views.images)
    PyBuffer_Release(&views.mask)
    PyBuffer_Release(&views.out)
    PyBuffer_Release(&views.tables[0])
    PyBuffer_Release(&views.tables[1])


cdef inline int check(bint fits) except -1:
    """Once more, on the buffers: code of the user's has run since the callers looked at the arrays."""
    if not fits:
        raise ValueError("images: expected arrays that keep their shape and dtype during the call, got one that changed")
    return 0


cdef inline char kind_of(const Py_buffer *view) noexcept:
    """The elements' kind as the struct module writes it; 0 where they are in another byte order, or of several parts."""
    if view.format == NULL:
        return c"B"  # so says the buffer protocol
    # NumPy writes "=" where elements are not aligned, and the machine's order by name where a dtype has it so.
    cdef char order = c"<" if PY_LITTLE_ENDIAN else c">"
    cdef const char *kind = view.format + (view.format[0] == c"=" or view.format[0] == order)
    return kind[0] if kind[0] != 0 and kind[1] == 0 else 0


cdef inline bint has_kind(const Py_buffer *view, const char *kinds) noexcept:
    """Whether the elements, if the array is there, are of one of these kinds."""
    return view.buf == NULL or (kind_of(view) != 0 and strchr(kinds, kind_of(view)) != NULL)


cdef inline bint has_shape(const Py_buffer *view, const Py_buffer *images, int without=-1) noexcept:
    """Whether an array, if it is there, has the images' shape, without one axis where that is named."""
    cdef int a, b = 0
    if view.buf == NULL:
        return True
    if view.ndim != images.ndim - (without >= 0):
        return False
    for a in range(images.ndim):
        if a != without:
            if view.shape[b] != images.shape[a]:
                return False
            b += 1
    return True


cdef inline Py_ssize_t planes_of(const cheq_views *views) noexcept:
    cdef Py_ssize_t planes = 1
    cdef int a
    for a in range(views.n_batch):
        planes *= views.images.shape[a]
    return planes


cdef inline void make_layouts(cheq_views *views, cheq_layout *counted, cheq_layout *applied) noexcept:
    """Where the arrays lie that are counted, and those that are applied to; NULL: not wanted."""
    cdef Py_buffer *images = &views.images
    cdef cheq_operand operands[CHEQ_OPERANDS]
    operands[CHEQ_IMAGES] = cheq_operand(images.buf, images.strides)
    operands[CHEQ_OUT] = operands[CHEQ_LIGHTNESS] = cheq_operand(NULL, NULL)
    operands[CHEQ_MASK] = cheq_operand(views.mask.buf, views.mask.strides)
    if counted != NULL:
        cheq_layout_init(counted, images.ndim, views.n_batch, images.shape, operands, CHEQ_IMAGES)
    if applied != NULL:
        operands[CHEQ_OUT] = cheq_operand(views.out.buf, views.out.strides)
        if not views.keeps:
            operands[CHEQ_MASK] = cheq_operand(NULL, NULL)
        cheq_layout_init(applied, images.ndim, views.n_batch, images.shape, operands, CHEQ_OUT)


cdef inline bint meets(const Py_buffer *a, const Py_buffer *b) noexcept:
    """Whether two arrays may share memory; an absent one does not."""
    return a.buf != NULL and b.buf != NULL and cheq_ranges_meet(
        a.ndim, a.shape, a.strides, a.buf, a.itemsize, b.ndim, b.shape, b.strides, b.buf, b.itemsize)


cdef inline bint is_same(const Py_buffer *a, const Py_buffer *b) noexcept:
    """Whether two arrays of one shape are the same memory in the same order."""
    cdef int i
    if a.buf != b.buf or a.itemsize != b.itemsize or a.ndim != b.ndim:
        return False
    for i in range(a.ndim):
        if a.strides[i] != b.strides[i] and a.shape[i] != 1:
            return False
    return True


cdef inline bint may_overlap(const cheq_views *views, bint reads_tables) noexcept:
    """Whether the result may share memory with the mask, a table that is read, or another element of the images."""
    return views.ownership == CHEQ_MAY_OVERLAP and (
            meets(&views.out, &views.images) and not is_same(&views.out, &views.images)
            or meets(&views.out, &views.mask)
            or (reads_tables and meets(&views.out, &views.tables[0])))
