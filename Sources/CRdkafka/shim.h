// librdkafka, and the in-process cluster it ships for tests.
#pragma once
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

// Has a cache line fetched that will be read soon. Any address will do.
static inline void prefetch_line(const void *address) { __builtin_prefetch(address); }
