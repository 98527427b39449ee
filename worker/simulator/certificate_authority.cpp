// SPDX-License-Identifier: Apache-2.0
#include "simulator/certificate_authority.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

namespace wxcourier::simulator {

namespace {

template <auto Free>
struct freed_by {
    template <class Object>
    void operator()(Object* object) const noexcept
    {
        Free(object);
    }
};

using key_handle = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using certificate_handle = std::unique_ptr<X509, freed_by<X509_free>>;
using bio_handle = std::unique_ptr<BIO, freed_by<BIO_free_all>>;
using extension_handle = std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;

/// OpenSSL says what failed in its queue of errors; the simulator's certificates hold no secret.
void require(bool done, std::string_view what)
{
    if (!done) {
        std::array<char, 256> text{};
        ERR_error_string_n(ERR_get_error(), text.data(), text.size());
        ERR_clear_error();
        throw std::runtime_error("TLS certificate: " + std::string(what) + ": " + text.data());
    }
}

bool is_address(const std::string& name)
{
    std::array<unsigned char, 16> bytes{};
    return inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

void add_extension(X509& certificate, X509& issuer, int kind, const std::string& value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
    const extension_handle extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
    require(extension != nullptr, "extension");
    require(X509_add_ext(&certificate, extension.get(), -1) == 1, "extension");
}

void set_times(X509& certificate, wall_time now)
{
    const std::time_t start = std::chrono::system_clock::to_time_t(now - std::chrono::days{1});
    const std::time_t end = std::chrono::system_clock::to_time_t(now + std::chrono::days{396});
    require(ASN1_TIME_set(X509_getm_notBefore(&certificate), start) != nullptr, "start of validity");
    require(ASN1_TIME_set(X509_getm_notAfter(&certificate), end) != nullptr, "end of validity");
}

void set_random_serial(X509& certificate)
{
    std::array<unsigned char, 8> bytes{};
    require(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1, "random serial");
    std::uint64_t serial = 0;
    for (const unsigned char byte : bytes) {
        serial = serial << 8U | byte;
    }
    require(ASN1_INTEGER_set_uint64(X509_get_serialNumber(&certificate), (serial >> 1U) | 1U) == 1, "serial");
}

certificate_handle new_certificate(EVP_PKEY& key, const std::string& common_name, wall_time now)
{
    certificate_handle certificate(X509_new());
    require(certificate != nullptr, "memory");
    require(X509_set_version(certificate.get(), X509_VERSION_3) == 1, "version");
    set_random_serial(*certificate);
    set_times(*certificate, now);
    require(X509_set_pubkey(certificate.get(), &key) == 1, "public key");
    X509_NAME* const subject = X509_get_subject_name(certificate.get());
    const auto* const text = reinterpret_cast<const unsigned char*>(common_name.c_str());
    require(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1, "name");
    return certificate;
}

certificate_handle make_authority(EVP_PKEY& key, wall_time now)
{
    auto authority = new_certificate(key, "wxcourier simulator CA", now);
    require(X509_set_issuer_name(authority.get(), X509_get_subject_name(authority.get())) == 1, "issuer");
    add_extension(*authority, *authority, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    add_extension(*authority, *authority, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(*authority, *authority, NID_subject_key_identifier, "hash");
    require(X509_sign(authority.get(), &key, EVP_sha256()) > 0, "signature");
    return authority;
}

certificate_handle make_server_certificate(EVP_PKEY& key, X509& authority, EVP_PKEY& authority_key,
                                           const std::vector<std::string>& host_names, wall_time now)
{
    std::string names;
    for (const auto& name : host_names) {
        names.append(names.empty() ? "" : ",").append(is_address(name) ? "IP:" : "DNS:").append(name);
    }
    auto server = new_certificate(key, "wxcourier simulator", now);
    require(X509_set_issuer_name(server.get(), X509_get_subject_name(&authority)) == 1, "issuer");
    add_extension(*server, authority, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(*server, authority, NID_key_usage, "critical,digitalSignature");
    add_extension(*server, authority, NID_ext_key_usage, "serverAuth");
    add_extension(*server, authority, NID_subject_key_identifier, "hash");
    add_extension(*server, authority, NID_authority_key_identifier, "keyid:always");
    add_extension(*server, authority, NID_subject_alt_name, names);
    require(X509_sign(server.get(), &authority_key, EVP_sha256()) > 0, "signature");
    return server;
}

std::string contents_of(BIO& memory)
{
    char* start = nullptr;
    const long length = BIO_get_mem_data(&memory, &start);
    return {start, static_cast<std::size_t>(std::max(length, 0L))};
}

std::string to_pem(X509& certificate)
{
    const bio_handle memory(BIO_new(BIO_s_mem()));
    require(memory != nullptr && PEM_write_bio_X509(memory.get(), &certificate) == 1, "PEM");
    return contents_of(*memory);
}

secret to_pem(EVP_PKEY& key)
{
    const bio_handle memory(BIO_new(BIO_s_mem()));
    require(memory != nullptr &&
                PEM_write_bio_PrivateKey(memory.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
            "PEM");
    return secret(contents_of(*memory));
}

certificate_handle read_certificate(const std::string& pem)
{
    const bio_handle memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    certificate_handle certificate(memory ? PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr) : nullptr);
    ERR_clear_error();
    return certificate;
}

std::string read_file(const std::filesystem::path& path)
{
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return file ? text.str() : std::string{};
}

/// Written under another name first, so that a client never reads half of it.
void write_file(const std::filesystem::path& path, std::string_view text, mode_t mode)
{
    const std::string draft = path.string() + ".new";
    static_cast<void>(::unlink(draft.c_str()));
    const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    const bool written = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (file >= 0) {
        ::close(file);
    }
    if (!written) {
        throw std::runtime_error("cannot write " + path.string());
    }
    std::filesystem::rename(draft, path);
}

bool is_good_for(X509& certificate, const std::vector<std::string>& host_names, wall_time now)
{
    std::time_t tomorrow = std::chrono::system_clock::to_time_t(now + std::chrono::days{1});
    if (X509_cmp_time(X509_get0_notAfter(&certificate), &tomorrow) <= 0) {
        return false;
    }
    return std::ranges::all_of(host_names, [&](const std::string& name) {
        return is_address(name) ? X509_check_ip_asc(&certificate, name.c_str(), 0) == 1
                                : X509_check_host(&certificate, name.data(), name.size(), 0, nullptr) == 1;
    });
}

/// Whether these were made together: the authority signed the certificate, whose key this is.
bool belong_together(X509& authority, X509& certificate, const std::string& key_pem)
{
    const bio_handle memory(BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())));
    const key_handle key(memory ? PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr) : nullptr);
    const bool together = key && X509_check_private_key(&certificate, key.get()) == 1 &&
                          X509_verify(&certificate, X509_get0_pubkey(&authority)) == 1;
    ERR_clear_error();
    return together;
}

} // namespace

std::vector<std::string> usual_host_names()
{
    return {"localhost",
            "127.0.0.1",
            "::1",
            "api.weixin.qq.com",
            "api2.weixin.qq.com",
            "sh.api.weixin.qq.com",
            "sz.api.weixin.qq.com",
            "hk.api.weixin.qq.com"};
}

server_identity make_server_identity(const std::vector<std::string>& host_names, wall_time now)
{
    const key_handle authority_key(EVP_EC_gen("P-256"));
    const key_handle server_key(EVP_EC_gen("P-256"));
    require(authority_key != nullptr && server_key != nullptr, "key");
    const auto authority = make_authority(*authority_key, now);
    const auto server = make_server_certificate(*server_key, *authority, *authority_key, host_names, now);
    return {to_pem(*authority), to_pem(*server), to_pem(*server_key)};
}

server_identity load_or_make_identity(const std::filesystem::path& directory,
                                      const std::vector<std::string>& host_names, wall_time now)
{
    const auto ca_path = directory / "ca.pem";
    const auto server_path = directory / "server.pem";
    const std::string ca_pem = read_file(ca_path);
    const std::string server_pem = read_file(server_path);
    const auto authority = read_certificate(ca_pem);
    const auto certificate = read_certificate(server_pem);
    if (authority && certificate && is_good_for(*certificate, host_names, now) &&
        belong_together(*authority, *certificate, server_pem))
    {
        const bio_handle memory(BIO_new_mem_buf(server_pem.data(), static_cast<int>(server_pem.size())));
        const key_handle key(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr));
        require(key != nullptr, "key");
        return {ca_pem, to_pem(*certificate), to_pem(*key)};
    }
    std::filesystem::create_directories(directory);
    auto made = make_server_identity(host_names, now);
    write_file(server_path, made.certificate + std::string(made.private_key.reveal()), 0600);
    write_file(ca_path, made.ca_certificate, 0644);
    return made;
}

} // namespace wxcourier::simulator
