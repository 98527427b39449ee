// SPDX-License-Identifier: Apache-2.0
#include "tests/support/test_authority.hpp"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <stdexcept>

#include <unistd.h>

namespace wxcourier::test {
namespace {

void require(bool succeeded)
{
    if (!succeeded) {
        throw std::runtime_error("OpenSSL could not make a test certificate");
    }
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    require(extension != nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/// A certificate without extensions and signature, valid for an hour or until an hour ago.
certificate_pointer begin_certificate(const std::string& common_name, EVP_PKEY* key, bool expired)
{
    static std::atomic<long> serial{1};
    certificate_pointer made(X509_new());
    require(made != nullptr);
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -7200);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), expired ? -3600 : 3600);
    X509_set_pubkey(made.get(), key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
    return made;
}

} // namespace

test_authority::test_authority() : key_(EVP_EC_gen("P-256"))
{
    require(key_ != nullptr);
    certificate_ = begin_certificate("wxcourier test authority", key_.get(), false);
    X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
    add_extension(certificate_.get(), certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
    require(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0);

    std::string name = (std::filesystem::temp_directory_path() / "wxcourier-ca-XXXXXX").string();
    const int descriptor = ::mkstemp(name.data());
    require(descriptor >= 0);
    std::FILE* const out = ::fdopen(descriptor, "w");
    require(out != nullptr && PEM_write_X509(out, certificate_.get()) == 1 && std::fclose(out) == 0);
    file_ = name;
}

test_authority::~test_authority()
{
    std::error_code ignored;
    std::filesystem::remove(file_, ignored);
}

server_identity test_authority::issue(const certificate_wish& wish) const
{
    key_pointer key(EVP_EC_gen("P-256"));
    require(key != nullptr);
    certificate_pointer made = begin_certificate(wish.common_name, key.get(), wish.expired);
    X509* const issuer = wish.self_signed ? made.get() : certificate_.get();
    X509_set_issuer_name(made.get(), X509_get_subject_name(issuer));
    if (!wish.alternative_names.empty()) {
        add_extension(made.get(), issuer, NID_subject_alt_name, wish.alternative_names);
    }
    require(X509_sign(made.get(), wish.self_signed ? key.get() : key_.get(), EVP_sha256()) > 0);
    server_identity identity;
    identity.key = std::move(key);
    identity.certificate = std::move(made);
    return identity;
}

} // namespace wxcourier::test
