// SPDX-License-Identifier: Apache-2.0
#include "simulator/certificate_authority.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <fstream>
#include <memory>

namespace wxcourier::simulator {
namespace {

struct freed {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(BIO* memory) const { BIO_free(memory); }
    void operator()(X509_STORE* store) const { X509_STORE_free(store); }
    void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
};
template <class Object>
using handle = std::unique_ptr<Object, freed>;

handle<X509> certificate_of(const std::string& pem)
{
    const handle<BIO> memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return handle<X509>(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
}

wall_time now()
{
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

bool is_trusted(const server_identity& identity, X509& certificate)
{
    const auto ca = certificate_of(identity.ca_certificate);
    const handle<X509_STORE> store(X509_STORE_new());
    X509_STORE_add_cert(store.get(), ca.get());
    const handle<X509_STORE_CTX> context(X509_STORE_CTX_new());
    X509_STORE_CTX_init(context.get(), store.get(), &certificate, nullptr);
    X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_SERVER);
    return X509_verify_cert(context.get()) == 1;
}

TEST(certificate_authority_test, the_certificate_is_signed_by_the_authority_and_names_its_hosts)
{
    const auto identity = make_server_identity(usual_host_names(), now());
    const auto certificate = certificate_of(identity.certificate);
    EXPECT_TRUE(is_trusted(identity, *certificate));
    EXPECT_EQ(X509_check_host(certificate.get(), "localhost", 0, 0, nullptr), 1);
    EXPECT_EQ(X509_check_host(certificate.get(), "api.weixin.qq.com", 0, 0, nullptr), 1);
    EXPECT_EQ(X509_check_ip_asc(certificate.get(), "127.0.0.1", 0), 1);
    EXPECT_EQ(X509_check_ip_asc(certificate.get(), "::1", 0), 1);
    EXPECT_NE(X509_check_host(certificate.get(), "example.com", 0, 0, nullptr), 1);
    EXPECT_NE(X509_check_ip_asc(certificate.get(), "127.0.0.2", 0), 1);
}

TEST(certificate_authority_test, another_authority_does_not_vouch_for_it)
{
    const auto mine = make_server_identity(usual_host_names(), now());
    const auto other = make_server_identity(usual_host_names(), now());
    EXPECT_FALSE(is_trusted(other, *certificate_of(mine.certificate)));
}

struct identity_directory_test : testing::Test {
    identity_directory_test()
    {
        std::string pattern = testing::TempDir() + "identity-XXXXXX";
        directory = ::mkdtemp(pattern.data());
    }
    ~identity_directory_test() override { std::filesystem::remove_all(directory); }

    std::filesystem::path directory;
};

TEST_F(identity_directory_test, an_identity_is_kept_for_the_next_start)
{
    const auto first = load_or_make_identity(directory / "new", {"localhost"}, now());
    const auto second = load_or_make_identity(directory / "new", {"localhost"}, now());
    EXPECT_EQ(first.ca_certificate, second.ca_certificate);
    EXPECT_EQ(first.certificate, second.certificate);
    EXPECT_TRUE(first.private_key == second.private_key);
    const auto mode = std::filesystem::status(directory / "new" / "server.pem").permissions();
    EXPECT_EQ(mode & std::filesystem::perms::all,
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(identity_directory_test, one_that_lacks_a_name_or_ends_soon_is_replaced)
{
    const auto first = load_or_make_identity(directory, {"localhost"}, now());
    const auto named = load_or_make_identity(directory, {"localhost", "127.0.0.1"}, now());
    EXPECT_NE(first.ca_certificate, named.ca_certificate);
    const auto later = load_or_make_identity(directory, {"localhost", "127.0.0.1"}, now() + std::chrono::days{396});
    EXPECT_NE(named.ca_certificate, later.ca_certificate);
}

TEST_F(identity_directory_test, one_that_is_damaged_or_mixed_is_replaced)
{
    const auto first = load_or_make_identity(directory, {"localhost"}, now());
    std::ofstream(directory / "server.pem") << "no certificate";
    const auto second = load_or_make_identity(directory, {"localhost"}, now());
    EXPECT_NE(first.certificate, second.certificate);
    std::ofstream(directory / "ca.pem") << first.ca_certificate;
    EXPECT_NE(load_or_make_identity(directory, {"localhost"}, now()).certificate, second.certificate);
}

} // namespace
} // namespace wxcourier::simulator
