// SPDX-License-Identifier: Apache-2.0
#include "wechat/record_buffers.hpp"

#include <openssl/crypto.h>

#include <bit>
#include <cstdlib>
#include <cstring>

// GCC defines it; Clang has to be asked.
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#endif

namespace wxcourier::wechat {
namespace {

// All zeroes, so no page is there before it is used; never destroyed, as OpenSSL frees the last when the process exits.
constinit record_buffers openssl_memory;

} // namespace

void* record_buffers::take() noexcept
{
    std::uint32_t taken = taken_.load(std::memory_order_relaxed);
    while (taken != all_taken) {
        const int lowest = std::countr_one(taken);
        // Acquired: whoever freed it has done with it before.
        if (taken_.compare_exchange_weak(taken, taken | std::uint32_t{1} << lowest, std::memory_order_acquire,
                                         std::memory_order_relaxed))
        {
            return blocks_.data() + static_cast<std::size_t>(lowest) * block_size;
        }
    }
    return std::malloc(block_size);
}

void* record_buffers::reallocate(void* old, std::size_t size) noexcept
{
    if (old == nullptr) {
        return allocate(size);
    }
    if (size == 0) {
        release(old);
        return nullptr;
    }
    if (!owns(old)) {
        return std::realloc(old, size);
    }
    if (size <= block_size) {
        return old;
    }
    void* const larger = std::malloc(size);
    if (larger != nullptr) {
        std::memcpy(larger, old, block_size);
        release(old);
    }
    return larger;
}

void record_buffers::take_back(std::size_t offset) noexcept
{
    const std::uint32_t bit = std::uint32_t{1} << (offset / block_size);
    if (offset % block_size != 0 || (taken_.fetch_and(~bit, std::memory_order_release) & bit) == 0) {
        std::abort();
    }
}

bool reuse_record_buffers() noexcept
{
#ifdef __SANITIZE_ADDRESS__
    return false;
#else
    return CRYPTO_set_mem_functions(
               [](std::size_t size, const char*, int) { return openssl_memory.allocate(size); },
               [](void* old, std::size_t size, const char*, int) { return openssl_memory.reallocate(old, size); },
               [](void* freed, const char*, int) { openssl_memory.release(freed); }) == 1;
#endif
}

} // namespace wxcourier::wechat
