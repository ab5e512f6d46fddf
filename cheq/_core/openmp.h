/* What the extension asks of OpenMP and of fork, so that a build without OpenMP, and Windows, need no #ifdef elsewhere.
 *
 * Nothing here needs the GIL. The state is static: a module that includes this file has its own, and calls
 * cheq_fork_watch() once when it is initialized.
 */
#ifndef CHEQ_OPENMP_H
#define CHEQ_OPENMP_H

#ifdef _OPENMP
#include <omp.h>
#endif
#ifndef _WIN32
#include <pthread.h>
#include <unistd.h>
#endif

/* The year and month of the OpenMP specification this was built for, as 201511; 0: built without OpenMP. */
static inline int cheq_openmp_version(void)
{
#ifdef _OPENMP
    return _OPENMP;
#else
    return 0;
#endif
}

/* The team that OpenMP would start from the calling thread: OMP_NUM_THREADS and omp_set_num_threads() count. */
static inline int cheq_openmp_max_threads(void)
{
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

#ifdef _WIN32

static inline int cheq_fork_watch(void) { return 0; }
static inline int cheq_forked(void) { return 0; }

#else

/* GNU OpenMP's worker threads do not survive a fork, but the child's copy of its records says that they do: the next team
 * of two or more waits for them forever. Two things tell the child, as neither sees every fork: the handler is called by
 * fork(), from Python or from C, and is inherited by the child's own children; the process id gives away a fork made by
 * _Fork() or the bare system call, which call no handlers. */
static volatile int cheq_fork_seen = 0;
static pid_t cheq_fork_watcher = 0;

static void cheq_fork_child(void) { cheq_fork_seen = 1; }

/* Starts the watch; 0, or the error of pthread_atfork. Until it has succeeded cheq_forked() says 1, the safe answer. */
static inline int cheq_fork_watch(void)
{
    int error = pthread_atfork(NULL, NULL, cheq_fork_child);
    if (error == 0) cheq_fork_watcher = getpid();
    return error;
}

/* 1 in a process forked since the watch began: it must not open a team of more than one thread. Asks the system (0.1 us),
 * so it is for calls that would start threads. */
static inline int cheq_forked(void) { return cheq_fork_seen || getpid() != cheq_fork_watcher; }

#endif
#endif
