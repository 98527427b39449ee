// SPDX-License-Identifier: Apache-2.0
#include "wechat/response_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <gtest/gtest.h>

#include <string>

namespace wxcourier::wechat {
namespace {

struct reading {
    boost::system::error_code error;
    bool done = false;
    int status = 0;
    std::size_t used = 0;
    std::string body;
    std::string retry_after;
};

/// Feeds `text` in pieces of `piece` bytes, the way reads bring it.
reading read(const std::string& text, std::size_t piece)
{
    response_reader reader;
    reading result;
    std::string waiting;
    for (std::size_t at = 0; at < text.size() && !reader.is_done(); at += piece) {
        waiting += text.substr(at, piece);
        const std::size_t used = reader.put(boost::asio::buffer(waiting), result.error);
        result.used += used;
        waiting.erase(0, used);
        if (result.error && result.error != boost::beast::http::error::need_more) {
            break;
        }
        result.error = {};
    }
    result.done = reader.is_done() && !result.error;
    result.status = reader.status();
    result.retry_after = reader.retry_after();
    result.body = reader.take_body();
    return result;
}

TEST(response_reader, reads_a_body_by_its_length_however_it_is_cut)
{
    const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nRetry-After: 7\r\n\r\nhello";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        const reading result = read(text, piece);
        EXPECT_TRUE(result.done) << piece;
        EXPECT_EQ(result.status, 200);
        EXPECT_EQ(result.body, "hello");
        EXPECT_EQ(result.retry_after, "7");
    }
}

TEST(response_reader, reads_chunks_however_they_are_cut)
{
    const std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
                             "5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: t\r\n\r\n";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        const reading result = read(text, piece);
        EXPECT_TRUE(result.done) << piece;
        EXPECT_EQ(result.body, "hello world") << piece;
    }
}

TEST(response_reader, is_never_done_before_the_last_byte)
{
    for (const std::string text : {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"})
    {
        for (std::size_t length = 0; length < text.size(); ++length) {
            EXPECT_FALSE(read(text.substr(0, length), text.size()).done) << length;
            EXPECT_FALSE(read(text.substr(0, length), 1).done) << length;
        }
    }
}

TEST(response_reader, leaves_what_follows_the_answer)
{
    EXPECT_EQ(read("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n", 1000).used, 27U);
}

TEST(response_reader, refuses_what_two_readers_could_read_in_two_ways)
{
    for (const std::string text :
         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello",
          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
          "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
          "HTTP/2 200 OK\r\nContent-Length: 5\r\n\r\nhello", "<html>hello, this is no HTTP</html>\r\n\r\n"})
    {
        const reading result = read(text, text.size());
        EXPECT_TRUE(result.error) << text;
        EXPECT_FALSE(result.done);
    }
}

TEST(response_reader, keeps_within_its_limits)
{
    EXPECT_TRUE(read("HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n" + std::string(65'536, 'x'), 4096).done);
    EXPECT_FALSE(read("HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n" + std::string(65'537, 'x'), 4096).done);
    EXPECT_FALSE(read("HTTP/1.1 200 OK\r\nX: " + std::string(9'000, 'x') + "\r\nContent-Length: 0\r\n\r\n", 4096).done);
    std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int chunk = 0; chunk < 17; ++chunk) {
        chunked += "1000\r\n" + std::string(0x1000, 'x') + "\r\n";
    }
    EXPECT_TRUE(read(chunked + "0\r\n\r\n", 4096).error);
}

} // namespace
} // namespace wxcourier::wechat
