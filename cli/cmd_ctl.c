#include "cli/cli.h"
#include <stdio.h>
#include <string.h>

/* The commands, ends with NULL. */
static const char *const verbs[] = { "pause",  "resume", "stop",   "kill",
                                     "unkill", "set",    "status", NULL };

int cmd_ctl(int argc, char **argv) {
    struct rt_error err = { 0 };
    char line[512] = "", out[1024];
    if (argc < 2) return cli_wrong("ctl", "DIR and a command expected");
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], "--", 2) == 0) return cli_words("ctl", argc, argv, 2, "");
    if (argc < 3) return cli_wrong("ctl", "a command for %s expected", argv[1]);
    int verb = 0;
    while (verbs[verb] && strcmp(verbs[verb], argv[2]) != 0) verb++;
    if (!verbs[verb] && argv[2][0]) return cli_wrong("ctl", "unknown command \"%s\"", argv[2]);
    for (int i = 2; i < argc; i++) {
        size_t used = strlen(line), more = strlen(argv[i]);
        if (more == 0) return cli_wrong("ctl", "an empty word in the command");
        if (used + more + 1 >= sizeof line) return cli_wrong("ctl", "the command is too long");
        snprintf(line + used, sizeof line - used, "%s%s", i > 2 ? " " : "", argv[i]);
    }
    if (rt_control_ask(argv[1], line, out, sizeof out, &err) < 0)
        return cli_fail("ctl", &err, "start it with: shrike run RUN.yaml --dir DIR");
    fputs(out, stdout);
    return strstr(out, "\"ok\":true") ? 0 : 1;
}
