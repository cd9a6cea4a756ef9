// The loops that Reseal is measured against: nothing but the library calls, in C.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// AES-256-GCM over values of given sizes, with contexts that keep their key schedule and IVs drawn in blocks.
typedef struct aead_loop aead_loop;

// `sizes` are those of one record's tagged values. Each record is opened with another of as many contexts as there are
// `keys`, at least 1, because it is their memory that many keys cost; the bytes of the keys are the same. NULL when
// libcrypto refuses.
aead_loop *aead_loop_new(const size_t *sizes, size_t count, size_t keys);
void aead_loop_free(aead_loop *loop);

// Opens (where asked for) and then seals (where asked for) the values of `records` records. False when libcrypto refuses.
bool aead_loop_run(aead_loop *loop, bool opens, bool seals, size_t records);

// Copies `size` bytes `records` times, from memory of as many bytes as `stride * slots` to one place.
void copy_loop_run(const uint8_t *source, size_t stride, size_t slots, size_t size, uint8_t *target, size_t records);

// Copies records from one topic to the same partitions of another through librdkafka, with their keys and timestamps,
// until `records` are acknowledged. `consumer` and `producer` are names and values by turns, ended by NULL. Returns the
// seconds from the assignment to the last acknowledgement; negative when it failed, and `explanation` says why.
double copy_topic(
    const char *const *consumer, const char *const *producer, const char *source, const char *sink, int32_t partitions,
    size_t records, char *explanation, size_t explanation_size);
