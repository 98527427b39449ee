// SPDX-License-Identifier: Apache-2.0
#include "engine/fleet_token_source.hpp"

#include "common/log.hpp"

#include <utility>

namespace wxcourier::engine {
namespace {

token_reply no_token(std::string why)
{
    token_reply reply;
    reply.errmsg = std::move(why);
    return reply;
}

} // namespace

fleet_token_source::fleet_token_source(surroundings with, domain::app_index app, codec::token_place place,
                                       milliseconds call_timeout, std::string worker)
    : with_(with), app_(app), place_(std::move(place)), worker_(std::move(worker)),
      log_(begin_limit + call_timeout + call_margin), changed_(with.time)
{
}

asio::awaitable<token_reply> fleet_token_source::ask(token_request request)
{
    // A fetch that may still be under way elsewhere brings its token, or has had its time, first.
    const auto known = log_.newest();
    while (with_.voice.leads() && log_.newest() == known && with_.time.now() < log_.free_at())
        co_await changed_.wait_until(log_.free_at());
    if (log_.newest() != known && newest_ && newest_->stamp > dead_)
        co_return reply_of(*newest_, true);

    const auto stamp = co_await announce();
    if (!stamp)
        co_return no_token("the lead of the group could not be confirmed");
    auto reply = co_await with_.api.fetch(request);
    announced_.reset();
    if (!reply.token.empty())
        co_return publish(std::move(reply), *stamp);
    log_.on_failed(*stamp);
    with_.voice.say(domain::refresh_failed_record{place_.app, *stamp, reply.errcode, reply.errmsg});
    co_return reply;
}

/// Says that a fetch begins, and sees that said: nobody has taken the lead before it in the log, and whoever does later
/// knows of it. Empty: it must not begin.
asio::awaitable<std::optional<domain::token_stamp>> fleet_token_source::announce()
{
    if (!with_.voice.leads())
        co_return std::nullopt;
    const auto stamp = log_.next(with_.voice.term());
    const auto limit = with_.time.now() + begin_limit;
    announced_ = stamp;
    confirmed_ = false;
    with_.voice.say(domain::refreshing_record{place_.app, stamp});
    while (with_.voice.leads() && !confirmed_ && with_.time.now() < limit)
        co_await changed_.wait_until(limit);
    // The time is looked at again: a process that was stopped here may find the log as it left it.
    if (confirmed_ && with_.voice.leads() && with_.voice.term() == stamp.term && with_.time.now() < limit)
        co_return stamp;
    announced_.reset();
    co_return std::nullopt;
}

token_reply fleet_token_source::publish(token_reply reply, domain::token_stamp stamp)
{
    const auto now = with_.time.wall_now();
    domain::shared_token token{stamp, reply.token, now, now + reply.expires_in, worker_};
    with_.voice.write_token(place_.app, with_.seal.seal(place_, token));
    // A successor may have fetched one meanwhile: then that is the newer one for everybody.
    if (log_.on_token(stamp) == domain::shared_token_log::news::newer)
        newest_ = std::move(token);
    else if (newest_)
        return reply_of(*newest_, false);
    return reply;
}

token_reply fleet_token_source::reply_of(const domain::shared_token& token, bool live) const
{
    token_reply reply;
    reply.token = token.text;
    reply.expires_in = std::chrono::floor<seconds>(domain::remaining_life(token, with_.time.wall_now(), live));
    return reply;
}

void fleet_token_source::on_dead(const access_token& token, bool proven)
{
    if (!newest_ || token.text != newest_->text || newest_->stamp <= dead_)
        return;
    dead_ = newest_->stamp;
    with_.voice.say(domain::token_rejected_record{place_.app, dead_, proven});
}

std::optional<std::uint64_t> fleet_token_source::on_token_record(std::string_view value, bool live)
{
    auto opened = with_.seal.open(place_, place_.app, value);
    if (!opened.token) {
        with_.voice.ignore("tokens", place_.app, codec::to_string(opened.refusal));
        return std::nullopt;
    }
    const auto stamp = opened.token->stamp;
    switch (log_.on_token(stamp)) {
    case domain::shared_token_log::news::older:
        with_.voice.ignore("tokens", place_.app, "older");
        break;
    case domain::shared_token_log::news::repeated: // our own, read back
        break;
    case domain::shared_token_log::news::newer:
        newest_ = std::move(opened.token);
        if (auto reply = reply_of(*newest_, live); stamp > dead_ && reply.expires_in > seconds{0})
            with_.tokens.bring(app_, reply);
        changed_.notify();
        break;
    }
    return stamp.term;
}

void fleet_token_source::on_refreshing(domain::token_stamp stamp)
{
    log_.on_refreshing(stamp, with_.time.now());
    if (announced_ == stamp)
        confirmed_ = true;
    else if (with_.voice.leads() && stamp.term == with_.voice.term())
        log_.on_failed(stamp); // announced by this replica, which gave up waiting and never began
    changed_.notify();
}

void fleet_token_source::on_refresh_failed(const domain::refresh_failed_record& read, bool live)
{
    const bool other = log_.under_way() == read.stamp;
    log_.on_failed(read.stamp);
    changed_.notify();
    if (!other || !live)
        return;
    token_reply reply;
    reply.errcode = read.errcode;
    reply.errmsg = read.errmsg;
    with_.tokens.bring(app_, reply);
}

void fleet_token_source::on_token_rejected(const domain::token_rejected_record& read)
{
    if (read.stamp <= dead_)
        return;
    dead_ = read.stamp;
    const auto current = with_.tokens.current(app_);
    if (!current || !newest_ || newest_->stamp != dead_ || current->text != newest_->text)
        return;
    if (read.proven)
        with_.tokens.on_accepted(app_, current->generation);
    with_.tokens.on_rejected(app_, current->generation);
}

void fleet_token_source::on_lead_changed()
{
    changed_.notify();
    with_.tokens.look_again(app_);
}

} // namespace wxcourier::engine
