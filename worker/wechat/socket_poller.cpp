// SPDX-License-Identifier: Apache-2.0
#include "wechat/socket_poller.hpp"

#include "common/moment.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace wxcourier::wechat {

using boost::system::error_code;

namespace {

/// Served in one go; then the loop's other work has its turn.
constexpr std::size_t round_size = 128;

int open_epoll()
{
    const int opened = ::epoll_create1(EPOLL_CLOEXEC);
    if (opened < 0) {
        throw std::system_error(errno, std::generic_category(), "epoll_create1");
    }
    return opened;
}

error_code last_error() noexcept
{
    return {errno, boost::system::system_category()};
}

} // namespace

/// What Asio's handlers hold on to.
struct socket_poller::watch : std::enable_shared_from_this<watch> {
    watch(asio::io_context& io, socket_poller& of) : epoll(io, open_epoll()), timer(io), poller(&of) {}

    void look_when_ready()
    {
        if (std::exchange(looking, true)) {
            return;
        }
        // Renewed each time, this is an epoll_ctl for each round, however many sockets have news.
        epoll.async_wait(asio::posix::stream_descriptor::wait_read,
                         [self = shared_from_this()](const error_code& error) {
                             self->looking = false;
                             if (self->poller == nullptr) {
                                 return;
                             }
                             if (!error) {
                                 self->poller->on_ready();
                             } else if (self->poller->sockets_ > 0) { // Cancelled, and then a socket came.
                                 self->look_when_ready();
                             }
                         });
    }

    asio::posix::stream_descriptor epoll;
    asio::steady_timer timer;
    socket_poller* poller;
    bool looking = false;
};

socket_poller::socket_poller(asio::io_context& io) : watch_(std::make_shared<watch>(io, *this)), ready_(round_size) {}

socket_poller::~socket_poller()
{
    watch_->poller = nullptr;
    watch_->timer.cancel();
    error_code ignored;
    watch_->epoll.close(ignored);
}

error_code socket_poller::add(polled_socket& added)
{
    // Once and for all: edges are told, and the sockets remember them.
    epoll_event wanted{};
    wanted.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    wanted.data.ptr = &added;
    if (::epoll_ctl(watch_->epoll.native_handle(), EPOLL_CTL_ADD, added.descriptor_, &wanted) != 0) {
        return last_error();
    }
    ++sockets_;
    watch_->look_when_ready();
    return {};
}

void socket_poller::forget(polled_socket& gone) noexcept
{
    for (std::size_t at = serving_; at < found_; ++at) {
        if (ready_[at].data.ptr == &gone) {
            ready_[at].data.ptr = nullptr;
        }
    }
    if (--sockets_ == 0) {
        // Nothing of ours keeps the loop from running out of work then.
        error_code ignored;
        watch_->epoll.cancel(ignored);
        watch_->timer.cancel();
        timer_at_.reset();
    }
}

std::size_t socket_poller::look() noexcept
{
    const int found = ::epoll_wait(watch_->epoll.native_handle(), ready_.data(), static_cast<int>(ready_.size()), 0);
    return found > 0 ? static_cast<std::size_t>(found) : 0;
}

void socket_poller::on_ready()
{
    const auto alive = watch_; // Who is resumed may drop the poller.
    found_ = look();
    // All are told first: whoever is resumed may want to use another of these sockets.
    for (std::size_t at = 0; at < found_; ++at) {
        static_cast<polled_socket*>(ready_[at].data.ptr)->learn(ready_[at].events);
    }
    up_to_date_ = true;
    for (std::size_t at = 0; at < found_; ++at) {
        serving_ = at + 1;
        auto* const socket = static_cast<polled_socket*>(ready_[at].data.ptr);
        if (socket != nullptr && socket->may_go_on()) {
            const moment of_its_own;
            socket->end_wait(polled_socket::wake::ready);
            if (alive->poller == nullptr) {
                return;
            }
        }
    }
    up_to_date_ = false;
    found_ = 0;
    if (sockets_ > 0) {
        watch_->look_when_ready();
    }
}

void socket_poller::catch_up()
{
    if (up_to_date_) {
        return;
    }
    std::size_t found = 0;
    do {
        found = look();
        for (std::size_t at = 0; at < found; ++at) {
            auto* const socket = static_cast<polled_socket*>(ready_[at].data.ptr);
            socket->learn(ready_[at].events);
            if (socket->may_go_on()) {
                socket->end_wait_later(polled_socket::wake::ready);
            }
        }
    } while (found == ready_.size());
    up_to_date_ = true;
    asio::post(watch_->timer.get_executor(), [shared = watch_] {
        if (shared->poller != nullptr) {
            shared->poller->up_to_date_ = false;
        }
    });
}

void socket_poller::expect_by(steady_time deadline)
{
    // The timer is left alone when requests end in time: it comes once for the earliest of them and looks who is next.
    if (timer_at_ && *timer_at_ <= deadline) {
        return;
    }
    timer_at_ = deadline;
    watch_->timer.expires_at(deadline);
    watch_->timer.async_wait([shared = watch_](const error_code& error) {
        if (!error && shared->poller != nullptr) {
            shared->poller->on_deadline();
        }
    });
}

void socket_poller::on_deadline()
{
    const auto alive = watch_;
    timer_at_.reset();
    const steady_time now = steady_clock::now();
    while (alive->poller != nullptr && first_ != nullptr && first_->deadline_ <= now) {
        first_->end_wait(polled_socket::wake::timed_out);
    }
    if (alive->poller != nullptr && first_ != nullptr) {
        expect_by(first_->deadline_);
    }
}

// ----------------------------------------------------------------------------------------------------------------

error_code polled_socket::connect(const asio::ip::tcp::endpoint& to)
{
    close();
    descriptor_ = ::socket(to.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (descriptor_ < 0) {
        return last_error();
    }
    const int on = 1; // Without it the connection is slower, not wrong.
    static_cast<void>(::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    readable_ = writable_ = ended_ = false;
    error_code error;
    if (::connect(descriptor_, to.data(), static_cast<socklen_t>(to.size())) != 0 && errno != EINPROGRESS) {
        error = last_error();
    } else {
        error = poller_.add(*this); // Not before: a socket that does not connect yet is told as hung up.
    }
    if (error) {
        ::close(std::exchange(descriptor_, -1));
    }
    return error;
}

error_code polled_socket::connect_error() const
{
    int error = 0;
    socklen_t length = sizeof error;
    if (::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
        return last_error();
    }
    return {error, boost::system::system_category()};
}

ssize_t polled_socket::receive(std::span<char> into) noexcept
{
    const ssize_t received = ::recv(descriptor_, into.data(), into.size(), MSG_DONTWAIT);
    // Less than there was room for: nothing is left (epoll(7)), unless the end was told along with it.
    if (received > 0 ? static_cast<std::size_t>(received) < into.size() : received < 0 && errno == EAGAIN) {
        readable_ = ended_;
    }
    return received;
}

ssize_t polled_socket::send(std::span<const char> bytes) noexcept
{
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
        written_ += static_cast<std::uint64_t>(sent);
    }
    if (sent >= 0 ? static_cast<std::size_t>(sent) < bytes.size() : errno == EAGAIN) {
        writable_ = false;
    }
    return sent;
}

ssize_t polled_socket::peek() noexcept
{
    char next = 0;
    return ::recv(descriptor_, &next, 1, MSG_PEEK | MSG_DONTWAIT);
}

asio::awaitable<polled_socket::wake> polled_socket::wait(direction wanted, steady_time deadline)
{
    return asio::async_initiate<const asio::use_awaitable_t<>, void(wake)>(
        [this, wanted, deadline](handler resume) { start_wait(std::move(resume), wanted, deadline); },
        asio::use_awaitable);
}

void polled_socket::start_wait(handler resume, direction wanted, steady_time deadline)
{
    waits_for_ = wanted;
    auto slot = asio::get_associated_cancellation_slot(resume);
    waiter_.emplace(std::move(resume));
    if (!is_open()) {
        end_wait_later(wake::cancelled);
    } else if (is_ready(wanted)) {
        end_wait_later(wake::ready);
    } else {
        link(deadline);
        if (slot.is_connected()) {
            slot.assign([this](asio::cancellation_type) {
                if (waiter_) {
                    end_wait_later(wake::cancelled);
                }
            });
        }
    }
}

void polled_socket::learn(std::uint32_t events) noexcept
{
    ended_ = ended_ || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    readable_ = readable_ || ended_ || (events & EPOLLIN) != 0; // The end and errors can be read.
    writable_ = writable_ || (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
}

bool polled_socket::is_silent()
{
    poller_.catch_up();
    return !readable_;
}

void polled_socket::end_wait(wake how)
{
    unlink();
    handler resume = std::move(*waiter_);
    waiter_.reset();
    std::move(resume)(how); // The coroutine goes on here, and may destroy this.
}

void polled_socket::end_wait_later(wake how)
{
    unlink();
    asio::post(poller_.watch_->timer.get_executor(),
               [resume = std::move(*waiter_), how]() mutable { std::move(resume)(how); });
    waiter_.reset();
}

void polled_socket::link(steady_time deadline)
{
    // From the back: nearly all wait equally long, so the latest deadline is the one that comes.
    deadline_ = deadline;
    before_ = poller_.last_;
    while (before_ != nullptr && before_->deadline_ > deadline) {
        before_ = before_->before_;
    }
    after_ = before_ == nullptr ? poller_.first_ : before_->after_;
    (before_ == nullptr ? poller_.first_ : before_->after_) = this;
    (after_ == nullptr ? poller_.last_ : after_->before_) = this;
    linked_ = true;
    poller_.expect_by(deadline);
}

void polled_socket::unlink() noexcept
{
    if (std::exchange(linked_, false)) {
        (before_ == nullptr ? poller_.first_ : before_->after_) = after_;
        (after_ == nullptr ? poller_.last_ : after_->before_) = before_;
    }
}

void polled_socket::close() noexcept
{
    if (!is_open()) {
        return;
    }
    if (waiter_) {
        end_wait_later(wake::cancelled);
    }
    poller_.forget(*this);
    ::close(std::exchange(descriptor_, -1)); // Which also takes it out of the epoll instance.
}

} // namespace wxcourier::wechat
