// SPDX-License-Identifier: Apache-2.0
// Whatever stands in for WeChat may answer anything.
#include "codec/utf8.hpp"
#include "codec/wechat_codec.hpp"
#include "domain/classify.hpp"

#include <cstdlib>

namespace {

void require(bool holds)
{
    if (!holds)
        std::abort();
}

void require_utf8(std::string_view text)
{
    while (!text.empty()) {
        const auto length = wxcourier::codec::utf8_sequence(text);
        require(length > 0);
        text.remove_prefix(length);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view body{reinterpret_cast<const char*>(data), size};

    wxcourier::domain::push_reply reply;
    reply.http_status = 200;
    wxcourier::codec::read_push_answer(body, reply);
    const bool answered = reply.reach == wxcourier::domain::reach::answered;
    require(answered == reply.errcode.has_value());
    require_utf8(reply.errmsg);
    require(reply.msgid.find_first_not_of("0123456789") == std::string::npos);
    const auto verdict = wxcourier::domain::classify(reply, false);
    require(answered || verdict.step == wxcourier::domain::next_step::retry_unknown);

    const auto token = wxcourier::codec::read_token_answer(body);
    require(token.token.empty() || token.errcode.value_or(0) == 0);
    require(token.expires_in.count() >= 0);
    require_utf8(token.errmsg);
    return 0;
}
