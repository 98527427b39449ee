// SPDX-License-Identifier: Apache-2.0
/// @file
/// A seeded run: producers, replicas, and everything that goes wrong, in simulated time.
#pragma once

#include "tests/simulation/broker.hpp"
#include "tests/simulation/process.hpp"
#include "tests/simulation/wechat.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <vector>

namespace wxcourier::simulation {

/// How a run ended.
struct outcome {
    std::string violation; ///< Empty: every rule held.
    std::vector<std::string> trace;
    std::uint64_t digest = 0; ///< Equal for equal runs.
    std::size_t jobs = 0;
    std::size_t messages = 0;
    std::size_t repeats = 0; ///< Deliveries beyond the first one of a recipient.
    int crashes = 0;
};

class world {
public:
    world(std::uint64_t seed, bool tracing);
    ~world();
    world(const world&) = delete;
    world& operator=(const world&) = delete;

    /// Faults for that long, then peace until everything has come to its end.
    outcome run(steady_duration trouble);

private:
    void produce();
    void append_job();
    std::string job_json(job_fact& job, std::size_t recipients);
    void trouble();
    void trouble_with_a_process(process& victim);
    void trouble_with_wechat();
    void start_process();
    void crash(process& victim);
    process& any_process();
    void make_peace();
    [[nodiscard]] bool finished() const;
    void check_end();
    [[nodiscard]] std::uint32_t any_app();

    asio::io_context loop_;
    test::manual_clock time_{loop_};
    chronicle record_;
    setting how_;
    facts truth_;
    broker kafka_;
    wechat wechat_;
    std::vector<std::unique_ptr<process>> processes_;
    std::vector<std::int64_t> next_offset_;
    std::vector<std::string> free_seats_; ///< Of processes that have ended.
    std::size_t seats_ = 0;
    steady_time trouble_ends_{};
    bool peace_ = false;
    bool over_ = false;
    bool day_quotas_ = false;
    int crashes_ = 0;
};

} // namespace wxcourier::simulation
