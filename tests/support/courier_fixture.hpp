// SPDX-License-Identifier: Apache-2.0
/// @file
/// Couriers over fake ports, and a topic they share: what the tests of the engine begin with.
#pragma once

#include "common/log.hpp"
#include "engine/courier.hpp"
#include "tests/support/fake_log.hpp"
#include "tests/support/job_text.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/print.hpp"
#include "tests/support/scripted_publisher.hpp"
#include "tests/support/scripted_pushes.hpp"
#include "tests/support/scripted_source.hpp"
#include "tests/support/scripted_tokens.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wxcourier::test {

/// One process: a courier and its ports.
class replica {
public:
    /// @param prepare  called before anything runs, to script the ports.
    replica(asio::io_context& loop, manual_clock& time, fake_log& log, const engine::engine_options& options,
            const std::function<void(replica&)>& prepare);
    ~replica();
    replica(const replica&) = delete;
    replica& operator=(const replica&) = delete;

    /// SIGTERM: drains, and waits for its coroutines as long.
    engine::drain_report drain(steady_duration limit = seconds{20});
    /// Starts to drain; the report comes when it is ready.
    std::shared_ptr<std::optional<engine::drain_report>> begin_drain(steady_duration limit = seconds{20});
    /// kill -9: nothing of it reaches the outside any more, and what it knew is gone.
    void crash();

    scripted_source source;
    scripted_publisher publisher;
    scripted_pushes pushes;
    scripted_tokens tokens;
    metrics_registry metrics;
    std::vector<std::string> failures; ///< What it said when it could not go on.
    std::unique_ptr<engine::courier> courier;

private:
    void join();

    asio::io_context& loop_;
    manual_clock& time_;
    std::map<std::string, std::int32_t> delayed_partitions_;
};

class courier_test : public ::testing::Test {
protected:
    courier_test();

    /// A new process of the group, holding no partition yet.
    replica& start(const std::function<void(replica&)>& prepare = [](replica&) {});
    /// A new process that holds partition 0.
    replica& start_with_partition();

    struct held_replica {
        replica& worker;
        engine::assignment_id partition; ///< Of the jobs topic, 0.
    };
    /// The same, with every request waiting for its answer.
    held_replica start_held();

    /// A new process that holds partition 0 of the jobs topic and of each delayed topic.
    replica& start_with_all(const std::function<void(replica&)>& prepare = [](replica&) {});

    std::int64_t append(const job_text& job, std::int32_t partition = 0);
    /// So many jobs on partition 0, `jN` for `oN` each, from that number on.
    void append_jobs(int count, int first = 0);

    /// The headers of a record, by name.
    static std::map<std::string, std::string> headers_of(const engine::outbound_record& record);
    /// The terminal state of each recipient, by openid, as the status topics of all replicas have it. A second terminal
    /// status of a recipient of the same record fails the test.
    [[nodiscard]] std::map<std::string, std::string> outcomes() const;
    [[nodiscard]] std::int64_t committed(std::int32_t partition = 0) const;

    asio::io_context loop;
    manual_clock time{loop};
    fake_log log;
    engine::engine_options options;
    std::vector<std::unique_ptr<replica>> replicas;
};

} // namespace wxcourier::test
