// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/world.hpp"

#include "common/log.hpp"
#include "common/rfc3339.hpp"

#include <algorithm>
#include <utility>

namespace wxcourier::simulation {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

/// The longest that work may take once all is well: tokens are asked for hourly in the worst case …
constexpr hours longest_peace{2};
/// … and a day quota has to reset.
constexpr hours longest_peace_after_quotas{26};

constexpr std::string_view official_kinds[] = {"official.template", "official.subscribe", "official.custom"};
constexpr std::string_view mini_kinds[] = {"miniprogram.subscribe", "miniprogram.custom"};

std::string message_for(std::string_view kind)
{
    if (kind.ends_with(".custom"))
        return R"("msgtype":"text","text":{"content":"hello"})";
    return R"("template_id":"ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY","data":{"thing1":{"value":"hello"}})";
}

} // namespace

world::world(std::uint64_t seed, bool tracing)
    : record_(seed, tracing, time_), how_(draw_setting(record_)), kafka_(time_, record_, truth_, how_),
      wechat_(time_, record_, how_), next_offset_(how_.partitions)
{
    log::configure(log::level::off, log::format::text);
    // Late in China's day, so that a day quota resets within the run.
    time_.adjust_wall(hours{6} + minutes{45} + minutes{record_.below(55)});
}

world::~world()
{
    over_ = true;
    for (const auto& each : processes_)
        each->crash();
    time_.advance(minutes{1});
}

outcome world::run(steady_duration trouble_lasts)
{
    trouble_ends_ = time_.now() + trouble_lasts;
    for (std::size_t i = 0; i < how_.processes; ++i)
        start_process();
    produce();
    time_.after(how_.fault_every, [this] { trouble(); });
    while (record_.violation().empty() && time_.advance_to_next(trouble_ends_)) {
    }
    make_peace();
    const auto last = time_.now() + (day_quotas_ ? longest_peace_after_quotas : longest_peace);
    while (record_.violation().empty() && !finished() && time_.advance_to_next(last)) {
    }
    if (record_.violation().empty())
        check_end();
    outcome result;
    result.violation = record_.violation();
    result.trace.assign(record_.trace().begin(), record_.trace().end());
    result.digest = record_.digest();
    result.jobs = truth_.jobs.size();
    for (const auto& job : truth_.jobs) {
        result.messages += job.messages.size();
        for (const auto& message : job.messages)
            result.repeats += static_cast<std::size_t>(std::max(0, message.deliveries - 1));
    }
    result.crashes = crashes_;
    return result;
}

// -------------------------------------------------------------------------------------------------------- producers

void world::produce()
{
    append_job();
    if (time_.now() >= trouble_ends_)
        return;
    const auto wait = record_.chance(0.1) ? how_.job_every * 20 : how_.job_every;
    time_.after(record_.between(milliseconds{1}, wait), [this] { produce(); });
}

void world::append_job()
{
    auto& job = truth_.jobs.emplace_back();
    job.number = truth_.jobs.size() - 1;
    job.partition = static_cast<std::int32_t>(record_.below(how_.partitions));
    auto& next = next_offset_[static_cast<std::size_t>(job.partition)];
    next += record_.chance(0.05) ? static_cast<std::int64_t>(record_.below(4)) : 0; // compaction leaves gaps
    job.offset = next++;
    job.valid = !record_.chance(0.03);
    job.fanned_out = record_.chance(0.08);
    job.app = any_app();
    const bool official = how_.engine.apps[job.app].type == domain::app_type::official_account;
    job.kind = domain::find_kind(official ? official_kinds[record_.below(3)] : mini_kinds[record_.below(2)]);
    std::size_t recipients = 1;
    if (job.fanned_out)
        recipients = 1 + record_.below(record_.chance(0.1) ? 400 : 30);
    for (std::size_t i = 0; i < (job.valid ? recipients : 1); ++i)
        job.messages.push_back({.job = &job, .index = i});
    engine::inbound_record record;
    record.offset = job.offset;
    record.timestamp = time_.wall_now();
    record.value = job_json(job, recipients);
    if (how_.engine.ordered_by_key && record_.chance(0.8)) {
        job.key = record_.below(how_.keys);
        record.key = "k" + std::to_string(*job.key);
    }
    truth_.by_place[job.partition][job.offset] = &job;
    record_.note(job.number, [&] {
        return "job " + std::to_string(job.number) + " at " + std::to_string(job.partition) + "/" +
               std::to_string(job.offset) + " for " + std::to_string(recipients);
    });
    kafka_.append(job.partition, std::move(record));
}

std::string world::job_json(job_fact& job, std::size_t recipients)
{
    const auto now = time_.wall_now();
    if (!job.valid)
        return record_.chance(0.5) ? "no job" : R"({"id":"bad","app":"nobody"})";
    const auto name = "o" + std::to_string(job.number) + "-";
    std::string text = R"({"id":"j)" + std::to_string(job.number) + R"(","app":")" + how_.engine.apps[job.app].name +
                       R"(","kind":")" + std::string(job.kind->name) + R"(","message":{)";
    if (!job.fanned_out)
        text += R"("touser":")" + name + "0\",";
    text += message_for(job.kind->name) + '}';
    if (job.fanned_out) {
        text += R"(,"recipients":[)";
        for (std::size_t i = 0; i < recipients; ++i)
            text += (i == 0 ? "\"" : ",\"") + name + std::to_string(i) + '"';
        text += ']';
    }
    if (record_.chance(0.1)) {
        job.not_before = now + record_.between(milliseconds{0}, minutes{5});
        text += R"(,"not_before":")" + format_rfc3339(*job.not_before) + '"';
    }
    if (record_.chance(0.1)) {
        job.expire_at = job.not_before.value_or(now) + record_.between(milliseconds{1}, minutes{10});
        text += R"(,"expire_at":")" + format_rfc3339(*job.expire_at) + '"';
    }
    if (how_.engine.max_age) {
        const auto too_old = std::max(now, job.not_before.value_or(now)) + *how_.engine.max_age;
        job.expire_at = std::min(job.expire_at.value_or(too_old), too_old);
    }
    constexpr std::string_view priorities[] = {"high", "normal", "low"};
    return text + R"(,"priority":")" + std::string(priorities[record_.below(3)]) + "\"}";
}

std::uint32_t world::any_app()
{
    return static_cast<std::uint32_t>(record_.below(how_.engine.apps.size()));
}

// ---------------------------------------------------------------------------------------------------------- trouble

void world::start_process()
{
    if (over_)
        return;
    if (peace_ && std::any_of(processes_.begin(), processes_.end(), [](const auto& each) { return each->alive(); }))
        return;
    auto seat = "s" + std::to_string(seats_);
    if (!free_seats_.empty() && record_.chance(0.7)) { // on the machine of one that has ended
        seat = free_seats_.back();
        free_seats_.pop_back();
    } else {
        ++seats_;
    }
    processes_.push_back(std::make_unique<process>("w" + std::to_string(processes_.size()), seat, loop_, time_, record_,
                                                   truth_, kafka_, wechat_, how_));
    kafka_.join(*processes_.back());
}

process& world::any_process()
{
    std::vector<process*> living;
    for (const auto& each : processes_)
        if (each->alive())
            living.push_back(each.get());
    if (living.empty()) {
        start_process();
        return *processes_.back();
    }
    return *living[record_.below(living.size())];
}

void world::trouble()
{
    if (peace_ || time_.now() >= trouble_ends_)
        return;
    if (record_.chance(0.5))
        trouble_with_a_process(any_process());
    else
        trouble_with_wechat();
    time_.after(record_.between(milliseconds{1}, 2 * how_.fault_every), [this] { trouble(); });
}

void world::trouble_with_a_process(process& victim)
{
    const auto again_after = record_.between(milliseconds{1}, seconds{20});
    switch (record_.below(7)) {
    case 0:
        crash(victim);
        break;
    case 1:
        if (!victim.draining())
            victim.drain([this, &victim, again_after] {
                free_seats_.push_back(victim.seat());
                time_.after(again_after, [this] { start_process(); });
            });
        break;
    case 2:
        kafka_.expel(victim);
        break;
    case 3:
    case 4:
        kafka_.rebalance();
        break;
    case 5:
        record_.note(0xF0, [] { return std::string("Kafka is down"); });
        kafka_.go_down(record_.between(seconds{1}, minutes{1}));
        if (record_.chance(0.5)) // what was sent and could not be reported is sent again: it must not be much
            time_.after(record_.between(seconds{1}, minutes{1}), [this, &victim] { crash(victim); });
        break;
    default:
        if (record_.chance(0.2))
            kafka_.shrink_metadata(20, record_.between(seconds{1}, minutes{1}));
        else
            kafka_.rebalance();
    }
}

void world::crash(process& victim)
{
    if (!victim.alive())
        return;
    ++crashes_;
    victim.crash();
    free_seats_.push_back(victim.seat());
    kafka_.leave(victim, false);
    time_.after(record_.between(milliseconds{1}, seconds{20}), [this] { start_process(); });
}

void world::trouble_with_wechat()
{
    constexpr weather bad[] = {weather::refused, weather::silent, weather::broken, weather::crowded, weather::busy};
    constexpr int token_errors[] = {-1, 40125, 40164, 45009, 50004};
    switch (record_.below(8)) {
    case 0:
    case 1:
        wechat_.change_weather(bad[record_.below(5)],
                               record_.between(seconds{1}, minutes{record_.chance(0.1) ? 15 : 2}));
        break;
    case 2:
    case 3:
        wechat_.kill_token(any_app());
        break;
    case 4:
        if (how_.tokens_fail)
            wechat_.refuse_tokens(any_app(), token_errors[record_.below(5)], record_.between(seconds{1}, minutes{5}));
        break;
    case 5:
        wechat_.exhaust_minute(any_app());
        break;
    case 6:
        if (time_.wall_now().time_since_epoch() % hours{24} < hours{16} && record_.chance(0.2)) {
            day_quotas_ = true;
            wechat_.exhaust_day(any_app());
        }
        break;
    default:
        if (how_.clocks_jump)
            time_.adjust_wall(record_.between(-seconds{30}, seconds{30}));
    }
}

// ------------------------------------------------------------------------------------------------------------ peace

void world::make_peace()
{
    record_.note(0xAE, [] { return std::string("peace"); });
    kafka_.behave();
    wechat_.behave();
    peace_ = true;
    static_cast<void>(any_process());
}

bool world::finished() const
{
    if (!kafka_.all_committed())
        return false;
    // At most once: what is committed may still have to be sent.
    return !how_.engine.delivery.at_most_once ||
           std::all_of(truth_.jobs.begin(), truth_.jobs.end(),
                       [this](const auto& each) { return each.complete() || kafka_.disturbed(each.partition); });
}

void world::check_end()
{
    if (!finished())
        record_.violate("work did not come to its end");
    for (const auto& job : truth_.jobs) {
        if (job.complete() || (how_.engine.delivery.at_most_once && kafka_.disturbed(job.partition)))
            continue;
        record_.violate("job " + std::to_string(job.number) + " at " + std::to_string(job.partition) + "/" +
                        std::to_string(job.offset) + " was lost");
    }
}

} // namespace wxcourier::simulation
