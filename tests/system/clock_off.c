// SPDX-License-Identifier: Apache-2.0
// Preloaded into a worker: its wall clock is off by CLOCK_OFF_S seconds. Time is not faked where the kernel is told how
// long to wait (timespec_get, gettimeofday, the steady clock), so nothing waits for longer or shorter.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t which, struct timespec* into)
{
    const int result = (int)syscall(SYS_clock_gettime, which, into);
    const char* const off = which == CLOCK_REALTIME ? getenv("CLOCK_OFF_S") : NULL;
    if (result == 0 && off != NULL)
        into->tv_sec += atol(off);
    return result;
}
