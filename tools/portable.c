/* The kernels as a compiler without GNU extensions sees them, MSVC for one: tools/check_portable.sh compiles this.
 *
 * The C library's headers come first, since they do need to know the compiler; then it has no name.
 */
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifndef _WIN32
#include <pthread.h>
#include <unistd.h>
#endif

#undef __GNUC__
#undef __clang__

#include "build.h"
#include "clock.h"
#include "openmp.h"

#include "kernels/dispatch.h"

#include "jobs/bytes.h"
#include "jobs/floats.h"
#include "jobs/levels.h"
#include "jobs/lightness.h"
#include "jobs/match.h"
#include "jobs/shared.h"
#include "jobs/tiles.h"

#if CHEQ_X86
#error "the portable kernels alone were wanted"
#endif

int cheq_portable(uint8_t *pixels, size_t n)
{
    uint32_t hist[CHEQ_LEVELS] = {0};
    const cheq_ahead nothing = {NULL, NULL};
    cheq_kernels_at(0)->count(pixels, n, hist, nothing, NULL);
    return CHEQ_KERNEL_COUNT == 1 && hist[0] == n;
}
