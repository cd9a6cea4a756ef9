// libcurl. Its option setters are variadic, which Swift cannot call: one typed wrapper per argument kind.
#pragma once
#include <curl/curl.h>
#include <openssl/ssl.h>
// malloc_usable_size, which the Glibc module leaves out.
#include <malloc.h>

static inline CURLcode reseal_curl_set_long(CURL *handle, CURLoption option, long value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode reseal_curl_set_pointer(CURL *handle, CURLoption option, const void *value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode reseal_curl_set_callback(
    CURL *handle, CURLoption option, size_t (*callback)(char *, size_t, size_t, void *)) {
  return curl_easy_setopt(handle, option, callback);
}
// Called with the SSL_CTX of each new TLS connection. Without the option libssl keeps what it decrypted last until
// something else arrives on the connection.
static CURLcode reseal_curl_cleanse(CURL *handle, void *context, void *unused) {
  (void)handle;
  (void)unused;
  SSL_CTX_set_options((SSL_CTX *)context, SSL_OP_CLEANSE_PLAINTEXT);
  return CURLE_OK;
}
// Refused by a libcurl that is not built on OpenSSL.
static inline CURLcode reseal_curl_cleanse_tls(CURL *handle) {
  return curl_easy_setopt(handle, CURLOPT_SSL_CTX_FUNCTION, reseal_curl_cleanse);
}
static inline CURLcode reseal_curl_get_long(CURL *handle, CURLINFO info, long *value) {
  return curl_easy_getinfo(handle, info, value);
}
static inline CURLMcode reseal_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
  return curl_multi_setopt(multi, option, value);
}
