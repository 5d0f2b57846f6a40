/* Calls the plugin that it is linked with; the path of that is its argument. */
#include <stdio.h>

int plugin(const char *path);

int main(int argc, char **argv)
{
    int rc = argc == 2 ? plugin(argv[1]) : -1;

    if (rc)
        printf("plugin: %d\n", rc);
    return rc != 0;
}
