/* See original.h. */
#include "offload/child/original.h"

#include <sys/mman.h>
#include <unistd.h>

/* Make a page that tells this process apart from its copies without a system call per job. */
void bight__original_mark(struct original *original)
{
    size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
    char *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    original->pid = getpid();
    if (page == MAP_FAILED || madvise(page, bytes, MADV_WIPEONFORK) < 0)
        return;
    *page = 1;
    original->here = page;
}

bool bight__original_is_here(const struct original *original)
{
    return original->here ? *original->here : getpid() == original->pid;
}
