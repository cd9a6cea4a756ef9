// A preloaded library that counts what a thread asks of the allocator: LD_PRELOAD=libAllocationCounter.so reseal bench engine
#pragma once
#include <stdint.h>

// Calls of malloc, calloc, realloc and their aligned kin by the calling thread since it began.
uint64_t allocation_counter_calls(void);
