// SPDX-License-Identifier: Apache-2.0
/// @file
/// Jobs as producers write them, without the braces in every test.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wxcourier::test {

/// A job of kind `official.template` for app `shop`, unless told otherwise. Only texts that need no JSON escape.
class job_text {
public:
    explicit job_text(std::string id) : id_(std::move(id)) {}

    job_text& app(std::string name)
    {
        app_ = std::move(name);
        return *this;
    }
    job_text& kind(std::string name)
    {
        kind_ = std::move(name);
        return *this;
    }
    job_text& to(std::string openid)
    {
        touser_ = std::move(openid);
        return *this;
    }
    /// `o0`, `o1`, … behind a prefix.
    job_text& recipients(std::size_t count, const std::string& prefix = "o")
    {
        for (std::size_t i = 0; i < count; ++i)
            recipients_.push_back(prefix + std::to_string(i));
        return *this;
    }
    /// What the message says.
    job_text& says(std::string text)
    {
        text_ = std::move(text);
        return *this;
    }
    /// Another member, with its value as JSON.
    job_text& with(std::string_view name, std::string_view json)
    {
        more_ += ",\"" + std::string(name) + "\":" + std::string(json);
        return *this;
    }

    [[nodiscard]] std::string json() const
    {
        std::string text = R"({"id":")" + id_ + R"(","app":")" + app_ + R"(","kind":")" + kind_ + R"(","message":{)";
        if (recipients_.empty())
            text += R"("touser":")" + (touser_.empty() ? "to-" + id_ : touser_) + "\",";
        text += kind_.ends_with(".custom")
                    ? R"("msgtype":"text","text":{"content":")" + text_ + "\"}}"
                    : R"("template_id":"ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY","data":{"thing1":{"value":")" +
                          text_ + "\"}}}";
        for (std::size_t i = 0; i < recipients_.size(); ++i)
            text += (i == 0 ? R"(,"recipients":[")" : R"(",")") + recipients_[i];
        return text + (recipients_.empty() ? "" : "\"]") + more_ + '}';
    }

private:
    std::string id_;
    std::string app_ = "shop";
    std::string kind_ = "official.template";
    std::string touser_;
    std::string text_ = "hello";
    std::vector<std::string> recipients_;
    std::string more_;
};

} // namespace wxcourier::test
