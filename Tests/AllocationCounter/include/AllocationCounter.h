// Counts allocations of all threads but those that ask to be left out, by standing in for malloc and its kin. Linking it
// is enough: the Swift runtime's allocations are counted too. Under a sanitizer, which stands in itself, it is empty.
#ifndef LARDER_ALLOCATION_COUNTER_H
#define LARDER_ALLOCATION_COUNTER_H
#include <stdint.h>

/// 1 where allocations are counted, 0 where a sanitizer has malloc.
int larder_allocations_are_counted(void);
/// Leaves the calling thread out from now on.
void larder_allocations_exclude_thread(void);
/// Allocations so far.
uint64_t larder_allocations(void);
#endif
