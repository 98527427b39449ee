// SPDX-License-Identifier: Apache-2.0
#include "app/letter_replay.hpp"

#include "app/settings_mapping.hpp"
#include "engine/options.hpp"
#include "kafka/topic_admin.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace wxcourier::app {
namespace {

namespace asio = boost::asio;
using domain::letter_verdict;

constexpr seconds patience{30};
constexpr seconds close_patience{5};
constexpr milliseconds look_interval{200};
/// A transaction holds up the readers of its topics from its first record on: it must be short.
constexpr std::size_t most_in_transaction = 500;
constexpr std::size_t most_bytes_in_transaction = 4U * 1024 * 1024;
constexpr int most_tries = 5;
constexpr milliseconds try_spacing{500};
constexpr std::size_t records_a_turn = 500;

std::vector<codec::header_view> views_of(const std::vector<engine::header>& headers)
{
    std::vector<codec::header_view> views;
    views.reserve(headers.size());
    for (const auto& each : headers)
        views.emplace_back(each.name, each.value ? std::string_view(*each.value) : std::string_view{});
    return views;
}

/// Two letters of one record have the same: what the record was, and which one. A source alone would not do, since a
/// topic can be deleted and made anew.
std::uint64_t identity_of(const kafka::read_record& record, const codec::dead_letter& note)
{
    std::string text = to_string(note.source) + '#';
    text += note.truncated ? 't' + std::to_string(*note.truncated) : record.value.value_or(std::string{});
    return std::hash<std::string>{}(text);
}

/// One partition: it is small, and a block's last word is what counts.
std::vector<kafka::topic_specification> memory_specification(const std::string& topic, int replication)
{
    return {{topic, 1, replication, {{"cleanup.policy", "compact"}}}};
}

std::int64_t end_of(const std::map<kafka::topic_partition, std::int64_t>& ends, const kafka::read_record& record)
{
    const auto found = ends.find({record.topic, record.partition});
    return found == ends.end() ? 0 : found->second;
}

} // namespace

letter_replay::letter_replay(asio::io_context& io, const config::settings& settings, domain::letter_filter filter,
                             std::optional<double> rate)
    : io_(io), settings_(settings), filter_(std::move(filter)), rate_(rate),
      memory_topic_(settings.topics.dead_letter + ".replayed"), pause_(io)
{
    const auto options = engine_options_of(settings, {});
    for (const auto& each : settings.topics.jobs)
        rules_.emplace(each.name, engine::job_rules_of(options, each.name));
}

asio::awaitable<std::string> letter_replay::look(progress tell)
{
    account_ = {};
    auto error = co_await recall(false);
    visitor count = [this](kafka::read_record record, codec::dead_letter note) -> asio::awaitable<std::string> {
        ++account_.read;
        const auto letter = co_await judge(std::move(record), std::move(note));
        if (letter) {
            ++account_.chosen;
            ++account_.kinds[letter->kind];
        }
        co_return std::string{};
    };
    if (error.empty())
        error = co_await read_letters(std::move(count), std::move(tell), nullptr);
    co_return error;
}

asio::awaitable<std::string> letter_replay::put_back(progress tell, const bool& stop)
{
    kafka::transaction_writer writer(io_.get_executor(), kafka_client_of(settings_),
                                     settings_.topics.dead_letter + ".replay");
    const auto total = account_.chosen;
    batch current;
    const auto taken = co_await writer.begin(steady_clock::now() + patience);
    auto error = taken.error;
    if (error.empty()) // once more, for now nobody else can write it
        error = co_await recall(true);
    visitor put = [&](kafka::read_record record, codec::dead_letter note) -> asio::awaitable<std::string> {
        auto letter = co_await judge(std::move(record), std::move(note));
        if (letter)
            add(current, std::move(*letter));
        if (current.jobs.size() < most_in_batch() && current.bytes < most_bytes_in_transaction)
            co_return std::string{};
        began_ = steady_clock::now();
        const auto before = replayed_;
        auto why = co_await write(writer, current);
        tell(replayed_, total);
        if (why.empty() && !stop)
            co_await keep_to_rate(replayed_ - before);
        co_return why;
    };
    if (error.empty())
        error = co_await read_letters(std::move(put), {}, &stop);
    if (error.empty() && !stop && !current.jobs.empty())
        error = co_await write(writer, current);
    tell(replayed_, total);
    co_await writer.close(steady_clock::now() + close_patience);
    co_return error;
}

/// @param make  the memory's topic, if it is missing.
/// @param remembers  false: it is missing, and nothing has been replayed yet.
asio::awaitable<std::string> letter_replay::find_topics(bool make, bool& remembers)
{
    kafka::topic_admin admin(io_.get_executor(), kafka_client_of(settings_));
    const std::vector<std::string> wanted{settings_.topics.dead_letter, memory_topic_};
    const auto there = co_await admin.find_missing(wanted, steady_clock::now() + patience);
    auto error = there.error;
    remembers = there.partitions.contains(memory_topic_);
    if (error.empty() && !there.partitions.contains(settings_.topics.dead_letter))
        error = "there is no topic " + settings_.topics.dead_letter;
    if (error.empty() && make && !remembers) {
        if (settings_.topics.create) {
            auto made = memory_specification(memory_topic_, settings_.topics.create->replication);
            const auto errors = co_await admin.create(std::move(made), steady_clock::now() + patience);
            if (!errors.empty())
                error = errors.front();
        } else {
            error = "there is no topic " + memory_topic_ +
                    ", which remembers what has been replayed: create it with one partition and "
                    "cleanup.policy=compact, or set topics.create";
        }
    }
    co_await admin.close(steady_clock::now() + close_patience);
    co_return error;
}

asio::awaitable<std::string> letter_replay::read_memory()
{
    kafka::record_reader reader(io_.get_executor(), kafka_client_of(settings_), {memory_topic_},
                                kafka::from_beginning{});
    auto error = co_await reader.open(steady_clock::now() + patience);
    auto deadline = steady_clock::now() + patience;
    while (error.empty() && !reader.at_end()) {
        const auto record = co_await reader.next(steady_clock::now() + look_interval);
        if (record) {
            deadline = steady_clock::now() + patience;
            const auto name = codec::decode_block_name(record->key.value_or(""));
            auto block = codec::decode_block(record->value.value_or(""));
            if (name && block)
                memory_.put(*name, std::move(*block));
            else // it might say that a letter has been replayed
                error = "a record of " + memory_topic_ + " (offset " + std::to_string(record->offset) +
                        ") is of another release, or none of wxcourier's";
        } else if (steady_clock::now() >= deadline) {
            error = "Kafka does not hand out " + memory_topic_;
        }
    }
    co_await reader.close(steady_clock::now() + close_patience);
    co_return error;
}

/// What has been replayed: the letters, and which records they were of. Another letter of such a record may stand
/// anywhere, also before it, so all are known before the first one is judged.
asio::awaitable<std::string> letter_replay::recall(bool make)
{
    memory_ = {};
    seen_.clear();
    bool remembers = false;
    auto error = co_await find_topics(make, remembers);
    if (error.empty() && remembers)
        error = co_await read_memory();
    if (!error.empty() || memory_.size() == 0)
        co_return error;
    std::vector<std::pair<kafka::topic_partition, std::pair<std::int64_t, std::uint64_t>>> identities;
    visitor check = [&](kafka::read_record record, codec::dead_letter note) -> asio::awaitable<std::string> {
        memory_.check(record.partition, record.offset, record.timestamp);
        if (memory_.contains(record.partition, record.offset))
            identities.push_back({{record.topic, record.partition}, {record.offset, identity_of(record, note)}});
        co_return std::string{};
    };
    error = co_await read_letters(std::move(check), {}, nullptr);
    for (const auto& [where, what] : identities) // what was forgotten meanwhile spoke of another topic
        if (memory_.contains(where.partition, what.first))
            seen_.insert(what.second);
    co_return error;
}

/// @param visit  gets each letter that was there at the first reading; its error ends the reading.
asio::awaitable<std::string> letter_replay::read_letters(visitor visit, progress tell, const bool* stop)
{
    const bool first = ends_.empty();
    kafka::record_reader reader(io_.get_executor(), kafka_client_of(settings_), {settings_.topics.dead_letter},
                                kafka::from_beginning{});
    auto error = co_await reader.open(steady_clock::now() + patience);
    std::uint64_t total = 0;
    for (const auto& [where, position] : reader.positions()) {
        if (first)
            ends_[where] = position.end;
        total += static_cast<std::uint64_t>(position.end - position.start);
        memory_.check_end(where.partition, position.end);
    }
    auto deadline = steady_clock::now() + patience;
    std::uint64_t done = 0;
    while (error.empty() && !reader.at_end() && !(stop != nullptr && *stop)) {
        auto record = co_await reader.next(steady_clock::now() + look_interval);
        if (!record && steady_clock::now() >= deadline)
            error = "Kafka does not hand out " + settings_.topics.dead_letter;
        if (!record)
            continue;
        auto note = codec::read_dead_letter(views_of(record->headers)); // empty: somebody else's record
        if (note && record->offset < end_of(ends_, *record))
            error = co_await visit(std::move(*record), std::move(*note));
        deadline = steady_clock::now() + patience;
        if (++done % records_a_turn == 0) {
            if (tell)
                tell(done, total);
            co_await asio::post(io_, asio::use_awaitable);
        }
    }
    co_await reader.close(steady_clock::now() + close_patience);
    if (lookup_) {
        co_await lookup_->close(steady_clock::now() + close_patience);
        lookup_.reset();
    }
    co_return error;
}

void letter_replay::leave_out(letter_verdict why)
{
    if (why != letter_verdict::not_wanted)
        ++account_.left_out[why];
}

asio::awaitable<std::optional<letter_replay::chosen_letter>> letter_replay::judge(kafka::read_record record,
                                                                                  codec::dead_letter note)
{
    const auto identity = identity_of(record, note);
    const domain::letter_facts facts{.state = note.state,
                                     .reason = note.reason,
                                     .at = note.at,
                                     .replays = note.replays,
                                     .unknown_outcome = note.unknown_outcome,
                                     .replayed = memory_.contains(record.partition, record.offset),
                                     .repeated = seen_.contains(identity)};
    auto verdict = domain::judge(facts, filter_);
    domain::letter_job job;
    if (verdict == letter_verdict::chosen) {
        if (note.truncated) {
            if (!lookup_)
                lookup_ = std::make_unique<kafka::record_lookup>(io_.get_executor(), kafka_client_of(settings_));
            const auto& source = note.source;
            record.value =
                co_await lookup_->find(source.topic, source.partition, source.offset, steady_clock::now() + patience);
            job.gone = !record.value || record.value->size() != *note.truncated;
        }
        if (!job.gone)
            job = read_job(record, topic_of(note));
        verdict = domain::judge(job, filter_);
    }
    if (verdict != letter_verdict::chosen) {
        leave_out(verdict);
        co_return std::nullopt;
    }
    seen_.insert(identity);
    letter_kind kind{job.app.value_or("-"), std::string(to_string(note.state)), note.reason};
    co_return chosen_letter{std::move(record), std::move(note), std::move(kind)};
}

domain::letter_job letter_replay::read_job(const kafka::read_record& record, const std::string& topic) const
{
    domain::letter_job read;
    const std::optional<std::string_view> value =
        record.value ? std::optional<std::string_view>(*record.value) : std::nullopt;
    const auto now = std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
    const auto decoded = codec::decode_job(value, rules_.at(topic), now);
    if (const auto* const why = std::get_if<codec::rejection>(&decoded)) {
        read.still_bad = true;
        read.app = why->app;
        read.kind = why->kind;
        read.id = why->id;
    } else {
        const auto& job = std::get<codec::decoded_job>(decoded).job;
        read.app = job.app;
        read.kind = std::string(job.kind->name);
        read.id = job.id;
    }
    return read;
}

/// Back where it came from, if the workers still read that.
std::string letter_replay::topic_of(const codec::dead_letter& note) const
{
    return rules_.contains(note.source.topic) ? note.source.topic : settings_.topics.jobs.front().name;
}

void letter_replay::add(batch& to, chosen_letter letter)
{
    engine::outbound_record job{
        topic_of(letter.note), std::move(letter.record.key), std::move(letter.record.value), {}};
    for (auto& each : letter.record.headers)
        if (!each.name.starts_with(codec::own_header_prefix))
            job.headers.push_back(std::move(each));
    job.headers.push_back({std::string(codec::replay_header), std::to_string(letter.note.replays + 1)});
    if (letter.note.recipients)
        job.headers.push_back({std::string(codec::recipients_header), *letter.note.recipients});
    to.bytes += job.value ? job.value->size() : 0;
    topics_.insert(job.topic);
    to.jobs.push_back(std::move(job));
    to.blocks.insert(memory_.add(letter.record.partition, letter.record.offset, letter.record.timestamp));
}

std::size_t letter_replay::most_in_batch() const
{
    if (!rate_)
        return most_in_transaction;
    return static_cast<std::size_t>(std::clamp(*rate_ / 4, 1.0, static_cast<double>(most_in_transaction)));
}

asio::awaitable<std::string> letter_replay::write(kafka::transaction_writer& writer, batch& full)
{
    auto records = full.jobs;
    for (const auto& name : full.blocks)
        records.push_back(
            {memory_topic_, codec::encode_block_name(name), codec::encode_block(memory_.block(name)), {}});
    kafka::transaction_outcome outcome;
    for (int tries = 0; tries < most_tries; ++tries) {
        outcome = co_await writer.write(records, steady_clock::now() + patience);
        if (outcome.result != kafka::transaction_result::aborted)
            break;
        pause_.expires_after(try_spacing);
        co_await pause_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    switch (outcome.result) {
    case kafka::transaction_result::written:
        replayed_ += full.jobs.size();
        full = {};
        co_return std::string{};
    case kafka::transaction_result::fenced:
        co_return "another replay has begun; it goes on where this one stood";
    case kafka::transaction_result::aborted:
        co_return "Kafka does not take them: " + outcome.error;
    case kafka::transaction_result::unknown:
        break;
    }
    co_return outcome.error + "; run it again, it goes on where Kafka stands";
}

/// Waits until one more batch is due. What was missed while Kafka was slow is not made up for.
asio::awaitable<void> letter_replay::keep_to_rate(std::size_t written)
{
    if (!rate_)
        co_return;
    const std::chrono::duration<double> span(static_cast<double>(written) / *rate_);
    due_ = std::max(due_, began_) + std::chrono::duration_cast<steady_duration>(span);
    pause_.expires_at(due_);
    co_await pause_.async_wait(asio::as_tuple(asio::use_awaitable));
}

} // namespace wxcourier::app
