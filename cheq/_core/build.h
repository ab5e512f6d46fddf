/* What this extension was built with. */
#ifndef CHEQ_BUILD_H
#define CHEQ_BUILD_H

#define CHEQ_TEXT_(x) #x
#define CHEQ_TEXT(x) CHEQ_TEXT_(x)

static inline const char *cheq_compiler(void) {
#if defined(__clang__)
    return "Clang " __clang_version__;
#elif defined(__GNUC__)
    return "GCC " __VERSION__;
#elif defined(_MSC_VER)
    return "MSVC " CHEQ_TEXT(_MSC_VER);
#else
    return "unknown";
#endif
}

#endif
