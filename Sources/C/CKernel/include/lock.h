// A mutex on the heap. pthread's and not Swift's: ThreadSanitizer sees through this one only.
#ifndef LARDER_CKERNEL_LOCK_H
#define LARDER_CKERNEL_LOCK_H

struct larder_lock;

/// NULL when there is no memory.
struct larder_lock *_Nullable larder_lock_make(void);
void larder_lock_free(struct larder_lock *_Nonnull lock);
void larder_lock_take(struct larder_lock *_Nonnull lock);
void larder_lock_give(struct larder_lock *_Nonnull lock);
#endif
