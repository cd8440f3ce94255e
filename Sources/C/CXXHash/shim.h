// xxHash: XXH3 in 64 and 128 bits.
#include <xxhash.h>
