/* See helper.h. The build knows where bight-zygote goes, but the prefix may be chosen when it is
 * installed, and be moved later. So it is looked for from where the shared library lies, and only
 * then where the build says. An archive lies in somebody else's file, whose place says nothing. */
#include "offload/pool/helper.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY "/libbight.so"

static const char here;

static char *executable(const char *path)
{
    return access(path, X_OK) == 0 ? realpath(path, NULL) : NULL;
}

/* From the file that the library is loaded from, through symbolic links. */
static char *beside_library(void)
{
    Dl_info info;
    char *library, *name, *path, *helper = NULL;

    if (!dladdr(&here, &info) || info.dli_fname[0] != '/')
        return NULL;
    library = realpath(info.dli_fname, NULL);
    name = library ? strrchr(library, '/') : NULL;
    if (name && strncmp(name, LIBRARY, strlen(LIBRARY)) == 0 &&
        asprintf(&path, "%.*s/" BIGHT_HELPER_BESIDE, (int)(name - library), library) >= 0) {
        helper = executable(path);
        free(path);
    }
    free(library);
    return helper;
}

char *bight__helper_path(const char *given)
{
    char *helper = given ? NULL : beside_library();

    return helper ? helper : executable(given ? given : BIGHT_HELPER);
}
