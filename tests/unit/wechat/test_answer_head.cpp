// SPDX-License-Identifier: Apache-2.0
#include "wechat/answer_head.hpp"
#include "wechat/response_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace wxcourier::wechat {
namespace {

const std::string usual =
    "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Type: application/json; encoding=utf-8\r\n"
    "Date: Sun, 22 Nov 2026 08:15:30 GMT\r\nContent-Length: 5\r\n\r\nhello";

TEST(answer_head, reads_what_servers_usually_write)
{
    const auto head = read_usual_head(usual);
    ASSERT_TRUE(head);
    EXPECT_EQ(head->status, 200);
    EXPECT_EQ(head->body_length, 5U);
    EXPECT_EQ(usual.substr(head->size), "hello");
    EXPECT_EQ(read_usual_head("HTTP/1.1 502 Bad Gateway\r\ncontent-LENGTH:0\r\n\r\n")->status, 502);
}

TEST(answer_head, says_nothing_before_the_whole_head_is_there)
{
    for (std::size_t length = 0; length < usual.size() - 5; ++length) {
        EXPECT_FALSE(read_usual_head(std::string_view(usual).substr(0, length))) << length;
    }
}

TEST(answer_head, leaves_to_the_parser_what_it_does_not_know)
{
    const std::string length = "Content-Length: 5\r\n";
    for (const std::string& text : {
             "HTTP/1.0 200 OK\r\n" + length,
             "HTTP/1.1 100 Continue\r\n" + length,
             "HTTP/1.1 101 Switching\r\n" + length,
             "HTTP/1.1 204 No Content\r\n" + length,
             "HTTP/1.1 304 Not Modified\r\n" + length,
             "HTTP/1.1 2x0 OK\r\n" + length,
             "HTTP/1.1 200\r\n" + length,
             "HTTP/1.1 200 O\tK\r\n" + length,
             "SSH-2.0 200 OK\r\n" + length,
             std::string("HTTP/1.1 200 OK\r\n"),
             "HTTP/1.1 200 OK\n" + length,
             ("HTTP/1.1 200 OK\r\n" + length).append(length),
             "HTTP/1.1 200 OK\r\n" + length + "Content-Length: 3\r\n",
             std::string("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n"),
             std::string("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n"),
             std::string("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n"),
             std::string("HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n"),
             std::string("HTTP/1.1 200 OK\r\nContent-Length : 5\r\n"),
             "HTTP/1.1 200 OK\r\n" + length + "Transfer-Encoding: chunked\r\n",
             "HTTP/1.1 200 OK\r\n" + length + "Connection: close\r\n",
             "HTTP/1.1 200 OK\r\n" + length + "Connection: Upgrade\r\n",
             "HTTP/1.1 200 OK\r\n" + length + "Proxy-Connection: close\r\n",
             "HTTP/1.1 200 OK\r\n" + length + "Retry-After: 7\r\n",
             "HTTP/1.1 200 OK\r\n" + length + " folded\r\n",
             "HTTP/1.1 200 OK\r\n" + length + "no colon\r\n",
             "HTTP/1.1 200 OK\r\n" + length + ": no name\r\n",
             "HTTP/1.1 200 OK\r\n" + length + "X: a\rb\r\n",
             "HTTP/1.1 200 OK\r\n" + length + std::string("X: a\0b\r\n", 8),
             "HTTP/1.1 200 OK\r\n" + length + "X: " + std::string(9'000, 'x') + "\r\n",
         })
    {
        EXPECT_FALSE(read_usual_head(text + "\r\nhello")) << text;
    }
}

/// Whatever is taken here, Beast's parser takes too, and makes the same of it: a byte of a good head is changed to
/// every other one.
TEST(answer_head, never_differs_from_the_parser)
{
    std::size_t taken = 0;
    for (std::size_t at = 0; at < usual.size() - 5; ++at) {
        for (int byte = 0; byte < 256; ++byte) {
            std::string text = usual;
            text[at] = static_cast<char>(byte);
            const auto head = read_usual_head(text);
            if (!head || text.size() - head->size != head->body_length) {
                continue;
            }
            ++taken;
            response_reader reader;
            boost::system::error_code error;
            const std::size_t used = reader.put(boost::asio::buffer(text), error);
            ASSERT_FALSE(error) << text << error.message();
            ASSERT_TRUE(reader.is_done()) << text;
            EXPECT_EQ(used, text.size());
            EXPECT_EQ(reader.status(), head->status);
            EXPECT_EQ(reader.keep_alive(), true) << text;
            EXPECT_TRUE(reader.retry_after().empty());
            EXPECT_EQ(reader.take_body(), text.substr(head->size));
        }
    }
    EXPECT_GT(taken, 5'000U);
}

} // namespace
} // namespace wxcourier::wechat
