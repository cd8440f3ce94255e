// A user, and a file that can be written to: see trial.h. Its ports are in sockets.c.
#include "CKernel.h"
#include "trial.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

int larder_become_user(const char *name) {
    errno = 0;
    struct passwd *user = getpwnam(name);
    if (!user) return errno ? -errno : -ENOENT;
    if (initgroups(name, user->pw_gid) < 0) return -errno;
    if (setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0) return -errno;
    return setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0 ? -errno : 0;
}

int larder_may_write(const char *path) { return access(path, W_OK) < 0 ? -errno : 0; }
