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
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>
#endif
#ifdef __linux__
#include <signal.h>
#include <sys/syscall.h>
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


/* ---- threads that can be started ----------------------------------------------------
 *
 * OpenMP's libraries end the process where a thread cannot be created: no memory for its stack, or a limit of processes.
 * So a team grows beyond the last one of the calling thread, whose threads wait for the next, only once the threads it
 * lacks have been started here and have ended. */

#if defined(_WIN32) || !defined(_OPENMP)

static inline void cheq_use_stack(size_t bytes) { (void)bytes; }
static inline int cheq_startable(int team) { return team; }

#else

static size_t cheq_stack = 0; /* of OpenMP's threads, in bytes; 0: the system's default */
static _Thread_local int cheq_last_team = 1;

static inline void cheq_use_stack(size_t bytes) { cheq_stack = bytes; }

typedef struct {
    pthread_mutex_t *gate;
    pthread_t thread;
    long id;
} cheq_trial;

static void *cheq_try(void *of) {
    cheq_trial *trial = of;
#ifdef __linux__
    trial->id = syscall(SYS_gettid);
#endif
    (void)pthread_mutex_lock(trial->gate); /* stays until all have been started */
    (void)pthread_mutex_unlock(trial->gate);
    return NULL;
}

/* A thread that was joined counts for the limits until the system has forgotten it. */
static inline void cheq_await_end(const cheq_trial *trial) {
    (void)pthread_join(trial->thread, NULL);
#ifdef __linux__
    while (syscall(SYS_tgkill, getpid(), trial->id, 0) == 0) {
        (void)sched_yield();
    }
#endif
}

/* How many of so many threads can be started at once. */
static int cheq_try_threads(int wanted) {
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_attr_t attributes;
    cheq_trial *trials = calloc((size_t)wanted, sizeof *trials);
    int started = 0;
    if (trials == NULL || pthread_attr_init(&attributes) != 0) {
        free(trials);
        return 0;
    }
    if (cheq_stack > 0) {
        (void)pthread_attr_setstacksize(&attributes, cheq_stack); /* refused: OpenMP takes the default too */
    }
    (void)pthread_mutex_lock(&gate);
    while (started < wanted) {
        cheq_trial *trial = &trials[started];
        trial->gate = &gate;
        if (pthread_create(&trial->thread, &attributes, cheq_try, trial) != 0) {
            break;
        }
        started++;
    }
    (void)pthread_mutex_unlock(&gate);
    for (int i = 0; i < started; i++) {
        cheq_await_end(&trials[i]);
    }
    (void)pthread_attr_destroy(&attributes);
    free(trials);
    return started;
}

/* The team, of at most so many threads, that can be started from the calling thread. */
static inline int cheq_startable(int team) {
    if (team > cheq_last_team && !cheq_forked()) {
        team = cheq_last_team + cheq_try_threads(team - cheq_last_team);
    }
    if (team > 1) {
        cheq_last_team = team; /* a smaller team ends the threads that it has no use for */
    }
    return team;
}

#endif
#endif
