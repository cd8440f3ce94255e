// Operations on vectors, and on what is compared by them, that Swift 6.3 lacks.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t larder_lanes __attribute__((ext_vector_type(16)));

// The highest bit of each lane, that of the first lane lowest: one instruction on x86-64.
static inline __attribute__((always_inline)) uint16_t larder_high_bits(larder_lanes lanes) {
    typedef int8_t numbers __attribute__((ext_vector_type(16)));
    typedef _Bool bits __attribute__((ext_vector_type(16)));
    return __builtin_bit_cast(uint16_t, __builtin_convertvector((numbers)lanes < 0, bits));
}

// Are two runs of `count` bytes the same?
static inline __attribute__((always_inline)) bool larder_equal(
    const uint8_t *_Nonnull a, const uint8_t *_Nonnull b, size_t count) {
    return __builtin_memcmp(a, b, count) == 0;
}
