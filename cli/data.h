/* data.h - the parts of `shrike data` that have files of their own, for cmd_data.c. */
#ifndef CLI_DATA_H
#define CLI_DATA_H
#include "runtime/base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* cli_duration reads "15s", "1m", "4h", "1d", "1w"; false when text is none. */
bool cli_duration(const char *text, int64_t *ns);
/* cli_day reads "2024-01-31"; false when text is none. */
bool cli_day(const char *text, int64_t *ns);
/* data_cmd_import reads files into the store. */
int data_cmd_import(int argc, char **argv);
/* data_cmd_export writes rows of the store as CSV. */
int data_cmd_export(int argc, char **argv);
/* data_cmd_ls lists the store. */
int data_cmd_ls(int argc, char **argv);
/* data_cmd_repair repairs a set of the store by a policy. */
int data_cmd_repair(int argc, char **argv);
/* data_cmd_quality reports on a file or a set of the store. */
int data_cmd_quality(int argc, char **argv);
/* data_cmd_instruments turns a venue's exchangeInfo into instruments of a run file
 * (data_instruments.c). */
int data_cmd_instruments(int argc, char **argv);
/* data_cmd_snapshot writes what data and results are, day by day, or compares two such files
 * (data_snapshot.c). */
int data_cmd_snapshot(int argc, char **argv);

/* data_in_place tells whether path is no plain file but a device, a pipe or a link: what is put
 * there is written in place, nothing is put in its stead. */
bool data_in_place(const char *path);
/* data_write_file puts cnt bytes at path, whole or not at all (but in place, see there). Returns 0
 * or negative errno with err. */
int data_write_file(const char *path, const char *bytes, size_t cnt, struct rt_error *err);

/* What is done with each set: dir is its directory; negative ends the walk. */
typedef int data_set_fn(const char *dir, void *arg);
/* data_sets_below calls fn for each set that lies depth levels below path (3 = path is a store), in
 * order of names. Returns how many there are, or -1 when fn ended it. */
int data_sets_below(const char *path, int depth, data_set_fn *fn, void *arg);
#endif
