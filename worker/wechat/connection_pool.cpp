// SPDX-License-Identifier: Apache-2.0
#include "wechat/connection_pool.hpp"

#include "common/log.hpp"
#include "common/moment.hpp"
#include "wechat/handshake_window.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <stdexcept>

namespace wxcourier::wechat {

using domain::transport_failure;

/// One connection and what the pool knows about it.
struct pooled_connection::entry {
    entry(std::size_t of_host, socket_poller& poller, const base_url& url, asio::ssl::context& tls,
          tls_session& session)
        : host(of_host), connection(poller, url, tls, session)
    {
    }

    std::size_t host;
    std::size_t busy_at = 0; ///< Place in `busy_`, while it is busy.
    steady_time opened = steady_clock::now();
    steady_time idle_since{};
    https_connection connection;
};

struct connection_pool::host {
    host(asio::io_context& io, const client_settings& settings, const std::string& text, std::string_view user_agent)
        : url(parse_base_url(text)), writer(url, user_agent), resolver(io, url, settings.resolve_interval), line(io)
    {
        session.on_resumable([this] { let_in(); });
    }

    /// Whether a connection may be opened now, as far as handshakes are concerned.
    [[nodiscard]] bool has_turn() const noexcept { return !url.tls || room() > 0; }
    [[nodiscard]] std::size_t room() const noexcept { return handshakes.room(session.is_resumable()); }

    /// Wakes as many as can go on now, by an idle connection or by a handshake. Too many do no harm, as they look for
    /// themselves; one too few would wait for nothing.
    void let_in()
    {
        for (std::size_t more = idle.size() + room(); more > 0 && !line.empty(); --more) {
            line.wake_one();
        }
    }

    base_url url;
    request_writer writer;
    host_resolver resolver;
    handshake_window handshakes;
    wait_list line; ///< Those that want to open a connection and wait for others' handshakes.
    tls_session session;
    bool failing = false;                     ///< The latest connection could not be opened.
    std::vector<std::unique_ptr<entry>> idle; ///< The one used last is at the back.
};

/// Somebody's turn to open a connection to a host: from the wait for it to the end of the handshake. Whoever leaves,
/// however and wherever, lets the next ones look: a wake-up that came to him and was of no use to him is theirs.
class connection_pool::turn {
public:
    explicit turn(host& at) : host_(at) {}
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
    ~turn()
    {
        if (begun_) {
            host_.handshakes.end();
        }
        host_.let_in();
    }

    void begin()
    {
        host_.handshakes.begin();
        begun_ = true;
    }

    void succeeded()
    {
        // Those opened ahead, one by one, say nothing of a burst: it widens only where it was too narrow.
        if (!host_.line.empty()) {
            host_.handshakes.widen();
        }
    }

private:
    host& host_;
    bool begun_ = false;
};

/// The timer that closes idle connections. Shared with the timer's handler, which may run after the pool has gone.
struct connection_pool::reaper {
    reaper(asio::io_context& io, connection_pool& of) : timer(io), pool(&of) {}

    asio::steady_timer timer;
    connection_pool* pool;
    bool scheduled = false;
};

pooled_connection::pooled_connection(connection_pool& pool, std::unique_ptr<entry> taken)
    : pool_(&pool), entry_(std::move(taken))
{
    entry_->busy_at = pool.busy_.size();
    pool.busy_.push_back(entry_.get());
    pool.counters_.busy = pool.busy_.size();
}

pooled_connection::pooled_connection(pooled_connection&& other) noexcept = default;

pooled_connection& pooled_connection::operator=(pooled_connection&& other) noexcept
{
    if (this != &other) {
        if (entry_ != nullptr) {
            pool_->give_back(std::move(entry_));
        }
        pool_ = other.pool_;
        entry_ = std::move(other.entry_);
    }
    return *this;
}

pooled_connection::~pooled_connection()
{
    if (entry_ != nullptr) {
        pool_->give_back(std::move(entry_));
    }
}

https_connection* pooled_connection::operator->() const noexcept
{
    return &entry_->connection;
}

connection_pool::connection_pool(asio::io_context& io, const client_settings& settings, std::string_view user_agent)
    : poller_(io), settings_(settings), tls_(make_client_context(settings.ca_file)), room_(io),
      reaper_(std::make_shared<reaper>(io, *this))
{
    for (const std::string& text : settings.base_urls) {
        hosts_.push_back(std::make_unique<host>(io, settings, text, user_agent));
    }
    if (hosts_.empty()) {
        throw std::invalid_argument("base URL: at least one is needed");
    }
}

connection_pool::~connection_pool()
{
    stop();
    reaper_->pool = nullptr;
}

const std::string& connection_pool::authority(std::size_t host) const
{
    return hosts_.at(host)->url.authority;
}

const request_writer& connection_pool::writer(std::size_t host) const
{
    return hosts_.at(host)->writer;
}

pooled_connection connection_pool::take_idle(std::size_t host)
{
    std::vector<std::unique_ptr<entry>>& idle = hosts_.at(host)->idle;
    const steady_time now = moment::steady_now();
    while (!idle.empty()) {
        std::unique_ptr<entry> last = std::move(idle.back());
        idle.pop_back();
        --counters_.idle;
        if (!may_be_kept(*last, now)) {
            continue;
        }
        if (!last->connection.is_alive()) {
            ++counters_.found_dead;
            continue;
        }
        ++counters_.reused;
        return {*this, std::move(last)};
    }
    return {};
}

bool connection_pool::may_be_kept(const entry& candidate, steady_time now) const
{
    return candidate.connection.is_clean() && candidate.connection.uses() < settings_.max_uses &&
           now - candidate.opened < settings_.max_age && now - candidate.idle_since < settings_.idle_timeout;
}

void connection_pool::allow(std::size_t most)
{
    settings_.max_connections = most;
    settings_.max_idle = most;
    room_.wake_all();
}

/// After a wait: whether that was the end of it, be it for an idle connection or because the time is over.
bool connection_pool::settle(opened& result, bool woken, std::size_t at, steady_time deadline, const std::string& why)
{
    if (woken) {
        result.connection = take_idle(at);
        if (!result.connection.empty()) {
            return true;
        }
        if (stopped_ || steady_clock::now() < deadline) {
            return false;
        }
        room_.wake_one(); // What he was woken for is of use to somebody else.
    }
    result.failure = transport_failure::connect;
    result.error = why;
    return true;
}

asio::awaitable<connection_pool::opened> connection_pool::open(std::size_t at)
{
    opened result;
    host& to = *hosts_.at(at);
    const steady_time deadline = steady_clock::now() + settings_.connect_timeout;
    while (!stopped_ && busy_.size() + counters_.idle >= settings_.max_connections && !evict_one_idle()) {
        const bool woken = co_await room_.wait(deadline);
        if (settle(result, woken, at, deadline, "every connection there may be is in use")) {
            co_return result;
        }
    }
    // One of `max_connections` is taken before the turn comes: so nobody has to wait for both at the same time.
    pooled_connection fresh(*this, std::make_unique<entry>(at, poller_, to.url, tls_, to.session));
    turn mine(to);
    while (!stopped_ && !to.has_turn()) {
        const bool woken = co_await to.line.wait(deadline);
        if (settle(result, woken, at, deadline,
                   "connect to " + to.url.authority + ": timed out in line, as only so many shake hands at a time"))
        {
            co_return result;
        }
    }
    if (stopped_) {
        result.failure = transport_failure::cancelled;
        result.error = "stopped";
        co_return result;
    }
    mine.begin();
    result = co_await connect(std::move(fresh), to, deadline);
    if (!result.connection.empty()) {
        mine.succeeded();
    }
    co_return result;
}

asio::awaitable<connection_pool::opened> connection_pool::connect(pooled_connection fresh, host& to,
                                                                  steady_time deadline)
{
    opened result;
    host_resolver::answer resolved = co_await to.resolver.resolve(deadline);
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (stopped_ || state.cancelled() != asio::cancellation_type::none) {
        result.failure = transport_failure::cancelled;
        result.error = "cancelled";
        co_return result;
    }
    if (resolved.addresses.empty()) {
        ++counters_.resolve_failed;
        result.failure = transport_failure::resolve;
        result.error = "resolving " + to.url.host + ": " + resolved.error;
        result.host_failed = true;
        report(to, result);
        co_return result;
    }
    const https_connection::connect_outcome outcome =
        co_await fresh->connect(std::move(resolved.addresses), deadline, settings_.address_timeout);
    learn(outcome, to);
    if (outcome.failure == transport_failure::none) {
        result.connection = std::move(fresh);
    }
    result.failure = outcome.failure;
    result.error = outcome.error;
    result.host_failed = outcome.failure != transport_failure::none && outcome.failure != transport_failure::cancelled;
    report(to, result);
    co_return result;
}

void connection_pool::report(host& at, const opened& result)
{
    // Once when it begins and once when it ends, however many requests meet it.
    if (result.host_failed && !at.failing) {
        at.failing = true;
        log::warn("wechat", "cannot connect", {{"host", at.url.authority}, {"why", result.error}});
    } else if (!result.connection.empty() && at.failing) {
        at.failing = false;
        log::info("wechat", "connected again", {{"host", at.url.authority}});
    }
}

void connection_pool::learn(const https_connection::connect_outcome& outcome, host& at)
{
    for (const asio::ip::tcp::endpoint& address : outcome.failed) {
        at.resolver.demote(address);
    }
    switch (outcome.failure) {
    case transport_failure::none:
        ++counters_.opened;
        break;
    case transport_failure::connect:
        ++counters_.connect_failed;
        at.resolver.expire();
        break;
    case transport_failure::tls:
        ++counters_.tls_failed;
        at.resolver.expire();
        break;
    default:
        break;
    }
}

asio::awaitable<void> connection_pool::warm(std::size_t at, std::size_t count)
{
    while (!stopped_ && hosts_.at(at)->idle.size() < std::min(count, settings_.max_idle)) {
        const opened result = co_await open(at);
        if (result.connection.empty()) {
            co_return;
        }
    }
}

void connection_pool::give_back(std::unique_ptr<entry> returned) noexcept
{
    entry* const moved = busy_.back();
    moved->busy_at = returned->busy_at;
    busy_[returned->busy_at] = moved;
    busy_.pop_back();
    counters_.busy = busy_.size();

    host& at = *hosts_[returned->host];
    std::vector<std::unique_ptr<entry>>& idle = at.idle;
    returned->idle_since = moment::steady_now();
    if (!stopped_ && idle.size() < settings_.max_idle && may_be_kept(*returned, returned->idle_since)) {
        idle.push_back(std::move(returned));
        ++counters_.idle;
        schedule_reaping();
        at.let_in();
    }
    returned.reset();
    room_.wake_one();
}

bool connection_pool::evict_one_idle()
{
    // From the host with the most: usually one that requests have moved away from.
    const auto most = std::max_element(hosts_.begin(), hosts_.end(), [](const auto& left, const auto& right) {
        return left->idle.size() < right->idle.size();
    });
    if ((*most)->idle.empty()) {
        return false;
    }
    (*most)->idle.erase((*most)->idle.begin());
    --counters_.idle;
    return true;
}

void connection_pool::schedule_reaping()
{
    if (reaper_->scheduled) {
        return;
    }
    reaper_->scheduled = true;
    reaper_->timer.expires_after(std::clamp<steady_duration>(settings_.idle_timeout / 4, milliseconds(10), seconds(1)));
    reaper_->timer.async_wait([shared = reaper_](const boost::system::error_code& error) {
        shared->scheduled = false;
        if (!error && shared->pool != nullptr) {
            shared->pool->reap(steady_clock::now());
        }
    });
}

void connection_pool::reap(steady_time now)
{
    for (const std::unique_ptr<host>& each : hosts_) {
        counters_.idle -= std::erase_if(each->idle, [this, now](const std::unique_ptr<entry>& candidate) {
            return !may_be_kept(*candidate, now) || !candidate->connection.is_alive();
        });
    }
    if (counters_.idle > 0 && !stopped_) {
        schedule_reaping();
    }
}

void connection_pool::stop()
{
    stopped_ = true;
    reaper_->timer.cancel();
    for (const std::unique_ptr<host>& each : hosts_) {
        each->resolver.stop();
        each->idle.clear();
        each->line.wake_all();
    }
    counters_.idle = 0;
    for (entry* const each : busy_) {
        each->connection.close();
    }
    room_.wake_all();
}

} // namespace wxcourier::wechat
