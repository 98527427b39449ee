// SPDX-License-Identifier: Apache-2.0
// The life of a partition: jobs finish in any order, and what one assignment knew goes through the commit's metadata to
// the next one. The tracker and the codec together must not lose or invent anything.
#include "codec/offset_metadata_codec.hpp"
#include "domain/offset_tracker.hpp"
#include "tests/support/print.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <vector>

namespace wxcourier::codec {
namespace {

/// One partition through several assignments.
class partition_life {
public:
    explicit partition_life(std::uint64_t seed) : random_(seed)
    {
        auto offset = start_ = static_cast<std::int64_t>(random_() >> (14 + below(48)));
        for (auto count = 1 + below(60); count > 0; --count) {
            records_.push_back({offset});
            offset += below(8) == 0 ? 1 + below(300) : 1; // compaction and transactions leave gaps
        }
    }

    void live()
    {
        std::int64_t committed = start_;
        std::string metadata;
        for (auto assignments = 1 + below(4); assignments > 0; --assignments) {
            const bool last = assignments == 1;
            const auto restored = decode_offset_metadata(committed, metadata);
            ASSERT_TRUE(restored) << metadata;
            domain::offset_tracker tracker(committed, *restored);
            ASSERT_NO_FATAL_FAILURE(read(tracker, committed, last));
            ASSERT_NO_FATAL_FAILURE(finish(tracker, last));
            committed = tracker.committable().value();
            const auto progress = tracker.progress();
            metadata = encode_offset_metadata(committed, progress);
            ASSERT_EQ(decode_offset_metadata(committed, metadata), progress) << metadata;
            ASSERT_NO_FATAL_FAILURE(check(committed, progress));
        }
        EXPECT_EQ(committed, records_.back().offset + 1);
        EXPECT_EQ(metadata, "");
    }

private:
    struct record {
        std::int64_t offset = 0;
        bool finished = false;
        bool under_way = false;
    };

    std::int64_t below(std::int64_t limit)
    {
        return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(limit));
    }

    /// From the commit on, to the end or some way.
    void read(domain::offset_tracker& tracker, std::int64_t committed, bool all)
    {
        auto most = all ? static_cast<std::int64_t>(records_.size()) : below(50);
        for (auto& each : records_) {
            each.under_way = false;
            if (each.offset < committed || most-- <= 0) {
                ASSERT_TRUE(each.offset >= committed || each.finished) << "a commit passed " << each.offset;
                continue;
            }
            each.under_way = tracker.begin(each.offset);
            ASSERT_EQ(each.under_way, !each.finished) << each.offset;
        }
    }

    void finish(domain::offset_tracker& tracker, bool all)
    {
        std::vector<record*> order;
        for (auto& each : records_)
            if (each.under_way)
                order.push_back(&each);
        std::ranges::shuffle(order, random_);
        if (!all)
            order.resize(static_cast<std::size_t>(below(static_cast<std::int64_t>(order.size()) + 1)));
        for (auto* const each : order) {
            tracker.finish(each->offset);
            each->finished = true;
        }
    }

    /// What a commit says is what has finished, of each record there is.
    void check(std::int64_t committed, const domain::commit_progress& progress)
    {
        for (const auto& each : records_) {
            const bool named = std::ranges::any_of(progress.finished, [&each](const auto& range) {
                return range.first <= each.offset && each.offset <= range.last;
            });
            ASSERT_EQ(each.offset < committed || named, each.finished) << each.offset;
        }
    }

    std::mt19937_64 random_;
    std::int64_t start_ = 0;
    std::vector<record> records_;
};

TEST(offset_history, goes_from_assignment_to_assignment_without_a_loss)
{
    const auto* const wanted = std::getenv("WXCOURIER_HISTORIES");
    const auto histories = wanted != nullptr ? std::strtoul(wanted, nullptr, 10) : 5'000UL;
    for (std::uint64_t seed = 1; seed <= histories; ++seed)
        ASSERT_NO_FATAL_FAILURE(partition_life(seed).live()) << "history " << seed;
}

} // namespace
} // namespace wxcourier::codec
