// What Reseal uses of libcrypto. Only functions and macros that Swift cannot import get a wrapper here.
#pragma once
#include <openssl/bn.h>
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/modes.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stddef.h>

// Fetches memory that is about to be used into the cache.
static inline void prefetch_lines(const void *address, size_t count) {
  for (size_t line = 0; line < count; line++) __builtin_prefetch((const char *)address + line * 64);
}

static const int reseal_evp_pkey_public_key = EVP_PKEY_PUBLIC_KEY;
