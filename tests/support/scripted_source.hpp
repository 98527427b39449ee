// SPDX-License-Identifier: Apache-2.0
/// @file
/// A job_source whose group, broker and commits a test plays.
#pragma once

#include "engine/ports.hpp"
#include "tests/support/fake_log.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <vector>

namespace wxcourier::test {

namespace asio = boost::asio;

/// Reads a fake_log. Commits are stored and answered in the loop's next turn, unless `hold_commits`.
class scripted_source final : public engine::job_source {
public:
    struct commit_call {
        std::uint64_t number = 0;
        std::vector<engine::offset_commit> offsets;
    };

    scripted_source(asio::io_context& loop, fake_log& log) : loop_(loop), log_(log)
    {
        log_.readers[this] = [this] {
            if (listener_ != nullptr)
                tell_of_records();
        };
    }
    ~scripted_source() override { log_.readers.erase(this); }
    scripted_source(const scripted_source&) = delete;
    scripted_source& operator=(const scripted_source&) = delete;

    void attach(engine::job_source_listener& listener) { listener_ = &listener; }

    std::optional<engine::inbound_record> poll(engine::assignment_id assignment) override;
    std::uint64_t commit(const std::vector<engine::offset_commit>& offsets) override;
    void release(const std::vector<engine::assignment_id>& going) override;

    // The test's side. Each tells the listener in the loop's next turn, as the port promises.
    engine::assignment_id assign(std::int32_t partition) { return assign(log_.topic, partition); }
    engine::assignment_id assign(const std::string& topic, std::int32_t partition);
    void revoke(std::vector<engine::assignment_id> going);
    void lose(std::vector<engine::assignment_id> gone);
    void tell_of_records();
    void fail(const std::string& why);

    /// Answers the oldest held commit; what it says `committed` to is stored.
    void answer_commit(engine::commit_result result = engine::commit_result::committed);
    void answer_commit(std::vector<engine::commit_result> results);

    /// From here on nothing goes in or out: the process is dead to the broker.
    void sever() { severed_ = true; }

    bool hold_commits = false;
    std::deque<commit_call> held;     ///< Commits that wait for an answer.
    std::vector<commit_call> commits; ///< All there were.
    std::set<engine::assignment_id> released;
    std::size_t polled = 0; ///< Records that were handed out.

private:
    struct assignment {
        fake_partition* from = nullptr;
        std::size_t next = 0; ///< Index into the partition's records.
    };

    void tell(std::function<void(engine::job_source_listener&)> what);

    asio::io_context& loop_;
    fake_log& log_;
    engine::job_source_listener* listener_ = nullptr;
    std::map<engine::assignment_id, assignment> assigned_;
    engine::assignment_id last_assignment_ = 0;
    std::uint64_t last_commit_ = 0;
    bool severed_ = false;
};

} // namespace wxcourier::test
