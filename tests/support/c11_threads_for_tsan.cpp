// SPDX-License-Identifier: Apache-2.0
// librdkafka uses C11's threads, which ThreadSanitizer does not know: a thread that it has not seen begin crashes it.
// Under it these take the place of libc's and say the same with POSIX threads, whose types are the same in glibc.
#if defined(__SANITIZE_THREAD__)

#include <cerrno>
#include <cstdint>
#include <memory>

#include <pthread.h>
#include <threads.h>

namespace {

struct start {
    thrd_start_t function;
    void* argument;
};

void* run(void* passed)
{
    const std::unique_ptr<start> started(static_cast<start*>(passed));
    return reinterpret_cast<void*>(static_cast<std::intptr_t>(started->function(started->argument)));
}

pthread_mutex_t* posix(mtx_t* mutex)
{
    return reinterpret_cast<pthread_mutex_t*>(mutex);
}

pthread_cond_t* posix(cnd_t* condition)
{
    return reinterpret_cast<pthread_cond_t*>(condition);
}

int result(int error)
{
    return error == 0 ? thrd_success : error == ETIMEDOUT ? thrd_timedout : error == EBUSY ? thrd_busy : thrd_error;
}

} // namespace

extern "C" {

/// librdkafka is not built for ThreadSanitizer, which cannot see that its reference counts order anything.
const char* __tsan_default_suppressions() // NOLINT(bugprone-reserved-identifier)
{
    return "race:librdkafka.so\n";
}

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument)
{
    auto passed = std::make_unique<start>(start{function, argument});
    const int error = pthread_create(thread, nullptr, run, passed.get());
    if (error == 0) {
        static_cast<void>(passed.release());
    }
    return result(error);
}

int thrd_join(thrd_t thread, int* value)
{
    void* returned = nullptr;
    const int error = pthread_join(thread, &returned);
    if (value != nullptr) {
        *value = static_cast<int>(reinterpret_cast<std::intptr_t>(returned));
    }
    return result(error);
}

int thrd_detach(thrd_t thread)
{
    return result(pthread_detach(thread));
}

int mtx_init(mtx_t* mutex, int type) noexcept
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    if ((type & mtx_recursive) != 0) {
        pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    }
    return result(pthread_mutex_init(posix(mutex), &attributes));
}

int mtx_lock(mtx_t* mutex)
{
    return result(pthread_mutex_lock(posix(mutex)));
}

int mtx_trylock(mtx_t* mutex)
{
    return result(pthread_mutex_trylock(posix(mutex)));
}

int mtx_unlock(mtx_t* mutex) noexcept
{
    return result(pthread_mutex_unlock(posix(mutex)));
}

void mtx_destroy(mtx_t* mutex) noexcept
{
    pthread_mutex_destroy(posix(mutex));
}

int cnd_init(cnd_t* condition) noexcept
{
    return result(pthread_cond_init(posix(condition), nullptr));
}

int cnd_signal(cnd_t* condition) noexcept
{
    return result(pthread_cond_signal(posix(condition)));
}

int cnd_broadcast(cnd_t* condition) noexcept
{
    return result(pthread_cond_broadcast(posix(condition)));
}

int cnd_wait(cnd_t* condition, mtx_t* mutex)
{
    return result(pthread_cond_wait(posix(condition), posix(mutex)));
}

int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* until)
{
    return result(pthread_cond_timedwait(posix(condition), posix(mutex), until));
}

void cnd_destroy(cnd_t* condition) noexcept
{
    pthread_cond_destroy(posix(condition));
}

} // extern "C"

#endif
