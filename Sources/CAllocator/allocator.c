#include "CAllocator.h"
#include <malloc.h>

void share_allocator_arenas(void) { mallopt(M_ARENA_MAX, 2); }

void release_free_memory(void) { malloc_trim(0); }
