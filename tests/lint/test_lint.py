#!/usr/bin/env python3
"""Goal    every lint rule goes red on a small bad sample, at the right line, and not on a good one;
        and the built tree keeps its promise about libm.
Method  samples are written to a folder of their own and read by the rules of rules.py.
Skips   the rules whose tool (clang-format-14, cppcheck) is not installed."""
# once: does not depend on how the tree was compiled
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import count  # noqa: E402
import csource  # noqa: E402
import rules  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


class Sample(unittest.TestCase):
    """Base: makes a tree of the given files and runs one rule over it."""

    def found(self, rule, files, build=None):
        """Returns the findings of rule over files ({path: text}) as [(path, line, text)]."""
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as f:
                    f.write(text)
            for name in (".clang-format", "tests/lint/allowed.txt"):
                if name in files:
                    continue
                with open(os.path.join(ROOT, name), encoding="utf-8") as f:
                    text = f.read()
                os.makedirs(os.path.dirname(os.path.join(root, name)) or root, exist_ok=True)
                with open(os.path.join(root, name), "w", encoding="utf-8") as f:
                    f.write(text)
            return list(rules.RULES[rule](rules.Tree(root, build)))

    def red(self, rule, files, path, line, words=""):
        """Asserts exactly one finding, there, that says words."""
        found = self.found(rule, files)
        self.assertEqual([(p, n) for p, n, _ in found], [(path, line)], found)
        self.assertIn(words, found[0][2])

    def green(self, rule, files):
        """Asserts no finding."""
        self.assertEqual(self.found(rule, files), [])


class Arrows(Sample):
    """Include lines."""

    RED = [  # (who includes, what)
        ("schemas/a.c", "runtime/base/error.h"), ("schemas/a.c", "quant/ema.h"),
        ("quant/a.c", "schemas/fixed.h"), ("quant/a.c", "runtime/base/error.h"),
        ("runtime/base/a.c", "runtime/watch/log.h"), ("runtime/base/a.c", "actors/risk/risk.h"),
        ("runtime/base/a.c", "quant/ema.h"), ("runtime/watch/a.c", "runtime/time/wheel.h"),
        ("runtime/time/a.c", "runtime/core/ring.h"), ("runtime/core/a.c", "runtime/boot/boot.h"),
        ("runtime/core/a.c", "runtime/net/http.h"), ("runtime/core/a.c", "runtime/store/disk.h"),
        ("runtime/net/a.c", "runtime/store/journal.h"),
        ("runtime/store/a.c", "runtime/net/http.h"), ("runtime/store/a.c", "runtime/boot/boot.h"),
        ("runtime/boot/a.c", "actors/registry.h"), ("runtime/boot/a.c", "cli/cli.h"),
        ("actors/risk/a.c", "actors/venue/venue.h"), ("actors/risk/a.c", "actors/strategy/host.h"),
        ("actors/risk/a.c", "actors/registry.h"), ("actors/market/a.c", "actors/risk/risk.h"),
        ("actors/market/a.c", "actors/data/csv.h"), ("actors/data/a.c", "actors/report/csv.h"),
        ("actors/risk/a.c", "cli/cli.h"), ("actors/risk/a.c", "tests/support/check.h"),
        ("cli/a.c", "tests/support/check.h"),
    ]
    GREEN = [
        ("schemas/gen/a.c", "schemas/gen/model.h"), ("quant/a.c", "quant/ema.h"),
        ("runtime/base/a.c", "schemas/fixed.h"), ("runtime/core/a.c", "runtime/time/wheel.h"),
        ("runtime/core/a.c", "runtime/store/journal.h"),
        ("runtime/core/a.c", "runtime/store/snapshot.h"),
        ("runtime/store/a.c", "runtime/core/actor.h"), ("runtime/boot/a.c", "runtime/store/disk.h"),
        ("runtime/boot/a.c", "runtime/net/http.h"), ("actors/risk/a.c", "actors/market/market.h"),
        ("actors/risk/a.c", "actors/strategy/api.h"), ("actors/risk/a.c", "quant/ema.h"),
        ("actors/risk/a.c", "runtime/core/actor.h"), ("actors/registry.c", "actors/risk/risk.h"),
        ("actors/report/a.c", "actors/market/market.h"), ("cli/a.c", "actors/registry.h"),
        ("cli/a.c", "bench/bench.h"), ("tests/risk/a.c", "actors/risk/risk.h"),
        ("bench/a.c", "runtime/core/ring.h"),
    ]

    def test_wrong_arrows(self):
        """Each wrong arrow is found at its line."""
        for path, target in self.RED:
            with self.subTest(f"{path} -> {target}"):
                self.red("arrows", {path: f'\n#include "{target}"\n', target: ""}, path, 2,
                         f'must not include "{target}"')

    def test_right_arrows(self):
        """No right arrow is found."""
        for path, target in self.GREEN:
            with self.subTest(f"{path} -> {target}"):
                self.green("arrows", {path: f'#include "{target}"\n', target: ""})

    def test_from_the_root(self):
        """An include that is not written from the root is found; messages.h is generated."""
        self.red("arrows", {"runtime/base/a.c": '#  include "error.h"\n',
                            "runtime/base/error.h": ""}, "runtime/base/a.c", 1, "from the root")
        self.green("arrows", {"runtime/base/a.c": '#include "schemas/messages.h"\n'})

    def test_in_comments(self):
        """What stands in a comment or a string is no include."""
        self.green("arrows", {"quant/a.c": '/*\n#include "cli/x.h"\n*/\n'
                                           'const char *s = "#include \\"cli/x.h\\"";\n'})


class Libraries(Sample):
    """Third-party headers."""

    def test_rooms(self):
        """Each library is found outside of its room, and not in it."""
        for header, good, bad in (
            ("liburing.h", "runtime/core/poller_uring.c", "runtime/core/poller.c"),
            ("liburing.h", "runtime/store/disk.c", "runtime/boot/disk.c"),
            ("ck_ring.h", "runtime/core/ring.h", "runtime/boot/edge.c"),
            ("lmdb.h", "runtime/store/snapshot.c", "runtime/store/journal.c"),
            ("yaml.h", "runtime/base/config.c", "actors/market/market.c"),
            ("zstd.h", "actors/data/csv.c", "actors/report/csv.c"),
            ("zlib.h", "runtime/store/archive.c", "runtime/base/error.c"),
            ("cmocka.h", "tests/support/check.h", "cli/main.c"),
        ):
            with self.subTest(header):
                self.green("libraries", {good: f"#include <{header}>\n"})
                self.red("libraries", {bad: f"/* x */\n#include <{header}>\n"}, bad, 2, header)

    def test_unknown(self):
        """A library nobody spoke of is found; the system's headers are not."""
        self.red("libraries", {"cli/a.c": "#include <jansson.h>\n"}, "cli/a.c", 1, "jansson")
        self.green("libraries", {"cli/a.c": "#include <sys/stat.h>\n#include <stdio.h>\n"})
        self.green("libraries", {"bench/a.c": "#include <ck_ring.h>\n"})


class Comments(Sample):
    """Comments on functions, structs, enums, typedefs, fields."""

    def header(self, text):
        """Returns a sample header that begins as it should."""
        return {"runtime/base/a.h": "/* a.h - a sample. */\n" + text}

    def test_functions(self):
        """A bare function is found, wherever it is declared; one with a comment is not."""
        for text, line, name in (
            ("int f(void);\n", 2, "f"),
            ("/* about f */\n\nint f(void);\n", 4, "f"),
            ("static inline int f(void) {\n    return 0;\n}\n", 2, "f"),
            ("/* about g */\nint g(void);\nint f(int (*fn)(void *), void *arg)\n"
             "    __attribute__((warn_unused_result));\n", 4, "f"),
            ("int a; /* about a */\nint f(void);\n", 3, "f"),
            ("__attribute__((cold)) void f(void);\n", 2, "f"),
            ("/* of x */\nstruct x {\n    int a; /* a */\n};\nstruct x *f(struct x *a);\n", 6, "f"),
        ):
            with self.subTest(text):
                self.red("comments", self.header(text), "runtime/base/a.h", line, f"function {name}")
        self.green("comments", self.header(
            "int e(void); /* about e */\n/* about f */\nint f(void);\n/* about g,\n * at length */\nstatic inline int g(void) {\n"
            "    int h(void);\n    return h();\n}\n// about i\n#ifdef X\nint i(void);\n#endif\n"
            "/* rings */\nCK_RING_PROTOTYPE(x, y)\n/* about k */\nint k(void);\n"))

    def test_source(self):
        """In a .c a static function wants a comment; what a header declares does not."""
        files = self.header("/* about f */\nint f(void);\n")
        files["runtime/base/a.c"] = '#include "a.h"\nint f(void) {\n    return 1;\n}\n'
        self.green("comments", files)
        files["runtime/base/a.c"] += "static int g(void) {\n    return f();\n}\n"
        self.red("comments", files, "runtime/base/a.c", 5, "function g")
        files["runtime/base/a.c"] = ("/* about g */\nstatic int g(void);\n\n"
                                     "static int g(void) {\n    return 1;\n}\n")
        self.green("comments", files)
        files["runtime/base/a.c"] = "/* the other side's */\nint x(void);\nint y(void);\n"
        self.green("comments", files)
        files["runtime/base/a.c"] += "\nint z(void);\n"
        self.red("comments", files, "runtime/base/a.c", 5, "function z")

    def test_fields(self):
        """Bare fields are found in structs, unions, nested ones, callbacks."""
        for text, line, name in (
            ("/* x */\nstruct x {\n    int a; /* a */\n    int b;\n};\n", 5, "x.b"),
            ("/* x */\nunion x {\n    int a;\n};\n", 4, "x.a"),
            ("/* x */\nstruct x {\n    int (*on)(int a, void *b);\n};\n", 4, "x.on"),
            ("/* x */\nstruct x {\n    int a; /* a,\n            * long */\n    int b;\n};\n", 6, "x.b"),
            ("/* x */\nstruct x {\n    struct y *b;\n};\n", 4, "x.b"),
            ("/* x */\nstruct x {\n    /* in */\n    struct {\n        int c;\n    } in;\n};\n", 6, "x.c"),
            ("/* x */\ntypedef struct {\n    int a[3];\n} x;\n", 4, "a"),
        ):
            with self.subTest(text):
                self.red("comments", self.header(text), "runtime/base/a.h", line, name)
        self.green("comments", self.header(
            "/* x */\nstruct x {\n    int a; /* a */\n    /* b\n     * long */\n    int b, c;\n"
            "    void (*on)(int a,\n               int b); /* on */\n    _Static_assert(1, \"\");\n};\n"
            "struct y; /* opaque */\nstruct z;\n"))

    def test_types(self):
        """Bare structs, enums and typedefs are found; an enum may comment its constants."""
        for text, line, name in (
            ("struct x {\n    int a; /* a */\n};\n", 2, "struct x"),
            ("int a; /* about a */\nenum x {\n    A,\n    B,\n};\n", 3, "enum x"),
            ("enum {\n    A, /* a */\n    B,\n};\n", 2, "enum"),
            ("typedef int x;\n", 2, "typedef x"),
        ):
            with self.subTest(text):
                self.red("comments", self.header(text), "runtime/base/a.h", line, name)
        self.green("comments", self.header("enum {\n    A, /* a */\n    B, /* b */\n};\n"
                                           "typedef int x; /* an x */\n/* y */\nenum y { C, D };\n"))

    def test_header_top(self):
        """A header that does not say what it is for is found."""
        self.red("comments", {"cli/a.h": "#ifndef A\n#endif\n"}, "cli/a.h", 1, "/* a.h")

    def test_schemas(self):
        """A bare table of a schema is found."""
        self.red("schemas", {"schemas/a.fbs": "// one\ntable A {}\n\nstruct B {}\n"},
                 "schemas/a.fbs", 4, "struct B")
        text = "/// a\ntable A {\n  b:int; // b\n  // c\n  c:int;\n  {}:int;\n}\nroot_type A;\n"
        self.red("schemas", {"schemas/a.fbs": text.replace("{}", "d")}, "schemas/a.fbs", 6, "A.d")
        self.green("schemas", {"schemas/a.fbs": text.replace("{}", "pad2")})


class Hot(Sample):
    """Calls in hot rooms."""

    def test_calls(self):
        """Each family of calls is found, in its line, in each hot room."""
        for path in ("runtime/core/ring.h", "runtime/core/mail.c", "runtime/core/shard.c",
                     "runtime/store/journal.h", "actors/risk/risk.c", "actors/feed/feed.c"):
            for call in ("malloc(8)", "free(p)", "printf(\"x\")", "snprintf(b, 2, \"x\")",
                         "pthread_mutex_lock(&m)", "sem_wait(&s)", "usleep(1)", "rand()",
                         "clock_gettime(0, &t)", "getenv(\"X\")", "mmap(0, 1, 2, 3, 4, 5)"):
                with self.subTest(f"{path} {call}"):
                    self.red("hot", {path: f"void risk_on_fill(void) {{\n    {call};\n}}\n"},
                             path, 2, call.split("(", 1)[0])

    def test_clock(self):
        """An actor that reads a clock is found; the shard may."""
        text = "int64_t f(void) {\n    return rt_clock_ns();\n}\n"
        self.red("hot", {"actors/venue/a.c": text}, "actors/venue/a.c", 2, "now_ns")
        self.green("hot", {"runtime/core/shard.c": text})

    def test_helpers(self):
        """A static helper is cold when cold functions alone use it, not when a handler or a table
        does too."""
        helper = "static int pick(void) {\n    return printf(\"x\");\n}\n"
        boot = "int risk_init(void) {\n    return pick();\n}\n"
        deep = "static int more(void) {\n    return pick();\n}\n" + boot.replace("pick", "more")
        self.green("hot", {"actors/risk/a.c": helper + boot})
        self.green("hot", {"actors/risk/a.c": helper + deep})
        for more in ("int risk_on_fill(void) {\n    return pick();\n}\n", "int (*on)(void) = pick;\n"):
            self.red("hot", {"actors/risk/a.c": helper + boot + more}, "actors/risk/a.c", 2, "printf")
        self.red("hot", {"actors/risk/a.c": helper}, "actors/risk/a.c", 2, "printf")

    def test_cold(self):
        """Boot functions, cold rooms, comments, strings and members of that name are fine."""
        for path, text in (
            ("actors/risk/risk.c", "int risk_init(void) {\n    p = malloc(8);\n}\n"),
            ("actors/risk/risk.c", "int risk_save(void) {\n    printf(\"x\");\n}\n"),
            ("actors/report/csv.c", "int f(void) {\n    printf(\"x\");\n}\n"),
            ("runtime/store/disk.c", "int f(void) {\n    return malloc(1);\n}\n"),
            ("actors/risk/risk.c", "/* malloc(8) */\nint f(void) {\n    return s.free(\"malloc(\");\n}\n"),
        ):
            with self.subTest(text):
                self.green("hot", {path: text})


class Words(Sample):
    """Trading words in runtime/."""

    def test_words(self):
        """A trading word is found as identifier, part of one, and in a macro."""
        for text, word in (("int price;", "price"), ("int last_fill_ns;", "fill"),
                           ("int f(struct msg_order_intent *i);", "order"),
                           ("#define INSTRUMENT_MAX 3", "instrument"), ("int MaxPosition;", "position")):
            with self.subTest(text):
                self.red("words", {"runtime/time/a.h": "\n" + text + "\n"}, "runtime/time/a.h", 2, word)

    def test_everyday(self):
        """Everyday uses, comments, includes and other rooms are fine."""
        self.green("words", {
            "runtime/core/a.c": "atomic_load_explicit(&x, memory_order_acquire); /* an order */\n"
                                "uint64_t position, next_order; char *s = \"price\";\n",
            "actors/risk/a.c": "int price;\n"})


class Places(Sample):
    """Folders of someone's machine."""

    def test_places(self):
        """Home and work folders are found in any file; paths inside the tree are not."""
        for text in ("cd /ho" "me/ann/x", "x=/wo" "rk/y", "(/ro" "ot/z)", "/Us" "ers/bo/x"):
            with self.subTest(text):
                self.red("places", {"README.md": "a\n" + text + "\n"}, "README.md", 2, "machine")
        self.green("places", {"README.md": "../shared/data /dev/shm $HOME/x tests/work/a runs/work\n"})


class Papers(Sample):
    """What the README points at."""

    def test_papers(self):
        """A path that is not there is found; one that is, a folder and a pattern are not."""
        self.red("papers", {"README.md": "a\nsee `actors/oracle/x.c`.\n"}, "README.md", 2, "oracle")
        self.green("papers", {"README.md": "`cli/a.c`, cli/, (`schemas/*.fbs`), ../shared/tests/x\n",
                              "cli/a.c": ""})


class Symbols(Sample):
    """Symbols of libm in objects."""

    def build(self, root, path, text):
        """Compiles text to where a build of path would put it."""
        out = os.path.join(root, "CMakeFiles/x.dir", path + ".o")
        os.makedirs(os.path.dirname(out), exist_ok=True)
        subprocess.run(["gcc", "-O0", "-fno-builtin", "-x", "c", "-c", "-", "-o", out], input=text,
                       text=True, check=True)

    def test_inexact(self):
        """log is found in a room that decides, with the line of its call; sqrt is not."""
        text = "#include <math.h>\ndouble f(double x) {\n    return log(x) + sqrt(x);\n}\n"
        with tempfile.TemporaryDirectory() as root:
            self.build(root, "actors/risk/a.c", text)
            found = self.found("symbols", {"actors/risk/a.c": text}, root)
            self.assertEqual([(p, n) for p, n, _ in found], [("actors/risk/a.c", 3)])
            self.assertIn("uses log of libm", found[0][2])
        with tempfile.TemporaryDirectory() as root:
            self.build(root, "actors/report/a.c", text)
            self.build(root, "quant/a.c", text.replace("log", "floor"))
            self.assertEqual(self.found("symbols", {}, root), [])

    def test_built_tree(self):
        """The tree as built keeps to the list."""
        program = os.environ.get("SHRIKE_BIN", "")
        if not os.path.isfile(program):
            self.skipTest("SHRIKE_BIN names no built program")
        self.assertEqual(list(rules.symbols(rules.Tree(ROOT, os.path.dirname(program)))), [])


class Tools(Sample):
    """clang-format and cppcheck."""

    def test_form(self):
        """A badly set line is found."""
        if not rules.tool(("clang-format-14",)):
            self.skipTest("clang-format-14 is not installed")
        self.red("form", {"cli/a.c": "int a;\nint  b ;\n"}, "cli/a.c", 2, "./dev fmt")
        self.green("form", {"cli/a.c": "int a;\nint b;\n"})
        self.red("form", {"cli/a.c": "int a;\n/* " + "x" * 99 + " */\n"}, "cli/a.c", 2, "105 columns")

    def test_cppcheck(self):
        """A null pointer that is followed is found."""
        if not rules.tool(("cppcheck",)):
            self.skipTest("cppcheck is not installed")
        text = "int f(void) {\n    int *p = 0;\n    return *p;\n}\n"
        self.red("cppcheck", {"cli/a.c": text}, "cli/a.c", 3, "nullPointer")
        self.green("cppcheck", {"cli/a.c": text.replace("*p;", "p == 0;")})


class Scanner(unittest.TestCase):
    """The reader of C itself."""

    def test_lines(self):
        """Lines are counted through strings, comments and continued directives."""
        text = '#define X \\\n  1\n/* a\nb */ char *s = "/*";\nint \\u00e9;\n'
        lines = [(t.text, t.line) for t in csource.tokens(text) if t.kind == "word"]
        self.assertIn(("s", 4), lines)
        self.assertEqual(lines[-1][1], 5)

    def test_broken(self):
        """Text that is not C ends the reading without a fault."""
        for text in ("{{{", ")))", "struct x {", "int f(", 'char *s = "x', "/* open", "#", "\\"):
            csource.Source("x.c", text)


class Count(unittest.TestCase):
    """The closing line of ./dev test."""

    CASE = '<testcase name="a" status="{}">{}<system-out>{}</system-out></testcase>'

    def of(self, status, extra, out):
        """Counts one ctest case."""
        return count.of_case(count.tree.fromstring(self.CASE.format(status, extra, out)))

    def test_cases(self):
        """cmocka's and unittest's summaries, bare programs, crashes, skipped programs."""
        cmocka = "[==========] 3 test(s) run.\n[  PASSED  ] 2 test(s).\n[  SKIPPED ] 1 test(s), x\n"
        self.assertEqual(self.of("run", "", cmocka), (2, 0, 1))
        self.assertEqual(self.of("fail", "<failure/>", cmocka + "[  FAILED  ] 4 test(s), x\n"),
                         (2, 4, 1))
        self.assertEqual(self.of("fail", "<failure/>", cmocka), (2, 1, 1))
        self.assertEqual(self.of("fail", "<failure/>", ""), (0, 1, 0))
        self.assertEqual(self.of("run", "", "hello"), (1, 0, 0))
        self.assertEqual(self.of("notrun", "<skipped/>", ""), (0, 0, 1))
        self.assertEqual(self.of("run", "", "Ran 7 tests in 1s\n\nOK (skipped=2)\n"), (5, 0, 2))
        self.assertEqual(self.of("fail", "<failure/>",
                                 "Ran 7 tests in 1s\n\nFAILED (failures=1, errors=2)\n"), (4, 3, 0))

    def test_missing(self):
        """A result file that is not there fails the whole."""
        code = subprocess.run([sys.executable, os.path.join(HERE, "count.py"), "nowhere.xml"],
                              capture_output=True, text=True, check=False)
        self.assertEqual((code.returncode, code.stdout), (1, "0 passed, 1 failed, 0 skipped\n"))


if __name__ == "__main__":
    unittest.main(verbosity=1)
