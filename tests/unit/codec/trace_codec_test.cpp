// SPDX-License-Identifier: Apache-2.0
#include "codec/json_document.hpp"
#include "codec/trace_codec.hpp"

#include <gtest/gtest.h>

#include <string>

namespace wxcourier::codec {
namespace {

const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(traceparent, says_whose_child_the_span_is)
{
    const auto context = parse_traceparent(good);
    ASSERT_TRUE(context);
    EXPECT_EQ(context->trace_id, "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(context->parent_id, "b7ad6b7169203331");
    EXPECT_TRUE(context->sampled);
}

TEST(traceparent, only_the_lowest_flag_says_sampled)
{
    const auto with_flags = [](const std::string& flags) { return good.substr(0, 53) + flags; };
    EXPECT_FALSE(parse_traceparent(with_flags("00"))->sampled);
    EXPECT_FALSE(parse_traceparent(with_flags("fe"))->sampled);
    EXPECT_TRUE(parse_traceparent(with_flags("03"))->sampled);
}

TEST(traceparent, a_later_version_may_say_more)
{
    const std::string later = "cc" + good.substr(2);
    EXPECT_TRUE(parse_traceparent(later));
    EXPECT_TRUE(parse_traceparent(later + "-what-the-future-says"));
    EXPECT_FALSE(parse_traceparent(later + ".what"));
    EXPECT_FALSE(parse_traceparent(good + "-more")) << "version 00 does not";
}

TEST(traceparent, what_is_malformed_is_none)
{
    for (const std::string& text : {std::string{}, good.substr(1), good + '1', "ff" + good.substr(2),
                                    std::string("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"),
                                    std::string("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
                                    std::string("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"),
                                    std::string("00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                                    std::string("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g")})
        EXPECT_FALSE(parse_traceparent(text)) << text;
}

TEST(span, is_a_document_of_otlp)
{
    const client_span span{.parent = *parse_traceparent(good),
                           .id = 0x1f,
                           .name = "wechat_call",
                           .began = wall_time{milliseconds{1'795'335'330'123}},
                           .lasted = milliseconds{45},
                           .service_instance = "host-1",
                           .texts = {{"wxcourier.app", "shop \"1\""}},
                           .numbers = {{"wechat.errcode", 43101}},
                           .error = "errcode 43101"};
    const auto json = encode_resource_spans(span);
    json_document document;
    ASSERT_FALSE(document.parse(json, 10'000)) << json;
    EXPECT_TRUE(document.root().is(json_type::array));
    EXPECT_EQ(
        json,
        R"([{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"wxcourier"}},)"
        R"({"key":"service.instance.id","value":{"stringValue":"host-1"}}]},)"
        R"("scopeSpans":[{"scope":{"name":"wxcourier"},"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c",)"
        R"("spanId":"000000000000001f","parentSpanId":"b7ad6b7169203331","flags":1,"name":"wechat_call","kind":3,)"
        R"("startTimeUnixNano":"1795335330123000000","endTimeUnixNano":"1795335330168000000",)"
        R"("attributes":[{"key":"wxcourier.app","value":{"stringValue":"shop \"1\""}},)"
        R"({"key":"wechat.errcode","value":{"intValue":"43101"}}],)"
        R"("status":{"code":2,"message":"errcode 43101"}}]}]}])");
}

} // namespace
} // namespace wxcourier::codec
