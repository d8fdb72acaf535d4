/* folder.h - directories made and removed whole.
 *
 * For     boot and commands: a run's directory and its stage, what a command works in. The store's
 *         own directories go through the seam (store/journal.c).
 * Thread  any.
 * Memory  a path of 4 KiB a level, on the stack. */
#ifndef RUNTIME_BASE_FOLDER_H
#define RUNTIME_BASE_FOLDER_H
#include <sys/types.h>

enum { RT_FOLDER_DEPTH_MAX = 16 }; /* directories inside each other that are removed */

/* rt_folder_make makes the directory path and its parents, those it makes with mode. Returns 0,
 * also when it is there, or a negative errno. */
int rt_folder_make(const char *path, mode_t mode) __attribute__((warn_unused_result));

/* rt_folder_remove removes the directory path and what is in it; links are removed, not followed.
 * What cannot be removed stays. */
void rt_folder_remove(const char *path);
#endif
