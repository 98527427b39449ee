// SPDX-License-Identifier: Apache-2.0
#include "wechat/record_buffers.hpp"

#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <thread>
#include <vector>

namespace wxcourier::test {
namespace {

using wechat::record_buffers;

constexpr std::size_t record = 16'712; ///< OpenSSL 3.0's for reading.

class record_buffers_test : public ::testing::Test {
public:
    std::unique_ptr<record_buffers> memory = std::make_unique<record_buffers>();
};

TEST_F(record_buffers_test, gives_blocks_for_records_only)
{
    struct row {
        std::size_t size;
        bool owned;
    };
    for (const row& each :
         {row{1, false}, row{record_buffers::smallest - 1, false}, row{record_buffers::smallest, true},
          row{record, true}, row{record_buffers::block_size, true}, row{record_buffers::block_size + 1, false}})
    {
        void* const given = memory->allocate(each.size);
        EXPECT_EQ(memory->owns(given), each.owned) << each.size;
        std::memset(given, 1, each.size);
        memory->release(given);
    }
    EXPECT_EQ(memory->allocate(0), nullptr);
    memory->release(nullptr);
    EXPECT_FALSE(memory->owns(nullptr));
}

TEST_F(record_buffers_test, uses_the_same_block_again)
{
    void* const first = memory->allocate(record);
    memory->release(first);
    void* const second = memory->allocate(record);
    EXPECT_EQ(first, second);
    memory->release(second);
}

TEST_F(record_buffers_test, falls_back_when_all_are_taken_and_takes_them_back_in_any_order)
{
    std::vector<void*> given;
    std::set<void*> different;
    for (std::size_t number = 0; number < record_buffers::block_count + 2; ++number) {
        void* const one = memory->allocate(record);
        EXPECT_EQ(memory->owns(one), number < record_buffers::block_count) << number;
        std::memset(one, 1, record);
        given.push_back(one);
        different.insert(one);
    }
    EXPECT_EQ(different.size(), given.size());
    for (std::size_t number = 0; number < given.size(); ++number) {
        memory->release(given[(number * 7) % given.size()]); // 7 and 18 have no common divisor.
    }
    for (std::size_t number = 0; number < record_buffers::block_count; ++number) {
        given[number] = memory->allocate(record);
        EXPECT_TRUE(memory->owns(given[number]));
    }
    for (std::size_t number = 0; number < record_buffers::block_count; ++number) {
        memory->release(given[number]);
    }
}

TEST_F(record_buffers_test, keeps_what_is_in_a_block_that_grows_or_shrinks)
{
    auto* held = static_cast<unsigned char*>(memory->reallocate(nullptr, record));
    ASSERT_TRUE(memory->owns(held));
    std::memset(held, 7, record);
    EXPECT_EQ(memory->reallocate(held, 10), held);
    EXPECT_EQ(memory->reallocate(held, record_buffers::block_size), held);
    held = static_cast<unsigned char*>(memory->reallocate(held, 100'000));
    ASSERT_NE(held, nullptr);
    EXPECT_FALSE(memory->owns(held));
    EXPECT_EQ(std::vector<unsigned char>(held, held + record), std::vector<unsigned char>(record, 7));
    held = static_cast<unsigned char*>(memory->reallocate(held, record));
    EXPECT_FALSE(memory->owns(held)) << "malloc's stays malloc's";
    EXPECT_EQ(std::vector<unsigned char>(held, held + record), std::vector<unsigned char>(record, 7));
    EXPECT_EQ(memory->reallocate(held, 0), nullptr);
    void* const again = memory->allocate(record);
    EXPECT_TRUE(memory->owns(again)) << "the block that was too small is free";
    EXPECT_EQ(memory->reallocate(again, 0), nullptr);
}

TEST_F(record_buffers_test, ends_the_process_when_a_block_is_freed_twice_or_in_its_middle)
{
    auto* const block = static_cast<std::byte*>(memory->allocate(record));
    // NOLINTBEGIN(clang-analyzer-unix.Malloc): freeing what must not be freed is what it is about
    const volatile std::size_t middle = 64; // So that the compiler does not see it either.
    EXPECT_DEATH(memory->release(block + middle), "");
    memory->release(block);
    EXPECT_DEATH(memory->release(block), "");
    // NOLINTEND(clang-analyzer-unix.Malloc)
}

TEST_F(record_buffers_test, gives_no_block_to_two_threads)
{
    std::atomic<bool> mixed{false};
    std::vector<std::thread> threads;
    for (unsigned char number = 1; number <= 4; ++number) {
        threads.emplace_back([this, number, &mixed] {
            // More than there are, together: some come from malloc.
            std::array<unsigned char*, 6> held{};
            for (int round = 0; round < 500; ++round) {
                for (unsigned char*& one : held) {
                    one = static_cast<unsigned char*>(memory->allocate(record));
                    std::memset(one, number, record);
                }
                for (unsigned char* const one : held) {
                    mixed = mixed || one[0] != number || one[record - 1] != number;
                    memory->release(one);
                }
            }
        });
    }
    for (std::thread& each : threads) {
        each.join();
    }
    EXPECT_FALSE(mixed);
    std::vector<void*> all;
    for (std::size_t number = 0; number < record_buffers::block_count; ++number) {
        all.push_back(memory->allocate(record));
        EXPECT_TRUE(memory->owns(all.back()));
    }
    for (void* const one : all) {
        memory->release(one);
    }
}

#ifndef __SANITIZE_ADDRESS__

/// A process of its own in which OpenSSL has not allocated anything: what its exit code says.
int openssl_uses_the_blocks()
{
    if (!wechat::reuse_record_buffers()) {
        return 1;
    }
    // Blocks are side by side; malloc's chunks of this size have a head between them.
    auto* const first = static_cast<std::byte*>(OPENSSL_malloc(record));
    auto* const second = static_cast<std::byte*>(OPENSSL_malloc(record));
    const bool from_blocks = second - first == record_buffers::block_size;
    auto* const larger = static_cast<std::byte*>(OPENSSL_realloc(first, 100'000));
    OPENSSL_free(larger);
    OPENSSL_free(second);
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_free(context);
    return from_blocks && OPENSSL_malloc(record) == first && context != nullptr ? 0 : 2;
}

TEST_F(record_buffers_test, serve_openssl_when_it_is_told_before_it_allocates)
{
    ::testing::FLAGS_gtest_death_test_style = "threadsafe"; // The test runs again in a new process, from its beginning.
    EXPECT_EXIT(std::_Exit(openssl_uses_the_blocks()), ::testing::ExitedWithCode(0), "");
}

#endif

TEST_F(record_buffers_test, leave_openssl_alone_when_it_has_allocated_before)
{
    void* const early = OPENSSL_malloc(record);
    EXPECT_FALSE(wechat::reuse_record_buffers());
    OPENSSL_free(early);
}

} // namespace
} // namespace wxcourier::test
