#include "CBaselines.h"
#include <malloc.h>

void release_free_memory(void) { malloc_trim(0); }
