// SPDX-License-Identifier: Apache-2.0
/// @file
/// `wxcourier replay`: reads the dead letters, says what there is, and puts the chosen ones back on their jobs topic,
/// none of them twice.
#pragma once

#include "codec/job_codec.hpp"
#include "codec/replay_codec.hpp"
#include "config/settings.hpp"
#include "domain/replay_memory.hpp"
#include "domain/replay_rules.hpp"
#include "kafka/record_lookup.hpp"
#include "kafka/record_reader.hpp"
#include "kafka/transaction_writer.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

namespace wxcourier::app {

/// A line of what was found; `-` where the letter could not be read that far.
struct letter_kind {
    std::string app;
    std::string state;
    std::string reason;

    friend auto operator<=>(const letter_kind&, const letter_kind&) = default;
};

/// What a look through the dead letters came to.
struct letter_account {
    std::uint64_t read = 0;                                   ///< Letters there are.
    std::uint64_t chosen = 0;                                 ///< Of them, those to be put back.
    std::map<letter_kind, std::uint64_t> kinds;               ///< Of the chosen ones.
    std::map<domain::letter_verdict, std::uint64_t> left_out; ///< Of those that the filter wants.
};

/// One replay. The topic `TOPIC.replayed` of a dead-letter topic remembers what has been put back; it is written in one
/// transaction with the jobs, and one replay at a time can write (a later one has the earlier one stop). One loop, one
/// thread. Errors are texts for the operator; empty: none.
class letter_replay {
public:
    /// Told how many letters have been read, or put back.
    using progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

    /// @param rate  jobs a second, at most; empty: as fast as Kafka takes them.
    letter_replay(boost::asio::io_context& io, const config::settings& settings, domain::letter_filter filter,
                  std::optional<double> rate);

    /// Reads all letters to their present end. `found` then says what there is.
    boost::asio::awaitable<std::string> look(progress tell);
    [[nodiscard]] const letter_account& found() const noexcept { return account_; }

    /// After `look`: puts back what it has found. Ends early when `stop` becomes true, between two transactions.
    boost::asio::awaitable<std::string> put_back(progress tell, const bool& stop);
    /// Letters put back, and where to.
    [[nodiscard]] std::uint64_t replayed() const noexcept { return replayed_; }
    [[nodiscard]] const std::set<std::string>& topics() const noexcept { return topics_; }

private:
    /// A letter to be put back.
    struct chosen_letter {
        kafka::read_record record;
        codec::dead_letter note;
        letter_kind kind;
    };
    /// The present transaction.
    struct batch {
        std::vector<engine::outbound_record> jobs;
        std::set<domain::replay_block_name> blocks;
        std::size_t bytes = 0;
    };
    using visitor = std::function<boost::asio::awaitable<std::string>(kafka::read_record, codec::dead_letter)>;

    boost::asio::awaitable<std::string> find_topics(bool make, bool& remembers);
    boost::asio::awaitable<std::string> read_memory();
    boost::asio::awaitable<std::string> recall(bool make);
    boost::asio::awaitable<std::string> read_letters(visitor visit, progress tell, const bool* stop);
    boost::asio::awaitable<std::optional<chosen_letter>> judge(kafka::read_record record, codec::dead_letter note);
    /// Decodes the value as the workers would.
    [[nodiscard]] domain::letter_job read_job(const kafka::read_record& record, const std::string& topic) const;
    [[nodiscard]] std::string topic_of(const codec::dead_letter& note) const;
    void add(batch& to, chosen_letter letter);
    boost::asio::awaitable<std::string> write(kafka::transaction_writer& writer, batch& full);
    boost::asio::awaitable<void> keep_to_rate(std::size_t written);
    [[nodiscard]] std::size_t most_in_batch() const;
    void leave_out(domain::letter_verdict why);

    boost::asio::io_context& io_;
    const config::settings& settings_;
    domain::letter_filter filter_;
    std::optional<double> rate_;
    std::string memory_topic_;
    std::map<std::string, codec::job_rules> rules_;       ///< By jobs topic.
    std::map<kafka::topic_partition, std::int64_t> ends_; ///< Of the letters; what comes later is not looked at.
    domain::replay_memory memory_;
    /// Hashes of the records whose letters were put back, or will be.
    std::unordered_set<std::uint64_t> seen_;
    std::unique_ptr<kafka::record_lookup> lookup_;
    letter_account account_;
    std::uint64_t replayed_ = 0;
    std::set<std::string> topics_;
    steady_time began_{}; ///< The present transaction.
    steady_time due_{};   ///< With a rate: the next one.
    boost::asio::steady_timer pause_;
};

} // namespace wxcourier::app
