// SPDX-License-Identifier: Apache-2.0
// Preloaded into a process: its wall clock is off by what a file says, a number of nanoseconds that may change while it
// runs. Its steady clock and its timers are left alone. libfaketime shifts timespec_get as well, with which librdkafka
// computes the ends of waits that the C library then holds against the true time.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t* offset;

__attribute__((constructor)) static void open_offset(void)
{
    const char* const path = getenv("FAKED_CLOCK");
    const int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void* const mapped = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED)
        offset = mapped;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec* into)
{
    static int (*real)(clockid_t, struct timespec*); // the vDSO's: a system call would cost more than what is measured
    if (!real)
        real = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
    const int failed = real(clock, into);
    if (failed || !offset || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
        return failed;
    const int64_t second = 1000000000;
    const int64_t now = into->tv_sec * second + into->tv_nsec + *offset;
    into->tv_sec = now / second;
    into->tv_nsec = now % second;
    return 0;
}

int gettimeofday(struct timeval* restrict into, void* restrict zone)
{
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now))
        return -1;
    into->tv_sec = now.tv_sec;
    into->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t* into)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (into)
        *into = now.tv_sec;
    return now.tv_sec;
}
