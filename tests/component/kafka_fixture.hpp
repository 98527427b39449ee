// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the Kafka component tests share: an event loop that runs until something holds, listeners that write down what
/// they hear, and the mock cluster.
#pragma once

#include "kafka/job_consumer.hpp"
#include "kafka/mock_cluster.hpp"
#include "kafka/record_producer.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace wxcourier::kafka_test {

using namespace std::chrono_literals;
namespace asio = boost::asio;

/// How long anything may take before a test gives up. Generous: sanitizers and a busy machine.
constexpr auto patience = 30s;

/// Runs `loop` until `condition` holds; false when it does not within `limit`.
inline bool run_until(asio::io_context& loop, const std::function<bool()>& condition,
                      steady_clock::duration limit = patience)
{
    const auto deadline = steady_clock::now() + limit;
    while (!condition()) {
        if (steady_clock::now() >= deadline) {
            return false;
        }
        loop.restart();
        loop.run_one_for(20ms);
    }
    return true;
}

/// Runs `loop` until the coroutine has ended, and gives its result.
template <class result>
result run(asio::io_context& loop, asio::awaitable<result> coroutine)
{
    std::optional<result> outcome;
    std::exception_ptr failure;
    asio::co_spawn(loop, std::move(coroutine), [&](std::exception_ptr error, result value) {
        failure = std::move(error);
        outcome = std::move(value);
    });
    if (!run_until(
            loop, [&] { return outcome || failure; }, 2 * patience))
    {
        throw std::runtime_error("a coroutine did not end");
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
    return std::move(*outcome);
}

/// Writes down what a consumer tells. By default gives up what is asked back at once.
class recording_listener final : public engine::job_source_listener {
public:
    void on_assigned(const std::vector<engine::partition_assignment>& assigned) override
    {
        for (const auto& each : assigned) {
            assignments[each.id] = each;
        }
        ++assigned_calls;
    }
    void on_revoking(const std::vector<engine::assignment_id>& going) override
    {
        revoking.insert(going.begin(), going.end());
        if (release_at_once && source != nullptr) {
            for (const auto id : going) {
                assignments.erase(id);
            }
            source->release(going);
        }
    }
    void on_lost(const std::vector<engine::assignment_id>& gone) override
    {
        lost.insert(gone.begin(), gone.end());
        for (const auto id : gone) {
            assignments.erase(id);
        }
    }
    void on_records() override
    {
        ++record_calls;
        while (source != nullptr && polls && read_one()) {
        }
    }
    void on_committed(std::uint64_t commit, const std::vector<engine::commit_result>& results) override
    {
        commits[commit] = results;
    }
    void on_source_failed(const std::string& why) override { failures.push_back(why); }

    /// Reads at most one record of each assignment; whether there was any.
    bool read_one()
    {
        bool any = false;
        for (const auto& [id, assignment] : assignments) {
            if (auto record = source->poll(id)) {
                records.push_back(std::move(*record));
                any = true;
            }
        }
        return any;
    }
    /// The assignment that holds a partition; 0: none.
    [[nodiscard]] engine::assignment_id holding(std::int32_t partition) const
    {
        for (const auto& [id, assignment] : assignments) {
            if (assignment.partition == partition) {
                return id;
            }
        }
        return 0;
    }

    engine::job_source* source = nullptr;
    bool release_at_once = true;
    bool polls = true;
    std::map<engine::assignment_id, engine::partition_assignment> assignments; ///< Held now.
    std::set<engine::assignment_id> revoking;
    std::set<engine::assignment_id> lost;
    std::vector<engine::inbound_record> records;
    std::map<std::uint64_t, std::vector<engine::commit_result>> commits;
    std::vector<std::string> failures;
    int assigned_calls = 0;
    int record_calls = 0;
};

/// Writes down outcomes: how often each ticket came back, and how.
class recording_publisher_listener final : public engine::publisher_listener {
public:
    void on_published(std::uint64_t ticket, engine::publish_result result) override
    {
        ++times[ticket];
        results[ticket] = result;
    }
    std::map<std::uint64_t, int> times;
    std::map<std::uint64_t, engine::publish_result> results;
};

/// A consumer with its listener, closed when it goes.
struct member {
    member(asio::io_context& context, kafka::consumer_settings settings)
        : loop(context), consumer(context.get_executor(), std::move(settings))
    {
        listener.source = &consumer;
        consumer.start(listener);
    }
    ~member()
    {
        if (!closed) {
            run(loop, consumer.close(steady_clock::now() + patience));
        }
    }
    bool close(steady_clock::duration limit)
    {
        closed = true;
        return run(loop, consumer.close(steady_clock::now() + limit));
    }
    bool holds(std::size_t count)
    {
        return run_until(loop, [&] { return listener.assignments.size() == count; });
    }
    std::vector<engine::commit_result> commit(const std::vector<engine::offset_commit>& offsets)
    {
        const auto number = consumer.commit(offsets);
        EXPECT_FALSE(listener.commits.contains(number)) << "answered from inside the call";
        EXPECT_TRUE(run_until(loop, [&] { return listener.commits.contains(number); })) << "not answered";
        return listener.commits[number];
    }

    asio::io_context& loop;
    recording_listener listener;
    kafka::job_consumer consumer;
    bool closed = false;
};

class kafka_test : public ::testing::Test {
protected:
    kafka::client_settings client() const
    {
        kafka::client_settings settings;
        settings.bootstrap_servers = cluster.bootstrap_servers();
        // Rebalances of the mock cluster take as long as a session; the shortest there is keeps the tests short.
        settings.properties.emplace("session.timeout.ms", secret("3000"));
        settings.properties.emplace("heartbeat.interval.ms", secret("300"));
        return settings;
    }
    kafka::consumer_settings group(std::string topic, std::string name = "group") const
    {
        kafka::consumer_settings settings;
        settings.client = client();
        settings.group_id = std::move(name);
        settings.topics = {std::move(topic)};
        return settings;
    }
    /// Writes `count` records of one byte and waits for their acknowledgements.
    void produce(const std::string& topic, int count)
    {
        recording_publisher_listener listener;
        kafka::record_producer producer(loop.get_executor(), {client(), {topic}});
        producer.start(listener);
        for (int index = 0; index < count; ++index) {
            producer.publish({topic, std::to_string(index), "v", {}}, static_cast<std::uint64_t>(index));
        }
        ASSERT_TRUE(run(loop, producer.flush(steady_clock::now() + patience)));
        run(loop, producer.close(steady_clock::now() + patience));
    }

    kafka::mock_cluster cluster{1};
    asio::io_context loop;
};

} // namespace wxcourier::kafka_test
