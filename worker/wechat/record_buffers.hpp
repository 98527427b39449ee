// SPDX-License-Identifier: Apache-2.0
/// @file
/// Where OpenSSL's record buffers come from. So that a connection that waits has none (34 KB of them), OpenSSL
/// allocates two for each push and frees them. They are too large for what glibc keeps for each thread, so each goes
/// through its bins, is split and merged. Here the same few blocks are used again and again, and stay in the
/// processor's caches.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace wxcourier::wechat {

/// malloc(3), realloc(3) and free(3), which serve sizes about a record's from a few blocks of their own as long as
/// there are any: a block is told by its address. What a block held is not wiped, as malloc(3) does not either: OpenSSL
/// wipes what is secret. Thread-safe, without locks. Must outlive what it gave out.
class record_buffers {
public:
    /// Two are in use at a time on the loop's thread, but for connections that wait in the middle of a record; further
    /// ones are for librdkafka's threads.
    static constexpr std::size_t block_count = 16;
    /// OpenSSL's buffers are a record's 16 KB with its head, padding and authentication code.
    static constexpr std::size_t block_size = std::size_t{18} * 1024;
    static constexpr std::size_t smallest = std::size_t{16} * 1024; ///< What is smaller is left to malloc(3).

    record_buffers() = default;
    record_buffers(const record_buffers&) = delete;
    record_buffers& operator=(const record_buffers&) = delete;

    /// As OpenSSL's own does, gives nothing for a size of zero.
    [[nodiscard]] void* allocate(std::size_t size) noexcept
    {
        if (size >= smallest && size <= block_size) {
            return take();
        }
        return size == 0 ? nullptr : std::malloc(size);
    }

    [[nodiscard]] void* reallocate(void* old, std::size_t size) noexcept;
    /// Ends the process when a block is freed twice or is none, as glibc does.
    void release(void* freed) noexcept
    {
        // OpenSSL frees thousands of null pointers in a handshake; nothing but a comparison is added to that.
        if (owns(freed)) {
            take_back(offset_of(freed));
        } else {
            std::free(freed);
        }
    }

    /// Whether it is one of the blocks, rather than malloc(3)'s.
    [[nodiscard]] bool owns(const void* allocated) const noexcept { return offset_of(allocated) < blocks_.size(); }

private:
    /// Beyond the last block for what lies elsewhere, also before the first.
    [[nodiscard]] std::size_t offset_of(const void* allocated) const noexcept
    {
        return reinterpret_cast<std::uintptr_t>(allocated) - reinterpret_cast<std::uintptr_t>(blocks_.data());
    }
    [[nodiscard]] void* take() noexcept;
    void take_back(std::size_t offset) noexcept;

    static_assert(block_count <= 32);
    static constexpr std::uint32_t all_taken = 0xffff'ffffU >> (32 - block_count);

    std::atomic<std::uint32_t> taken_{0}; ///< A bit for each block; the lowest free one is taken first.
    alignas(64) std::array<std::byte, block_count * block_size> blocks_{};
};

/// From here on OpenSSL has its memory from `record_buffers`. False: OpenSSL has allocated something before, so nothing
/// changes; or this is a build for AddressSanitizer, which could not watch the blocks. Called once, first thing in
/// main.
bool reuse_record_buffers() noexcept;

} // namespace wxcourier::wechat
