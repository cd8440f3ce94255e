// A mutex of pthread's at an address of its own: see lock.h.
#include "CKernel.h"

#include <pthread.h>
#include <stdlib.h>

struct larder_lock {
    pthread_mutex_t mutex;
};

struct larder_lock *larder_lock_make(void) {
    struct larder_lock *lock = malloc(sizeof *lock);
    if (lock) pthread_mutex_init(&lock->mutex, NULL);
    return lock;
}

void larder_lock_free(struct larder_lock *lock) {
    pthread_mutex_destroy(&lock->mutex);
    free(lock);
}

void larder_lock_take(struct larder_lock *lock) {
    // Fails only for a lock that this code never makes (error-checking, recursive, robust).
    if (pthread_mutex_lock(&lock->mutex) != 0) abort();
}

void larder_lock_give(struct larder_lock *lock) {
    if (pthread_mutex_unlock(&lock->mutex) != 0) abort();
}
