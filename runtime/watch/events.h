/* events.h - what the runtime has to say in the log: the one table of its events.
 *
 * For     RT_LOG(RT_EVENT_..., a, b, c). Each line is X(name, level, sentence): {a}, {b}, {c} stand
 *         for the three integers, as numbers or in a form: {a:ns} a length of time, {a:time} an
 *         instant in ns UTC, {a:fixed} units of 1e-8, {a:hex}, {a:errno} (either sign); any other
 *         word, {a:actor}, is given to the program's name function. A program adds a table of its
 *         own behind RT_EVENT_PROGRAM (log.h).
 * Thread  constant. */
#ifndef RUNTIME_WATCH_EVENTS_H
#define RUNTIME_WATCH_EVENTS_H

/* RT_LOG_EVENTS lists name, level and sentence of every event of the runtime. */
#define RT_LOG_EVENTS(X)                                                                           \
    X(NONE, DEBUG, "{a} {b} {c}")                                                                  \
    X(LOG_DROPPED, WARN, "{a} log records found their ring full and are not here")                 \
    X(LOG_LOST, WARN, "{a} log lines could not be written: {b:errno}")                             \
    X(PROCESS_STARTED, INFO, "process {a} started with {b} shards and {c} actors")                 \
    X(PROCESS_ENDED, INFO, "process {a} ended")                                                    \
    X(PROCESS_DIED, ERROR, "process {a} died by signal {b}")                                       \
    X(SHARD_STARTED, INFO, "shard {a} started on core {b} with {c} actors")                        \
    X(SHARD_ENDED, INFO, "shard {a} ended after {b} events")                                       \
    X(SHARD_FAILED, ERROR, "shard {a} failed at event {b}: {c:errno}")                             \
    X(RECOVERED, INFO, "recovered {a} records from position {b} in {c:ns}")                        \
    X(TAIL_CUT, WARN, "cut {a} bytes of a torn tail at position {b}")                              \
    X(SNAPSHOT_TAKEN, DEBUG, "snapshot at position {a}: {b} rows, {c} bytes")                      \
    X(SNAPSHOT_DROPPED, WARN, "snapshot at position {a} dropped: {b:errno}")                       \
    X(JOURNAL_FAILED, ERROR, "journal failed at position {a}: {b:errno}; no new risk is taken")    \
    X(JOURNAL_LOW, WARN, "journal has {a} free segments; no new risk is taken")                    \
    X(JOURNAL_WELL, INFO, "journal has {a} free segments again")                                   \
    X(EDGE_FULL, WARN, "edge to shard {a} is full: a frame of kind {b} of {c:actor} did not fit")  \
    X(KILL_ON, ERROR, "kill switch on ({a})")                                                      \
    X(KILL_OFF, WARN, "kill switch off")                                                           \
    X(COMMAND, INFO, "command {a:command} for {b:actor} by user {c}")                              \
    X(STOPPING, INFO, "stopping: {a:reason}")                                                      \
    X(ACTOR_STOPPED, ERROR, "actor {a:actor} stopped: {b:reason}")                                 \
    X(ACTOR_POISONED, ERROR, "actor {a:actor} is left out: event {b} ended it by signal {c}")      \
    X(ACTOR_OVERFULL, ERROR, "actor {a:actor} said more than its room in event {b}")               \
    X(SLOW_TURN, WARN, "a turn took {a:ns}, longest call by {b:actor}")                            \
    X(CLOCK_OFF, WARN, "the clock is {a:ns} from the system's")                                    \
    X(PEER_LOST, WARN, "shard {a} does not answer since {b:ns}")                                   \
    X(JOURNAL_WAITS, WARN,                                                                         \
      "no room for segment {a} of the journal; the shard stands still for it")                     \
    X(JOURNAL_GOES_ON, INFO, "room for segment {a} of the journal after {b:ns}; the shard goes on")

/* The numbers of the events. */
enum rt_event {
#define RT_EVENT_NUMBER(name, level, sentence) RT_EVENT_##name,
    RT_LOG_EVENTS(RT_EVENT_NUMBER)
#undef RT_EVENT_NUMBER
        RT_EVENT_CNT,        /* events of the runtime */
    RT_EVENT_PROGRAM = 1000, /* number of the first event of the program's own table */
};
#endif
