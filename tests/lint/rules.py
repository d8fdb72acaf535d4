"""What the tree promises about its own text, one function a rule.

A rule takes a Tree and yields findings (path, line, sentence); the path is relative to the root.
Each is shown a bad sample in test_lint.py.
"""
import os
import re
import subprocess

import csource

# ---------------------------------------------------------------------------------------------
# the tree

SKIPPED = ("build", "runs", ".git")


class Tree:
    """The files of a tree, read once."""

    def __init__(self, root, build=None):
        """root is the source root; build its release build folder, if there is one."""
        self.root = root
        self.build = build
        self.paths = self._list()
        self._sources = {}
        self._declared = None

    def _list(self):
        """Returns all paths, tracked or new, relative to the root."""
        try:
            out = subprocess.run(
                ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                cwd=self.root, capture_output=True, check=True).stdout.decode()
            if os.path.exists(os.path.join(self.root, ".git")):
                found = [p for p in out.split("\0") if p]
                return sorted(p for p in found if os.path.isfile(os.path.join(self.root, p)))
        except (OSError, subprocess.CalledProcessError):
            pass
        found = []
        for folder, names, files in os.walk(self.root):
            names[:] = [n for n in names if n not in SKIPPED]
            for name in files:
                found.append(os.path.relpath(os.path.join(folder, name), self.root))
        return sorted(found)

    def c_paths(self):
        """Returns the .c and .h files."""
        return [p for p in self.paths if p.endswith((".c", ".h"))]

    def text(self, path):
        """Returns the text of a file; bytes that are not UTF-8 are replaced."""
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as f:
            return f.read()

    def source(self, path):
        """Returns the read Source of a C file."""
        if path not in self._sources:
            self._sources[path] = csource.Source(path, self.text(path))
        return self._sources[path]

    def declared(self):
        """Returns the names of all functions that a header of the tree declares."""
        if self._declared is None:
            self._declared = {item.name for p in self.c_paths() if p.endswith(".h")
                              for item in self.source(p).items
                              if item.kind in ("prototype", "function")}
        return self._declared


# ---------------------------------------------------------------------------------------------
# arrows: who may include whom

RUNTIME_USES = {  # each uses itself and what is left of it
    "base": {"base"},
    "watch": {"base", "watch"},
    "time": {"base", "watch", "time"},
    "core": {"base", "watch", "time", "core"},
    "net": {"base", "watch", "time", "core", "net"},
    "store": {"base", "watch", "time", "core", "store"},
    "boot": {"base", "watch", "time", "core", "net", "store", "boot"},
}
# A shard writes its journal and hands its rows to the snapshot: these two headers, nothing more.
CORE_MAY_SEE = {"runtime/store/journal.h", "runtime/store/snapshot.h"}
LIBRARY_USES = {  # actors' libraries
    "market": {"market"},
    "dialect": {"market", "dialect"},
    "data": {"market", "dialect", "data"},
    "report": {"market", "dialect", "data", "report"},
}
SEES_ALL = {"tests", "bench", "config"}


def may_include(path, target):
    """Returns None when path may include target (from the root), else why not."""
    here, there = path.split("/"), target.split("/")
    top, other = here[0], there[0]
    if top in SEES_ALL:
        return None
    if top == "cli":
        return "tests are seen by nobody" if other in ("tests", "config") else None
    if other in SEES_ALL or other == "cli":
        return f"nothing includes {other}/"
    if top in ("schemas", "quant"):
        return None if other == top else f"{top}/ depends on nothing but libc"
    if top == "runtime":
        if other == "schemas":
            return None
        if other != "runtime":
            return f"runtime/ knows only schemas/, not {other}/"
        if here[1] == "core" and target in CORE_MAY_SEE:
            return None
        if there[1] not in RUNTIME_USES.get(here[1], set()):
            return (f"runtime/{here[1]}/ uses what is left of it in "
                    "base < watch < time < core < {net, store} < boot")
        return None
    if top == "actors":
        if other != "actors" or len(here) == 2:  # registry.c lists every actor
            return None
        if len(there) == 2:
            return "the registry sees the actors, not the other way round"
        if here[1] in LIBRARY_USES:
            if there[1] in LIBRARY_USES[here[1]]:
                return None
            return f"the library actors/{here[1]}/ uses {sorted(LIBRARY_USES[here[1]])} only"
        if there[1] == here[1] or there[1] in LIBRARY_USES or target == "actors/strategy/api.h":
            return None
        return f"an actor knows messages, not the actor {there[1]}"
    return f"no room {top}/ is known to this lint"


INCLUDE = re.compile(r'#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def includes(source):
    """Yields (line, path in quotes or None, path in angles or None) of a Source."""
    for t in source.tokens:
        if t.kind == "directive":
            match = INCLUDE.match(t.text.strip())
            if match:
                yield t.line, match.group(1), match.group(2)


def arrows(tree):
    """Include lines follow the map of DESIGN.md and are written from the root."""
    known = set(tree.paths)
    for path in tree.c_paths():
        for line, quoted, _ in includes(tree.source(path)):
            if quoted is None:
                continue
            generated = quoted.startswith("schemas/") and "/" not in quoted[len("schemas/"):]
            if quoted not in known and not generated:
                yield path, line, f'"{quoted}" is no file of the tree; write it from the root'
                continue
            why = may_include(path, quoted)
            if why:
                yield path, line, f'must not include "{quoted}": {why}'


# ---------------------------------------------------------------------------------------------
# libraries: third-party headers stay in their file or room

LIBRARIES = [  # (header, the files and rooms that see it)
    (re.compile(r"liburing"), ("runtime/core/poller_uring.c", "runtime/store/")),
    (re.compile(r"ck_"), ("runtime/core/",)),
    (re.compile(r"lmdb\.h"), ("runtime/store/snapshot.c",)),
    (re.compile(r"yaml\.h"), ("runtime/base/config.c",)),
    (re.compile(r"zstd|zlib\.h"), ("runtime/store/", "actors/data/")),
    (re.compile(r"zip\.h"), ("actors/data/file.c",)),
    (re.compile(r"jansson"), ("actors/dialect/",)),
    (re.compile(r"hpdf"), ("actors/report/pdf.c",)),
    (re.compile(r"openssl"), ("runtime/base/hash.c",)),
    (re.compile(r"cmocka\.h"), ("tests/",)),
]
SYSTEM = re.compile(r"""(?x) ^(?:
    assert|cpuid|ctype|dirent|dlfcn|errno|execinfo|fcntl|fenv|float|ftw|getopt|glob|grp|immintrin
    |inttypes|iso646|libgen|limits|link|locale|malloc|math|nmmintrin|poll|pthread|pwd|sched
    |semaphore|setjmp|signal|smmintrin|spawn|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio
    |stdlib|stdnoreturn|string|strings|sysexits|syslog|termios|tgmath|threads|time|ucontext
    |unistd|utime|wchar|wctype|x86intrin|(?:sys|linux|net|netinet|arpa|asm|bits|sanitizer)/[\w/-]+
    )\.h$""")


def libraries(tree):
    """A third-party header is seen by one file or one room (STYLE.md)."""
    for path in tree.c_paths():
        if path.split("/")[0] in ("bench", "tests"):
            continue  # peers are measured and referees asked there
        for line, _, angled in includes(tree.source(path)):
            if angled is None or SYSTEM.match(angled):
                continue
            rooms = next((r for pattern, r in LIBRARIES if pattern.match(angled)), None)
            if rooms is None:
                yield path, line, f"<{angled}> is no header that the tree knows"
            elif not any(path == r or (r.endswith("/") and path.startswith(r)) for r in rooms):
                yield path, line, f"<{angled}> is seen by {', '.join(rooms)} only"


# ---------------------------------------------------------------------------------------------
# comments


def comments(tree):
    """Every function, struct, union, enum, typedef and field has a comment; headers say what they
    are for."""
    declared = tree.declared()
    for path in tree.c_paths():
        source = tree.source(path)
        name = path.rsplit("/", 1)[-1]
        if name.endswith(".h"):
            first = source.tokens[0] if source.tokens else None
            if first is None or first.kind != "comment" or not first.text.startswith(f"/* {name}"):
                yield path, 1, f'a header begins with "/* {name} - what it is for"'
        commented = {i.name for i in source.items if i.commented}
        runs = set()  # lines of prototypes that follow each other in a .c under one comment
        for item in source.items:
            if name.endswith(".c") and item.kind == "prototype":
                if item.commented or item.line - 1 in runs:
                    runs.add(item.line)
                    commented.add(item.name)
        for item in source.items:
            if item.commented or item.name.startswith("__"):
                continue  # names with two underscores are the compiler's, said again
            if item.kind in ("function", "prototype"):
                if item.name in commented:
                    continue  # declared and defined in this file: one comment will do
                if name.endswith(".c") and item.name in declared and not item.static:
                    continue
            what = {"prototype": "function"}.get(item.kind, item.kind)
            where = "on it or directly above" if item.kind == "field" else "directly above"
            yield path, item.line, f"{what} {item.name or '(unnamed)'} has no comment {where}"


def schema_comments(tree):
    """Every table, struct, enum and field of a schema has a comment, beside it or above."""
    for path in tree.paths:
        if not (path.startswith("schemas/") and path.endswith(".fbs")):
            continue
        lines = tree.text(path).split("\n")
        inside = before = None
        for i, line in enumerate(lines):
            code = line.split("//")[0].strip()
            stem, before = before, re.sub(r"\d*\s*:.*", "", code)  # w1 is told, w2 like it
            told = "//" in line or (i > 0 and lines[i - 1].lstrip().startswith("//"))
            match = re.match(r"(table|struct|enum|union)\s+(\w+)", code)
            if match:
                if not (i and lines[i - 1].lstrip().startswith("//")):
                    yield path, i + 1, f"{match[1]} {match[2]} has no comment directly above"
                inside = match[2] if match[1] in ("table", "struct") and "}" not in code else None
            elif code.startswith("}"):
                inside = None
            elif inside and code and not told and before not in (stem, "pad"):
                yield path, i + 1, f"field {inside}.{code.split(':')[0].strip()} has no comment"


# ---------------------------------------------------------------------------------------------
# hot: no allocation, formatting, locks or clocks between a message and its consequences

HOT = re.compile(r"""(?x)
    runtime/core/(?:ring|mail|shard)\.[ch]
    |runtime/store/journal\.h
    |actors/(?:feed|strategy|risk|execution|portfolio|venue)/.*""")
COLD_NAME = re.compile(r"_(?:init|load|save|open|fail)$|_init_|^rt_init_")
COLD_CALLS = {
    "takes or gives memory": """malloc calloc realloc reallocarray free strdup strndup asprintf
        vasprintf aligned_alloc posix_memalign memalign alloca mmap munmap mremap""",
    "formats": """printf fprintf vprintf vfprintf dprintf vdprintf sprintf snprintf vsprintf
        vsnprintf puts fputs fputc putc putchar perror fwrite fflush scanf sscanf fscanf strftime""",
    "locks or waits": """pthread_mutex_lock pthread_mutex_trylock pthread_mutex_unlock
        pthread_rwlock_rdlock pthread_rwlock_wrlock pthread_rwlock_unlock pthread_spin_lock
        pthread_spin_unlock pthread_cond_wait pthread_cond_timedwait pthread_cond_signal
        pthread_cond_broadcast pthread_join sem_wait sem_post sem_timedwait mtx_lock mtx_unlock
        cnd_wait cnd_signal ck_spinlock_lock ck_spinlock_unlock sleep usleep nanosleep
        clock_nanosleep""",
    "asks the system": """fopen fclose fread fseek getenv setenv system popen fork open openat
        creat read pread write pwrite readv writev fsync fdatasync socket connect send recv""",
    "draws or reads what replay cannot repeat": """rand random rand_r drand48 lrand48 getrandom time
        gettimeofday clock_gettime clock localtime localtime_r gmtime mktime""",
}
COLD = {name: what for what, names in COLD_CALLS.items() for name in names.split()}
UNREPEATABLE = {"rt_clock_ns", "rt_clock_monotonic_ns", "rt_tsc"}


def cold_functions(source):
    """Returns the names of the functions of a file that run at boot or at a snapshot: *_init,
    *_load, *_save, *_open, *_fail, and static ones that nothing else in the file mentions."""
    functions = [i for i in source.items if i.kind == "function"]
    cold = {i.name for i in functions if COLD_NAME.search(i.name)}
    inside = {}  # function -> words of its body
    for item in functions:
        inside[item.name] = {t.text for t in item.body if t.kind == "word"}
    bodies = sum((i.body for i in functions), [])
    counts = {}
    for t in source.code:
        counts[t.text] = counts.get(t.text, 0) + 1
    in_bodies = {}
    for t in bodies:
        in_bodies[t.text] = in_bodies.get(t.text, 0) + 1
    heads = {}
    for item in source.items:
        if item.kind in ("function", "prototype"):
            heads[item.name] = heads.get(item.name, 0) + 1
    changed = True
    while changed:
        changed = False
        for item in functions:
            name = item.name
            if name in cold or not item.static:
                continue
            users = [n for n, w in inside.items() if name in w and n != name]
            if counts[name] != in_bodies.get(name, 0) + heads[name]:
                continue  # a table outside of functions names it: a handler
            if users and all(n in cold for n in users):
                cold.add(name)
                changed = True
    return cold


def hot(tree):
    """Nothing in a hot room allocates, formats, locks or asks the system, but in *_init, *_load,
    *_save, *_open, *_fail, and static functions that these alone call."""
    for path in tree.c_paths():
        if not HOT.fullmatch(path):
            continue
        cold = cold_functions(tree.source(path))
        for item in tree.source(path).items:
            if item.kind != "function" or item.name in cold:
                continue
            body = item.body
            for i, t in enumerate(body[:-1]):
                if t.kind != "word" or body[i + 1].text != "(":
                    continue
                if i and body[i - 1].text in (".", "->"):
                    continue
                if t.text in COLD:
                    yield path, t.line, (f"{item.name} calls {t.text}, which {COLD[t.text]}; only "
                                         "*_init, *_load, *_save, *_open and *_fail may in a hot room")
                elif t.text in UNREPEATABLE and path.startswith("actors/"):
                    yield path, t.line, f"{item.name} reads a clock; an actor's time is ctx->now_ns"


# ---------------------------------------------------------------------------------------------
# words: runtime/ knows no trading

TRADING = {"order", "orders", "fill", "fills", "filled", "position", "positions", "instrument",
           "instruments", "price", "prices", "trade", "trades", "trading", "qty", "quantity",
           "notional", "portfolio", "strategy", "strategies", "venue", "venues", "broker",
           "bid", "pnl", "equity", "margin", "leverage", "symbol", "symbols"}


def allowed_words(tree):
    """Returns the compiled patterns of allowed.txt: (path pattern, identifier pattern)."""
    found = []
    try:
        text = tree.text("tests/lint/allowed.txt")
    except OSError:
        return found
    for line in text.split("\n"):
        line = line.split("#")[0].split()
        if len(line) == 2:
            found.append((re.compile(line[0]), re.compile(line[1])))
    return found


def words(tree):
    """Identifiers of runtime/ use no trading words; allowed.txt lists the everyday ones."""
    allowed = allowed_words(tree)
    for path in tree.c_paths():
        if not path.startswith("runtime/"):
            continue
        seen = set()
        for t in tree.source(path).tokens:
            found = []
            if t.kind == "word":
                found = [t.text]
            elif t.kind == "directive" and not INCLUDE.match(t.text.strip()):
                found = re.findall(r"[A-Za-z_]\w*", re.sub(r"/\*.*?\*/", "", t.text, flags=re.S))
            for text in found:
                parts = {p.lower() for p in re.split(r"_+|(?<=[a-z])(?=[A-Z])", text)}
                bad = sorted(parts & TRADING)
                if not bad or text in seen:
                    continue
                if any(p.fullmatch(path) and w.fullmatch(text) for p, w in allowed):
                    continue
                seen.add(text)
                yield path, t.line, (f'"{text}": runtime/ knows no trading, so no {bad[0]}; an '
                                     "everyday use goes into tests/lint/allowed.txt")


# ---------------------------------------------------------------------------------------------
# places: nothing of the machine it was written on

PLACE = re.compile(r"(?<![\w.\-/$}*])/(?:home|root|work|Users)/[\w.]+")


def places(tree):
    """No file names a home or work folder."""
    for path in tree.paths:
        if path.endswith((".zst", ".gz", ".png", ".seg", ".bfbs", ".mdb")) or "/corpus/" in path:
            continue
        for n, line in enumerate(tree.text(path).split("\n"), 1):
            match = PLACE.search(line)
            if match:
                yield path, n, f"{match.group()} is a place on someone's machine"


# ---------------------------------------------------------------------------------------------
# papers: what README.md and CHANGELOG.md point at is there

PAPERS = ("README.md", "CHANGELOG.md")
ROOMS = ("schemas", "quant", "runtime", "actors", "cli", "config", "bench", "tests", "console")


def papers(tree):
    """Paths into the tree that README.md and CHANGELOG.md name exist."""
    known = set(tree.paths)
    folders = {p[:i] for p in tree.paths for i, c in enumerate(p) if c == "/"}
    for path in PAPERS:
        if path not in known:
            continue
        for n, line in enumerate(tree.text(path).split("\n"), 1):
            for name in re.findall(r"(?<![\w./-])((?:%s)/[\w./*-]*)" % "|".join(ROOMS), line):
                plain = name.rstrip("./")
                if "*" in plain or plain in known or plain in folders or plain in ROOMS:
                    continue
                yield path, n, f"{name} is not in the tree"


# ---------------------------------------------------------------------------------------------
# symbols: no libm on the way to a decision but what is exact everywhere

EXACT = {"sqrt", "fabs", "floor", "ceil", "trunc", "rint"}
DECIDING = re.compile(r"(?:^|/)(?:actors/(?!report/)|quant/|runtime/(?:core|time)/)")


def defined(library):
    """Returns the dynamic symbols a shared library defines."""
    out = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True,
                         check=True).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines() if line.split()}


def library_path(name):
    """Returns the path of a shared library as the compiler finds it, None when it does not."""
    out = subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True,
                         check=False).stdout.strip()
    return out if os.path.isabs(out) else None


def symbols(tree):
    """Objects that decide use sqrt, fabs, floor, ceil, trunc, rint of libm, nothing else."""
    if not tree.build or not os.path.isdir(tree.build):
        return
    objects = []
    for folder, inner, files in os.walk(tree.build):
        if folder == tree.build and "tests" in inner:
            inner.remove("tests")  # programs of their own: tests/quant/ is not quant/
        for name in files:
            path = os.path.join(folder, name)
            if name.endswith(".c.o") and DECIDING.search(path.split(".dir/")[-1]):
                objects.append(path)
    libm, libc = library_path("libm.so.6"), library_path("libc.so.6")
    if not objects or not libm or not libc:
        return
    inexact = defined(libm) - defined(libc) - EXACT
    for path in sorted(objects):
        out = subprocess.run(["nm", "-u", path], capture_output=True, text=True, check=True).stdout
        used = {line.split()[-1] for line in out.splitlines() if line.split()}
        bad = sorted(used & inexact)
        if bad:
            source = re.sub(r"\.o$", "", path.split(".dir/")[-1])
            line = first_use(tree, source, bad[0])
            yield source, line, (f"uses {', '.join(bad)} of libm, whose last bits differ between "
                                 f"machines; only {', '.join(sorted(EXACT))} are exact")


def first_use(tree, path, name):
    """Returns the line of the first call of name in path, 1 when there is none in the text."""
    try:
        for t in tree.source(path).tokens:
            if t.kind == "word" and t.text == name:
                return t.line
    except OSError:
        pass
    return 1


# ---------------------------------------------------------------------------------------------
# tools: clang-format and cppcheck


def tool(names):
    """Returns the first of names that is on the path, or None."""
    for name in names:
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            if os.access(os.path.join(folder, name), os.X_OK):
                return name
    return None


def form(tree):
    """Whitespace is as .clang-format makes it; no line, comments included, passes 100 columns."""
    for path in tree.c_paths():
        for n, line in enumerate(tree.source(path).lines, 1):
            if len(line) > 100:
                yield path, n, f"is {len(line)} columns wide; expected at most 100"
    program = tool(("clang-format-14",))
    if program is None:
        yield ".clang-format", 1, "clang-format-14 is not installed"
        return
    paths = tree.c_paths()
    half = (len(paths) + 1) // 2
    running = [subprocess.Popen([program, "--dry-run", "-Werror", *part], cwd=tree.root, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
               for part in (paths[:half], paths[half:]) if part]
    for process in running:
        out = process.communicate()[0]
        told = set()
        for path, line in re.findall(r"^(\S+?):(\d+):\d+: error:", out, re.M):
            if path not in told:  # one a file is enough to run ./dev fmt
                told.add(path)
                yield path, int(line), "is not formatted: ./dev fmt"
        if process.returncode and not told:
            yield ".clang-format", 1, out.strip().split("\n")[0]


CPPCHECK = [
    "--enable=warning,performance,portability", "--std=c11", "--platform=unix64", "--language=c",
    "--inline-suppr", "--quiet", "--error-exitcode=1", "--max-configs=2", "-j2",
    "--template={file}:{line}: {severity} {id}: {message}",
    # What cannot be known without the libraries' headers, or is meant so:
    "--suppress=missingInclude", "--suppress=missingIncludeSystem", "--suppress=unmatchedSuppression",
    "--suppress=toomanyconfigs", "--suppress=normalCheckLevelMaxBranches",
    "--suppress=unusedStructMember",
    # What the compiler checks better, as an error.
    "--suppress=uninitvar", "--suppress=invalidPrintfArgType_uint",
    "--suppress=invalidPrintfArgType_sint",
    # The tree is for 64-bit Linux, where these are sound.
    "--suppress=invalidPointerCast", "--suppress=shiftTooManyBitsSigned", "--suppress=memsetClassFloat",
    # cmocka's macros and test programs' own tricks.
    "--suppress=nullPointerRedundantCheck:tests/*", "--suppress=unknownMacro",
    "-D_GNU_SOURCE", "-D__x86_64__", "-D__linux__", "-D__GNUC__=12", "-D__STDC_VERSION__=201112L",
    "-U__clang__", "-U__SANITIZE_THREAD__", "-U__SANITIZE_ADDRESS__",
]


def cppcheck(tree):
    """cppcheck finds no fault (warning, performance, portability)."""
    program = tool(("cppcheck",))
    if program is None:
        yield "tests/lint/rules.py", 1, "cppcheck is not installed"
        return
    paths = [p for p in tree.c_paths() if p.endswith(".c")]
    if not paths:
        return
    keep = []
    if tree.build:
        folder = os.path.join(os.path.dirname(tree.build), "cppcheck")
        os.makedirs(folder, exist_ok=True)
        keep = [f"--cppcheck-build-dir={folder}"]
    process = subprocess.run([program, *CPPCHECK, *keep, "-I.", *paths], cwd=tree.root,
                             capture_output=True, text=True, check=False)
    out = process.stderr + process.stdout
    told = False
    for path, line, text in re.findall(r"^(\S+?):(\d+): (.+)$", out, re.M):
        told = True
        yield path, int(line), f"cppcheck: {text}"
    if process.returncode and not told:
        yield "tests/lint/rules.py", 1, "cppcheck: " + out.strip().split("\n")[0]


RULES = {
    "form": form, "arrows": arrows, "libraries": libraries, "comments": comments,
    "schemas": schema_comments, "hot": hot, "words": words, "places": places,
    "papers": papers, "symbols": symbols, "cppcheck": cppcheck,
}
