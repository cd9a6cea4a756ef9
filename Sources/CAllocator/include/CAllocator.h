// What glibc's allocator is told (man mallopt).
#pragma once

// Has threads share two arenas in place of up to eight a processor. Records are allocated by one thread and freed by
// another, and what an arena keeps free no other uses: with more of them a job takes half as much memory again, and is no
// faster. To be called before there are threads.
void share_allocator_arenas(void);

// Gives the system back what the allocator keeps of memory that was freed.
void release_free_memory(void);
