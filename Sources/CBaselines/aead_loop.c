#include "CBaselines.h"
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

enum { IV = 12, TAG = 16, KEY = 32, IV_BLOCK = 340 * IV };

struct aead_loop {
  EVP_CIPHER_CTX *sealing, **opening;
  size_t *sizes, count, keys;
  // One plaintext and one ciphertext per value, and a place to write to.
  uint8_t **plain, **sealed, *output;
  uint8_t ivs[IV_BLOCK];
  size_t next_iv;
};

static bool seal(aead_loop *loop, const uint8_t *plain, size_t size, uint8_t *output) {
  if (loop->next_iv == IV_BLOCK) {
    if (RAND_bytes(loop->ivs, IV_BLOCK) != 1) return false;
    loop->next_iv = 0;
  }
  memcpy(output, loop->ivs + loop->next_iv, IV);
  loop->next_iv += IV;
  int written = 0;
  return EVP_EncryptInit_ex2(loop->sealing, NULL, NULL, output, NULL) == 1 &&
         EVP_EncryptUpdate(loop->sealing, output + IV, &written, plain, (int)size) == 1 &&
         EVP_EncryptFinal_ex(loop->sealing, output + IV + written, &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(loop->sealing, EVP_CTRL_AEAD_GET_TAG, TAG, output + IV + size) == 1;
}

static bool open_sealed(aead_loop *loop, size_t key, uint8_t *sealed, size_t size, uint8_t *output) {
  EVP_CIPHER_CTX *opening = loop->opening[key];
  int written = 0;
  return EVP_DecryptInit_ex2(opening, NULL, NULL, sealed, NULL) == 1 &&
         EVP_CIPHER_CTX_ctrl(opening, EVP_CTRL_AEAD_SET_TAG, TAG, sealed + IV + size) == 1 &&
         EVP_DecryptUpdate(opening, output, &written, sealed + IV, (int)size) == 1 &&
         EVP_DecryptFinal_ex(opening, output + written, &written) == 1;
}

static bool prepare(aead_loop *loop, const size_t *sizes, size_t count, size_t keys) {
  uint8_t key[KEY];
  size_t largest = 0;
  loop->next_iv = IV_BLOCK;
  loop->sizes = calloc(count, sizeof(size_t));
  loop->plain = calloc(count, sizeof(uint8_t *));
  loop->sealed = calloc(count, sizeof(uint8_t *));
  loop->sealing = EVP_CIPHER_CTX_new();
  loop->opening = calloc(keys, sizeof(EVP_CIPHER_CTX *));
  if (!loop->sizes || !loop->plain || !loop->sealed || !loop->sealing || !loop->opening) return false;
  if (RAND_bytes(key, KEY) != 1 || EVP_EncryptInit_ex2(loop->sealing, EVP_aes_256_gcm(), key, NULL, NULL) != 1)
    return false;
  loop->keys = keys;
  for (size_t index = 0; index < keys; index++) {
    loop->opening[index] = EVP_CIPHER_CTX_new();
    if (!loop->opening[index] ||
        EVP_DecryptInit_ex2(loop->opening[index], EVP_aes_256_gcm(), key, NULL, NULL) != 1)
      return false;
  }
  loop->count = count;
  for (size_t value = 0; value < count; value++) {
    loop->sizes[value] = sizes[value];
    if (sizes[value] > largest) largest = sizes[value];
    loop->plain[value] = calloc(1, sizes[value] + 1);
    loop->sealed[value] = calloc(1, sizes[value] + IV + TAG);
    if (!loop->plain[value] || !loop->sealed[value]) return false;
    memset(loop->plain[value], 'x', sizes[value]);
    if (!seal(loop, loop->plain[value], sizes[value], loop->sealed[value])) return false;
  }
  loop->output = calloc(1, largest + IV + TAG);
  return loop->output != NULL;
}

aead_loop *aead_loop_new(const size_t *sizes, size_t count, size_t keys) {
  aead_loop *loop = calloc(1, sizeof(aead_loop));
  if (loop && !prepare(loop, sizes, count, keys)) {
    aead_loop_free(loop);
    return NULL;
  }
  return loop;
}

void aead_loop_free(aead_loop *loop) {
  for (size_t value = 0; value < loop->count; value++) {
    free(loop->plain[value]);
    free(loop->sealed[value]);
  }
  free(loop->plain);
  free(loop->sealed);
  free(loop->sizes);
  free(loop->output);
  EVP_CIPHER_CTX_free(loop->sealing);
  for (size_t index = 0; index < loop->keys; index++) EVP_CIPHER_CTX_free(loop->opening[index]);
  free(loop->opening);
  free(loop);
}

bool aead_loop_run(aead_loop *loop, bool opens, bool seals, size_t records) {
  for (size_t record = 0; record < records; record++) {
    for (size_t value = 0; value < loop->count; value++) {
      size_t size = loop->sizes[value];
      if (opens && !open_sealed(loop, record % loop->keys, loop->sealed[value], size, loop->output)) return false;
      if (seals && !seal(loop, loop->plain[value], size, loop->output)) return false;
    }
  }
  return true;
}

void copy_loop_run(
    const uint8_t *source, size_t stride, size_t slots, size_t size, uint8_t *target, size_t records) {
  for (size_t record = 0; record < records; record++) {
    memcpy(target, source + record % slots * stride, size);
    // What was copied counts as read, so that no copy can be left out.
    __asm__ volatile("" : : "r"(target) : "memory");
  }
}
