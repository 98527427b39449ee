// SPDX-License-Identifier: Apache-2.0
/// @file
/// The sections of the file, one function and one source file each. Every function reads on past what is wrong, and
/// the keys it asks for are the keys there are: nothing else lists them.
#pragma once

#include "config/settings.hpp"
#include "config/yaml_reader.hpp"

#include <optional>
#include <string>
#include <vector>

namespace wxcourier::config {

void read_kafka(mapping& keys, kafka_settings& into);
/// `apps`: the names that a topic's `apps` may hold.
void read_topics(mapping& keys, topic_settings& into, const std::vector<app_settings>& apps);
/// A PEM file of certificate authorities, or null; it must be there where secrets must.
void read_ca_file(const setting& from, std::optional<std::string>& into);
void read_wechat(mapping& keys, wechat_settings& into);
/// `token_key_given`: whether the file has one, which classic tokens need.
void read_apps(const setting& from, std::vector<app_settings>& into, bool token_key_given);
void read_delivery(mapping& keys, delivery_settings& into);
void read_token_key(const setting& from, secret& into);
void read_http(mapping& keys, listen_address& into);
/// `http`: the other listener, whose address is taken.
void read_admin(mapping& keys, admin_settings& into, const listen_address& http);
void read_log(mapping& keys, log_settings& into);

/// The whole document.
void read_settings(const setting& document, settings& into);

} // namespace wxcourier::config
