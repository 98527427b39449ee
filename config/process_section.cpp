// SPDX-License-Identifier: Apache-2.0
#include "config/network_address.hpp"
#include "config/secret_setting.hpp"
#include "config/sections.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace wxcourier::config {

namespace {

constexpr std::string_view expected_address = "HOST:PORT or \"[IPV6]:PORT\"";
constexpr std::size_t token_key_bytes = 32;

void read_listen(const setting& from, std::optional<listen_address>& into)
{
    const auto text = from.text(expected_address);
    if (!text)
        return;
    into = parse_listen_address(*text);
    if (!into)
        from.error("is " + from.shown() + ", expected " + std::string{expected_address});
}

/// 32 bytes from their 44 characters of base64. Empty: something else.
std::optional<secret> decode_key(std::string_view text)
{
    std::array<unsigned char, 33> bytes{}; // 11 groups of 4 characters, the last byte is padding
    const bool shaped = text.size() == 44 && text.find('=') == 43;
    const auto* characters = reinterpret_cast<const unsigned char*>(text.data()); // NOLINT: OpenSSL's type
    if (!shaped || EVP_DecodeBlock(bytes.data(), characters, 44) != static_cast<int>(bytes.size()))
        return std::nullopt;
    secret key{std::string{bytes.begin(), bytes.begin() + token_key_bytes}};
    OPENSSL_cleanse(bytes.data(), bytes.size());
    return key;
}

secret_reference default_admin_token(const setting& listen, const setting& token)
{
    const std::string path = "/run/secrets/admin";
    return {{secret_source::kind::file, path}, {}, path, listen, token};
}

} // namespace

void read_token_key(const setting& from, secret& into)
{
    if (!from.given() || from.is(yaml_node::kind::null))
        return;
    const auto reference = read_secret_reference(from);
    const auto text = reference ? fetch_secret(*reference) : std::nullopt;
    if (!text || text->empty())
        return;
    if (auto key = decode_key(text->reveal()))
        into = std::move(*key);
    else
        from.error("is not base64 of 32 bytes, expected the output of: openssl rand -base64 32");
}

void read_http(mapping& keys, listen_address& into)
{
    std::optional<listen_address> address;
    read_listen(keys["listen"], address);
    if (address)
        into = *address;
}

void read_admin(mapping& keys, admin_settings& into, const listen_address& http)
{
    const auto listen = keys["listen"];
    const auto token = keys["token"];
    auto reference = read_secret_reference(token);
    if (!listen.given() || listen.is(yaml_node::kind::null))
        return;
    read_listen(listen, into.listen);
    if (into.listen && into.listen->port != 0 && into.listen->port == http.port && into.listen->host == http.host)
        listen.error("is " + listen.shown() + ", which is http.listen already, expected an address of its own");
    if (!token.given())
        reference = default_admin_token(listen, token);
    if (reference)
        into.token_source = reference->source;
    auto text = reference ? fetch_secret(*reference) : std::nullopt;
    if (!text || (text->empty() && token.context().want != secrets::required))
        return;
    const auto revealed = text->reveal();
    const auto& said = token.given() ? token : listen;
    if (revealed.size() < shortest_admin_token)
        said.context().found.error(said.at(), "admin.token is shorter than 16 characters, expected a longer one");
    else if (std::any_of(revealed.begin(), revealed.end(), [](char each) { return each <= ' ' || each > '~'; }))
        said.context().found.error(said.at(), "admin.token holds a character that no bearer token may, expected "
                                              "printable ASCII without spaces");
    else
        into.token = std::move(*text);
}

void read_log(mapping& keys, log_settings& into)
{
    keys["level"].choose<log::level>(into.level, {{"trace", log::level::trace},
                                                  {"debug", log::level::debug},
                                                  {"info", log::level::info},
                                                  {"warn", log::level::warn},
                                                  {"error", log::level::error},
                                                  {"off", log::level::off}});
    keys["format"].choose<log::format>(into.format, {{"text", log::format::text}, {"json", log::format::json}});
}

} // namespace wxcourier::config
