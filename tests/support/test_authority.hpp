// SPDX-License-Identifier: Apache-2.0
/// @file
/// Certificates for tests, right ones and wrong ones, made in memory when they are needed.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <filesystem>
#include <memory>
#include <string>

namespace wxcourier::test {

struct key_freer {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
struct certificate_freer {
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};
using key_pointer = std::unique_ptr<EVP_PKEY, key_freer>;
using certificate_pointer = std::unique_ptr<X509, certificate_freer>;

/// What a server shows and signs with.
struct server_identity {
    std::shared_ptr<EVP_PKEY> key;
    std::shared_ptr<X509> certificate;
};

struct certificate_wish {
    std::string common_name = "test";
    std::string alternative_names = "DNS:localhost,IP:127.0.0.1,IP:::1"; ///< As in openssl.cnf; empty: none.
    bool expired = false;
    bool self_signed = false;
};

/// A certificate authority that lives as long as the object, and so does its PEM file.
class test_authority {
public:
    test_authority();
    test_authority(const test_authority&) = delete;
    test_authority& operator=(const test_authority&) = delete;
    ~test_authority();

    [[nodiscard]] server_identity issue(const certificate_wish& wish = {}) const;
    /// PEM file with the authority's certificate.
    [[nodiscard]] std::string file() const { return file_.string(); }

private:
    key_pointer key_;
    certificate_pointer certificate_;
    std::filesystem::path file_;
};

} // namespace wxcourier::test
