// SPDX-License-Identifier: Apache-2.0
#include "simulator/simulation.hpp"

#include "simulator/control.hpp"

#include <algorithm>
#include <utility>

namespace wxcourier::simulator {

namespace {

constexpr int token_expired = 42001;
constexpr int busy = -1;

std::string web_page(unsigned status)
{
    const std::string title = std::to_string(status) + (status >= 400 ? " Error" : " OK");
    return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
           "</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
}

/// Dresses the answer in the fault.
void apply(const fault& what, reply& sent)
{
    sent.status = what.http_status.value_or(200);
    if (what.html) {
        sent.body = web_page(sent.status);
        sent.content_type = "text/html";
    }
    if (what.empty || sent.status == 204 || sent.status == 304) {
        sent.body.clear(); // The two statuses never have one.
    }
    sent.delay += what.latency;
    sent.reset_after = what.reset_after;
    sent.stall_after = what.stall_after;
    sent.drip = what.drip;
    if (what.truncate_half || what.truncate_to) {
        const std::size_t length = what.truncate_to.value_or(sent.body.size() / 2);
        sent.truncate_to = std::min(length, sent.body.size() - std::min<std::size_t>(sent.body.size(), 1));
    }
    sent.close = sent.reset_after || sent.stall_after || sent.truncate_to;
}

} // namespace

simulation::simulation(settings initial)
    : settings_(std::move(initial)), dice_(settings_.seed), rules_(settings_, dice_), received_(settings_.keep)
{
}

void simulation::reset()
{
    faults_.clear();
    received_.reset();
    statistics_.reset();
    rules_.reset();
}

reply simulation::respond(const http_request& request, std::uint64_t connection, wall_time now)
{
    if (settings_.control && request.path().starts_with("/_simulator/")) {
        return answer_control(*this, request, now);
    }
    const bool length_missing = request.method == "POST" && request.framing == body_framing::none;
    if (request.malformed || request.framing == body_framing::chunked || length_missing) {
        return refuse_framing(request, connection, now);
    }
    incoming_call call = rules_.read(request, now);
    const auto planned = faults_.choose(call.touser, request.path(), call.appid, dice_);
    outcome decided = decide(call, planned, now);
    reply sent;
    sent.body = decided.answer.body;
    sent.delay = dice_.around(settings_.latency, settings_.jitter);
    const bool instead_of_success = planned && planned->what.errcode && !decided.answer.scripted;
    if (planned && !instead_of_success) {
        apply(planned->what, sent);
        faults_.used(*planned);
    }
    record(call, decided, sent, connection, now);
    return sent;
}

reply simulation::refuse_framing(const http_request& request, std::uint64_t connection, wall_time now)
{
    incoming_call call;
    call.request = &request;
    call.row = find_endpoint(request.path());
    reply sent;
    sent.status = request.malformed ? 400 : 412;
    sent.content_type = "text/plain";
    sent.close = true;
    record(call, {}, sent, connection, now);
    return sent;
}

simulation::outcome simulation::decide(incoming_call& call, const std::optional<fault_script::choice>& planned,
                                       wall_time now)
{
    if (!planned) {
        return judge(call, std::nullopt, now);
    }
    if (planned->what.expire_token && call.token_errcode == 0 && !call.appid.empty()) {
        tokens().expire(call.appid, token_expired, false, now);
        call.token_errcode = call.needs_token() ? token_expired : 0;
    }
    return play(call, *planned, now);
}

simulation::outcome simulation::judge(const incoming_call& call, const std::optional<refusal>& scripted, wall_time now)
{
    outcome decided{rules_.answer(call, scripted, now), false};
    decided.accepted = decided.answer.errcode == 0 && call.row != nullptr && call.row->what == operation::send;
    return decided;
}

simulation::outcome simulation::play(const incoming_call& call, const fault_script::choice& planned, wall_time now)
{
    const fault& what = planned.what;
    const std::optional<refusal> scripted =
        what.errcode ? std::optional(refusal{*what.errcode, what.errmsg}) : std::nullopt;
    if (scripted && what.accepted == true) {
        // The message goes through and the answer says otherwise.
        outcome decided = judge(call, std::nullopt, now);
        if (decided.answer.errcode == 0) {
            decided.answer.errcode = scripted->errcode;
            decided.answer.body = rules_.refuse(*scripted, now).body;
            decided.answer.scripted = true;
        }
        return decided;
    }
    if (scripted || what.is_processed()) {
        return judge(call, scripted, now);
    }
    return {rules_.refuse({busy, {}}, now), false};
}

void simulation::record(const incoming_call& call, const outcome& decided, const reply& sent, std::uint64_t connection,
                        wall_time now)
{
    received_request entry;
    const bool full = settings_.record == recording::full;
    entry.at = now;
    entry.appid = call.appid;
    entry.token_valid = call.needs_token() && call.token_errcode == 0 && !call.access_token.empty();
    entry.http_status = sent.status;
    if (!sent.body.empty() && sent.body == decided.answer.body) {
        entry.errcode = decided.answer.errcode;
    }
    entry.msgid = decided.answer.msgid;
    entry.duplicate = decided.answer.duplicate;
    entry.accepted = decided.accepted;
    entry.answered = !sent.reset_after && !sent.stall_after && !sent.truncate_to;
    entry.connection = connection;
    statistics_.count(entry, call.row);
    if (decided.answer.token_issued) {
        statistics_.count_token(call.appid, *decided.answer.token_issued);
    }
    if (!full) {
        return;
    }
    entry.method = call.request->method;
    entry.path = call.request->path();
    entry.touser = call.touser;
    if (call.needs_token()) {
        entry.body = call.request->body;
    }
    received_.add(std::move(entry));
}

} // namespace wxcourier::simulator
