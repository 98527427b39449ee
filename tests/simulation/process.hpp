// SPDX-License-Identifier: Apache-2.0
/// @file
/// One replica: a courier, whose ports lead to the simulated broker and to the simulated WeChat.
#pragma once

#include "engine/courier.hpp"
#include "tests/simulation/broker.hpp"
#include "tests/simulation/wechat.hpp"
#include "tests/support/parked_call.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace wxcourier::simulation {

/// Lives on after its end, so that what is still on its way to it finds somebody who does not listen.
class process final : public engine::job_source,
                      public engine::record_publisher,
                      public engine::push_api,
                      public engine::token_api {
public:
    /// @param seat  whoever had it before is dead.
    process(std::string name, std::string seat, asio::io_context& loop, test::manual_clock& time, chronicle& record,
            facts& truth, broker& kafka, wechat& far_end, const setting& how);
    ~process() override;

    [[nodiscard]] bool alive() const { return alive_; }
    [[nodiscard]] bool draining() const { return courier_ && courier_->draining(); }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::string& seat() const { return seat_; }
    [[nodiscard]] engine::courier& courier() { return *courier_; }

    /// kill -9.
    void crash();
    /// SIGTERM. Calls `ended` when the process has gone.
    void drain(std::function<void()> ended);

    // What the broker has told it.
    void on_assigned(const engine::partition_assignment& told);
    void on_revoking(const std::vector<engine::assignment_id>& going);
    void on_lost(const std::vector<engine::assignment_id>& gone);
    [[nodiscard]] engine::assignment_id assignment_of(std::int32_t partition) const;

    std::optional<engine::inbound_record> poll(engine::assignment_id assignment) override;
    std::uint64_t commit(const std::vector<engine::offset_commit>& offsets) override;
    void release(const std::vector<engine::assignment_id>& going) override;
    void publish(engine::outbound_record record, std::uint64_t ticket) override;
    asio::awaitable<domain::push_reply> send(engine::push_request request) override;
    asio::awaitable<engine::token_reply> fetch(engine::token_request request) override;

    std::map<std::int32_t, int> assignments; ///< How often it was given each partition.
    steady_time last_store{};                ///< The broker keeps its records in order.
    steady_time last_heard{};                ///< It hears of the fleet topic's records in order …
    std::size_t log_read = 0;                ///< … and has heard of so many.

private:
    struct rate_check {
        steady_time next_free{};
        std::size_t under_way = 0;
    };

    void end();
    void check_repeats();
    void check_send(const message_fact& message, engine::assignment_id by);
    void check_rate(std::uint32_t app);
    void check_clean_end();

    std::string name_;
    std::string seat_;
    asio::io_context& loop_;
    test::manual_clock& time_;
    chronicle& record_;
    facts& truth_;
    broker& kafka_;
    wechat& far_end_;
    metrics_registry metrics_;
    std::map<std::int32_t, engine::assignment_id> held_; ///< As it was told.
    std::map<std::uint64_t, test::parked_call<domain::push_reply>> sends_;
    std::map<std::uint64_t, test::parked_call<engine::token_reply>> fetches_;
    std::map<message_fact*, engine::assignment_id> requested_; ///< And not known to be covered by a commit.
    std::vector<rate_check> rates_;
    std::map<std::string, steady_time> last_forced_;
    std::uint64_t last_call_ = 0;
    bool alive_ = true;
    engine::engine_options options_;
    std::unique_ptr<engine::courier> courier_;
};

} // namespace wxcourier::simulation
