// SPDX-License-Identifier: Apache-2.0
// A producer's trace goes on in the log lines of its job's requests.
#include "tests/support/courier_fixture.hpp"

namespace wxcourier::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr auto sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

class tracing : public courier_test {
public:
    ~tracing() override { log::configure(log::level::off, log::format::text); }

protected:
    /// What is logged while a job with these headers is sent.
    std::string log_of(std::vector<engine::header> headers, log::format format = log::format::json)
    {
        log.append(0, job_text("j1").to("o-secret").json(), time.wall_now(), "key", std::move(headers));
        auto& worker = start([](auto& each) { each.pushes.reply_to("o-secret", {answer(-1), accepted()}); });
        log::configure(log::level::info, format);
        testing::internal::CaptureStderr();
        worker.source.assign(0);
        time.advance(seconds{5});
        auto text = testing::internal::GetCapturedStderr();
        log::configure(log::level::off, log::format::text);
        EXPECT_EQ(outcomes().size(), 1U);
        return text;
    }
    static std::size_t count_of(const std::string& what, const std::string& in)
    {
        std::size_t count = 0;
        for (auto found = in.find(what); found != std::string::npos; found = in.find(what, found + 1))
            ++count;
        return count;
    }
};

TEST_F(tracing, each_request_of_a_sampled_trace_is_a_span)
{
    const auto text = log_of({{"traceparent", sampled}});
    EXPECT_EQ(count_of(R"({"resourceSpans":[)", text), 2U) << text;
    EXPECT_THAT(text, HasSubstr(R"("traceId":"0af7651916cd43dd8448eb211c80319c")"));
    EXPECT_THAT(text, HasSubstr(R"("parentSpanId":"b7ad6b7169203331")"));
    EXPECT_THAT(text, HasSubstr(R"({"key":"wechat.errcode","value":{"intValue":"-1"}})"));
    EXPECT_THAT(text, HasSubstr(R"({"key":"wxcourier.attempt","value":{"intValue":"2"}})"));
    const auto first = text.find(R"("spanId":")");
    const auto second = text.find(R"("spanId":")", first + 1);
    EXPECT_NE(text.substr(first, 26), text.substr(second, 26)) << "each has an id of its own";
    EXPECT_THAT(text, Not(HasSubstr("o-secret")));
}

TEST_F(tracing, in_text_it_is_a_line_for_people)
{
    EXPECT_THAT(log_of({{"traceparent", sampled}}, log::format::text),
                HasSubstr("trace: wechat_call trace_id=0af7651916cd43dd8448eb211c80319c"));
}

TEST_F(tracing, what_is_not_sampled_or_malformed_is_no_trace)
{
    EXPECT_THAT(log_of({{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}}),
                Not(HasSubstr("wechat_call")));
}

TEST_F(tracing, a_malformed_parent_is_ignored)
{
    EXPECT_THAT(log_of({{"traceparent", "00-xyz"}}), Not(HasSubstr("wechat_call")));
}

TEST_F(tracing, a_job_without_a_trace_writes_none)
{
    EXPECT_THAT(log_of({{"x-other", "1"}}), Not(HasSubstr("wechat_call")));
}

} // namespace
} // namespace wxcourier::test
