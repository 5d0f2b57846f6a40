/* What plugin.c and starter.c are called for. Both return 0, or a line of plugin.c that did not
 * hold. */
#ifndef TESTS_OFFLOAD_PLUGIN_H
#define TESTS_OFFLOAD_PLUGIN_H

#define PLUGIN_API __attribute__((visibility("default")))

/* Prepare with `helper`, and run jobs of this library while zygotes die. */
PLUGIN_API int plugin_use_workers(const char *library, const char *helper);

/* Prepare with `helper`; workers then cannot start, for the reason `code`. */
PLUGIN_API int plugin_is_refused(const char *library, const char *helper, int code);

#endif
