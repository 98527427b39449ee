// SPDX-License-Identifier: Apache-2.0
#include "app/dashboard_server.hpp"

#include "common/log.hpp"
#include "config/network_address.hpp"
#include "dashboard/board_json.hpp"
#include "dashboard/page_file.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

namespace wxcourier::app {
namespace {

namespace asio = boost::asio;

/// How often a viewer gets a new picture, and how long one serves several viewers.
constexpr milliseconds snapshot_interval{1'000};
constexpr milliseconds snapshot_life{900};
constexpr std::size_t most_snapshots = 64;
constexpr milliseconds search_interval{300};
constexpr long most_viewers = 64;
constexpr std::size_t most_searches = 2;
constexpr std::size_t most_records_of_a_job = 500;
constexpr std::size_t longest_id = 512;
constexpr seconds join_patience{10};

/// Nothing from elsewhere, nothing inline, in nobody's frame.
constexpr const char* content_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

ops::http_reply json_reply(int status, std::string body)
{
    return {status, "application/json; charset=utf-8", std::move(body)};
}

ops::http_reply error_reply(int status, std::string_view why)
{
    return json_reply(status, "{\"error\":" + dashboard::json_string(why) + "}\n");
}

ops::http_reply event_stream(std::function<std::optional<std::string>()> next, milliseconds interval)
{
    ops::http_reply reply;
    reply.content_type = "text/event-stream; charset=utf-8";
    reply.headers = {{"X-Accel-Buffering", "no"}};
    reply.stream = std::move(next);
    reply.stream_interval = interval;
    return reply;
}

/// Where a page of elsewhere had its own name lead here, the name is not one of this machine (DNS rebinding).
bool names_this_machine(std::string_view host)
{
    if (host.ends_with(']') || host.rfind(':') == std::string_view::npos)
        return config::is_loopback(host.starts_with('[') ? host.substr(1, host.size() - 2) : host);
    host = host.substr(0, host.rfind(':'));
    return config::is_loopback(host.starts_with('[') ? host.substr(1, host.size() - 2) : host);
}

std::string id_of(const std::string& query)
{
    for (auto& [name, value] : dashboard::parse_parameters(query))
        if (name == "id")
            return value.substr(0, longest_id);
    return {};
}

/// Keeps the search alive while it runs.
asio::awaitable<void> run_search(std::shared_ptr<job_search> search, asio::any_io_executor loop,
                                 kafka::client_settings settings)
{
    co_await search->run(std::move(loop), std::move(settings));
}

ops::http_reply serve_file(const ops::http_question& question)
{
    const auto* file = dashboard::find_page_file(question.path);
    if (file == nullptr)
        return {404, "text/plain; charset=utf-8", "there is no such page\n"};
    ops::http_reply reply{200, std::string(file->content_type), std::string(file->content)};
    reply.cache_control = "no-cache"; // to be asked for again, and answered by 304
    reply.headers = {{"ETag", std::string(file->etag)}, {"Content-Security-Policy", content_policy}};
    if (question.if_none_match == file->etag) {
        reply.status = 304;
        reply.body.clear();
    }
    return reply;
}

} // namespace

dashboard_server::dashboard_server(asio::io_context& io, kafka::client_settings settings, std::string status_topic,
                                   dashboard_options options)
    : io_(io), loopback_(config::is_loopback(options.host)), clock_(io.get_executor()),
      feed_(io.get_executor(), std::move(settings), std::move(status_topic), options.history),
      tasks_(io.get_executor(), clock_,
             [this](std::exception_ptr failure) {
                 try {
                     std::rethrow_exception(failure);
                 } catch (const std::exception& error) {
                     log::error("dashboard", "a task failed", {{"error", error.what()}});
                 }
                 stop();
             }),
      listener_(
          io.get_executor(),
          [&] {
              ops::listener_options listener;
              listener.name = "dashboard";
              listener.host = options.host;
              listener.port = options.port;
              return listener;
          }(),
          [this](const ops::http_question& question) { return answer(question); })
{
    if (!loopback_)
        log::warn("dashboard", "the page asks nobody for a password: let only those reach it who may see it",
                  {{"address", listener_.address()}});
}

asio::awaitable<void> dashboard_server::run()
{
    tasks_.spawn(listener_.run());
    co_await feed_.run();
    stop();
    co_await tasks_.join(steady_clock::now() + join_patience);
}

void dashboard_server::stop()
{
    feed_.stop();
    listener_.stop();
    for (const auto& each : searches_)
        if (const auto search = each.lock())
            search->stop();
}

ops::http_reply dashboard_server::answer(const ops::http_question& question)
{
    ops::http_reply reply;
    if (loopback_ && !names_this_machine(question.host))
        reply = error_reply(421, "this page is for this machine: use 127.0.0.1 or localhost");
    else if (question.path == "/api/history" && question.method == "POST") {
        feed_.read_from_start();
        reply = json_reply(202, "{}\n");
    } else if (question.method != "GET")
        reply = error_reply(405, "GET only");
    else if (question.path.starts_with("/api/"))
        reply = answer_api(question);
    else if (question.path == "/livez")
        reply = {200, "text/plain; charset=utf-8", "live\n"};
    else if (question.path == "/readyz")
        reply = feed_.state().connected ? ops::http_reply{200, "text/plain; charset=utf-8", "ready\n"}
                                        : error_reply(503, feed_.state().trouble);
    else
        reply = serve_file(question);
    reply.headers.emplace_back("X-Content-Type-Options", "nosniff");
    reply.headers.emplace_back("Referrer-Policy", "no-referrer");
    reply.headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
    return reply;
}

ops::http_reply dashboard_server::answer_api(const ops::http_question& question)
{
    if (question.path == "/api/job")
        return look_up_job(question.query);
    if (question.path == "/api/search")
        return search_job(question.query);
    if (question.path != "/api/stream" && question.path != "/api/snapshot")
        return error_reply(404, "there are /api/stream, /api/snapshot, /api/job, /api/search and /api/history");
    const auto query = dashboard::parse_query(question.query);
    if (!query)
        return error_reply(400, "a filter in the address makes no sense");
    if (question.path == "/api/snapshot")
        return json_reply(200, snapshot(*query, question.query) + '\n');
    if (viewers_.use_count() > most_viewers)
        return error_reply(503, "too many viewers");
    return event_stream([this, query = *query, name = question.query,
                         held = viewers_] { return std::optional("data: " + snapshot(query, name) + "\n\n"); },
                        snapshot_interval);
}

const std::string& dashboard_server::snapshot(const dashboard::board_query& query, const std::string& name)
{
    const auto now = steady_clock::now();
    if (snapshots_.size() >= most_snapshots && !snapshots_.contains(name))
        snapshots_.clear();
    auto& kept = snapshots_[name];
    if (kept.json.empty() || kept.made + snapshot_life < now) {
        const auto view = feed_.board().look(query, clock_.wall_now());
        kept = {now, to_json(view, feed_.board().series(), feed_.state())};
    }
    return kept.json;
}

ops::http_reply dashboard_server::look_up_job(const std::string& query)
{
    const auto id = id_of(query);
    if (id.empty())
        return error_reply(400, "which id?");
    const auto records = feed_.board().records_of(id, most_records_of_a_job);
    return json_reply(200, "{\"records\":" + to_json(records, feed_.board().series()) + "}\n");
}

ops::http_reply dashboard_server::search_job(const std::string& query)
{
    const auto id = id_of(query);
    if (id.empty())
        return error_reply(400, "which id?");
    std::erase_if(searches_, [](const auto& each) { return each.expired(); });
    if (searches_.size() >= most_searches)
        return error_reply(503, "others are searching; try again in a moment");
    auto search = std::make_shared<job_search>(id, feed_.topic());
    searches_.push_back(search);
    tasks_.spawn(run_search(search, io_.get_executor(), feed_.client()));
    // Whoever asked is gone: nobody waits for the answer.
    std::shared_ptr<job_search> held(search.get(), [search](job_search* gone) { gone->stop(); });
    return event_stream(
        [held, last = false]() mutable -> std::optional<std::string> {
            if (last)
                return std::nullopt;
            last = held->ended();
            return "data: " + held->progress() + "\n\n";
        },
        search_interval);
}

} // namespace wxcourier::app
