// What Reseal uses of libcrypto. Only functions and macros that Swift cannot import get a wrapper here.
#pragma once
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
