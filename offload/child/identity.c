/* See identity.h. Everything but the limits is read in /proc/PID/status, see proc(5); what the
 * steps of bight__identity_take need and change is in capabilities(7). No stdio and no malloc:
 * the keeper may be a copy of a process with threads. */
#include "offload/child/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <poll.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's NGROUPS_MAX; POSIX's is not a constant. */
#define GROUPS_MAX 65536u
/* A number of ten digits and a space for each, and some pages for the rest. */
#define TEXT_BYTES (GROUPS_MAX * 11u + 16384u)
#define CAPABILITIES 64u

enum { REAL, EFFECTIVE, SAVED, FILESYSTEM, IDS };
enum { INHERITABLE, PERMITTED, CAP_EFFECTIVE, BOUNDING, AMBIENT, CAP_SETS };

struct privileges {
    uint32_t uids[IDS];
    uint32_t gids[IDS];
    uint64_t caps[CAP_SETS];
    uint32_t no_new_privs;
    uint32_t umask;
    bool has_umask; /* Linux 4.7 and newer */
    uint32_t group_count;
    gid_t groups[GROUPS_MAX];
};

/* Large, but only what is used of it is touched. */
struct identity {
    struct privileges own;
    struct privileges host;
    char text[TEXT_BYTES];
};

struct identity *bight__identity_new(void)
{
    void *memory = mmap(NULL, sizeof(struct identity), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

/* The next number of a line, which `*at` is in; false at the end of the line. */
static bool next_number(const char **at, unsigned base, uint64_t *number)
{
    const char *from;

    while (**at == ' ' || **at == '\t')
        ++*at;
    from = *at;
    *number = 0;
    for (;; ++*at) {
        unsigned digit;

        if (**at >= '0' && **at <= '9')
            digit = (unsigned)(**at - '0');
        else if (base == 16 && **at >= 'a' && **at <= 'f')
            digit = (unsigned)(**at - 'a') + 10;
        else
            return *at != from;
        *number = *number * base + digit;
    }
}

static bool read_ids(const char *at, uint32_t ids[IDS])
{
    for (int i = 0; i < IDS; i++) {
        uint64_t number;

        if (!next_number(&at, 10, &number))
            return false;
        ids[i] = (uint32_t)number;
    }
    return true;
}

static bool read_groups(const char *at, struct privileges *out)
{
    uint64_t number;

    while (next_number(&at, 10, &number)) {
        if (out->group_count == GROUPS_MAX)
            return false;
        out->groups[out->group_count++] = (gid_t)number;
    }
    return true;
}

/* Where the text after "name:" begins, in a line of its own. */
static const char *field(const char *text, const char *name)
{
    size_t length = strlen(name);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1;
    }
    return NULL;
}

static bool parse(const char *text, struct privileges *out)
{
    static const char *const sets[CAP_SETS] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
    const char *uids = field(text, "Uid"), *gids = field(text, "Gid");
    const char *groups = field(text, "Groups"), *at;
    uint64_t number;

    memset(out, 0, offsetof(struct privileges, groups));
    if (!uids || !gids || !groups || !read_ids(uids, out->uids) || !read_ids(gids, out->gids) ||
        !read_groups(groups, out))
        return false;
    for (int i = 0; i < CAP_SETS; i++) {
        at = field(text, sets[i]);
        if (at && !next_number(&at, 16, &out->caps[i]))
            return false;
    }
    at = field(text, "NoNewPrivs");
    if (at && next_number(&at, 10, &number))
        out->no_new_privs = (uint32_t)number;
    at = field(text, "Umask");
    out->has_umask = at && next_number(&at, 8, &number);
    if (out->has_umask)
        out->umask = (uint32_t)number;
    return true;
}

/* Write "/proc/PID/status". */
static void name_status(char path[static 32], pid_t pid)
{
    char digits[12], *first = digits + sizeof(digits) - 1;

    *first = '\0';
    do
        *--first = (char)('0' + pid % 10);
    while ((pid /= 10) > 0);
    (void)stpcpy(stpcpy(stpcpy(path, "/proc/"), first), "/status");
}

static int read_status(struct identity *identity, const char *path, struct privileges *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t got;

    if (fd < 0)
        return -errno;
    while ((got = read(fd, identity->text + length, TEXT_BYTES - 1 - length)) > 0)
        length += (size_t)got;
    close(fd);
    if (got < 0)
        return -errno;
    identity->text[length] = '\0';
    return parse(identity->text, out) ? 0 : -EPROTO;
}

/* But for the umask. */
static bool same(const struct privileges *one, const struct privileges *other)
{
    return memcmp(one->uids, other->uids, sizeof(one->uids)) == 0 &&
           memcmp(one->gids, other->gids, sizeof(one->gids)) == 0 &&
           memcmp(one->caps, other->caps, sizeof(one->caps)) == 0 &&
           one->no_new_privs == other->no_new_privs && one->group_count == other->group_count &&
           memcmp(one->groups, other->groups, one->group_count * sizeof(gid_t)) == 0;
}

static bool has_ended(int pidfd)
{
    struct pollfd set = {.fd = pidfd, .events = POLLIN};

    return pidfd >= 0 && poll(&set, 1, 0) == 1;
}

static bool all_same(const uint32_t ids[IDS])
{
    return ids[EFFECTIVE] == ids[REAL] && ids[SAVED] == ids[REAL] && ids[FILESYSTEM] == ids[REAL];
}

/* Who this process is, as far as it tells whether there is something to lose; without /proc. */
static int ask_who(struct privileges *own)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    memset(own, 0, offsetof(struct privileges, groups));
    if (syscall(SYS_capget, &header, data) < 0 ||
        getresuid(&own->uids[REAL], &own->uids[EFFECTIVE], &own->uids[SAVED]) < 0 ||
        getresgid(&own->gids[REAL], &own->gids[EFFECTIVE], &own->gids[SAVED]) < 0)
        return -errno;
    own->uids[FILESYSTEM] = own->uids[EFFECTIVE];
    own->gids[FILESYSTEM] = own->gids[EFFECTIVE];
    own->caps[PERMITTED] = data[0].permitted | (uint64_t)data[1].permitted << 32;
    return 0;
}

/* It cannot be told whether the host differs, because of `rc`. Without /proc, or where that hides
 * others from those who have no privileges, this does not matter to the latter. */
static int cannot_tell(const struct privileges *own, int rc)
{
    if (!own->caps[PERMITTED] && all_same(own->uids) && all_same(own->gids))
        return 0;
    return rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM ? rc : -EPERM;
}

int bight__identity_differs(struct identity *identity, pid_t host, int host_fd)
{
    char path[32];
    int rc = read_status(identity, "/proc/self/status", &identity->own);

    if (rc) {
        int why = ask_who(&identity->own);

        return why ? why : cannot_tell(&identity->own, rc);
    }
    name_status(path, host);
    rc = read_status(identity, path, &identity->host);
    if (has_ended(host_fd))
        _exit(0); /* that may have been another process of the same number */
    return rc ? cannot_tell(&identity->own, rc) : !same(&identity->own, &identity->host);
}

void bight__identity_take_umask(const struct identity *identity)
{
    if (identity->host.has_umask)
        (void)umask((mode_t)identity->host.umask);
}

static int set_caps(uint64_t inheritable, uint64_t permitted, uint64_t effective)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    for (int i = 0; i < 2; i++) {
        data[i].inheritable = (uint32_t)(inheritable >> (32 * i));
        data[i].permitted = (uint32_t)(permitted >> (32 * i));
        data[i].effective = (uint32_t)(effective >> (32 * i));
    }
    return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* What is the same already is left alone: in a user namespace that does not have these numbers, not
 * even they could be set. The kernel's own calls: those of the C library would have all threads
 * make them, which this copy of a process may believe to have. */
static int take_ids(const struct privileges *own, const struct privileges *host)
{
    const uint32_t *uid = host->uids, *gid = host->gids;

    if ((own->group_count != host->group_count ||
         memcmp(own->groups, host->groups, own->group_count * sizeof(gid_t)) != 0) &&
        syscall(SYS_setgroups, (size_t)host->group_count, host->groups) < 0)
        return -errno;
    if (memcmp(own->gids, gid, sizeof(own->gids)) != 0 &&
        syscall(SYS_setresgid, gid[REAL], gid[EFFECTIVE], gid[SAVED]) < 0)
        return -errno;
    (void)syscall(SYS_setfsgid, gid[FILESYSTEM]);
    if (memcmp(own->uids, uid, sizeof(own->uids)) != 0 &&
        syscall(SYS_setresuid, uid[REAL], uid[EFFECTIVE], uid[SAVED]) < 0)
        return -errno;
    (void)syscall(SYS_setfsuid, uid[FILESYSTEM]);
    return 0;
}

static void take_sets(const struct privileges *own, const struct privileges *host)
{
    for (unsigned cap = 0; cap < CAPABILITIES; cap++) {
        uint64_t bit = (uint64_t)1 << cap;

        if (own->caps[BOUNDING] & ~host->caps[BOUNDING] & bit)
            (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
        if (host->caps[AMBIENT] & bit)
            (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
        else
            (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, cap, 0, 0);
    }
}

/* Capabilities are kept over the change of ids, because the later steps need some; what one step
 * could not do shows at the end, where the result is compared. */
int bight__identity_take(struct identity *identity, int securebits)
{
    const struct privileges *own = &identity->own, *host = &identity->host;
    uint64_t permitted = own->caps[PERMITTED];
    int bits = prctl(PR_GET_SECUREBITS);
    int rc;

    (void)prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    rc = take_ids(own, host);
    if (rc)
        return rc;
    (void)set_caps(host->caps[INHERITABLE], permitted, permitted);
    take_sets(own, host);
    (void)prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
    securebits &= ~(int)SECBIT_KEEP_CAPS;
    if (bits >= 0 && (bits | securebits) != bits &&
        prctl(PR_SET_SECUREBITS,
              (unsigned long)(bits & ~(int)SECBIT_KEEP_CAPS) | (unsigned long)securebits) < 0)
        return -errno;
    if (host->no_new_privs)
        (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    rc = set_caps(host->caps[INHERITABLE], host->caps[PERMITTED], host->caps[CAP_EFFECTIVE]);
    if (rc)
        return rc;
    rc = read_status(identity, "/proc/self/status", &identity->own);
    if (rc)
        return rc;
    return same(&identity->own, host) ? 0 : -EPERM;
}

int bight__identity_renounce(void)
{
    uid_t uid = getuid();
    gid_t gid = getgid();

    if (syscall(SYS_setresgid, gid, gid, gid) < 0 || syscall(SYS_setresuid, uid, uid, uid) < 0)
        return -errno;
    return uid == 0 ? 0 : set_caps(0, 0, 0); /* root has them without the program */
}

static int limits_of(pid_t pid, int resource, const struct rlimit *set, struct rlimit *got)
{
    return prlimit(pid, (__rlimit_resource_t)resource, set, got);
}

void bight__identity_limit(pid_t host)
{
    struct rlimit theirs, own;

    for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
        if (limits_of(host, resource, NULL, &theirs) < 0 ||
            limits_of(0, resource, &theirs, NULL) == 0 || limits_of(0, resource, NULL, &own) < 0)
            continue;
        if (own.rlim_max < theirs.rlim_max)
            theirs.rlim_max = own.rlim_max;
        if (own.rlim_max < theirs.rlim_cur)
            theirs.rlim_cur = own.rlim_max;
        (void)limits_of(0, resource, &theirs, NULL);
    }
}

void bight__identity_raise_limits(pid_t host)
{
    struct rlimit theirs, own;

    for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
        if (limits_of(host, resource, NULL, &theirs) < 0 ||
            limits_of(0, resource, NULL, &own) < 0 || theirs.rlim_max <= own.rlim_max)
            continue;
        own.rlim_max = theirs.rlim_max;
        (void)limits_of(0, resource, &own, NULL);
    }
}
