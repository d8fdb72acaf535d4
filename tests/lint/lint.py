#!/usr/bin/env python3
"""Reads the tree and says where it is not as DESIGN.md and STYLE.md want it.

Usage   lint.py [--root DIR] [--build DIR] [RULE...]   (all rules without one; `--list` tells them)
Output  PATH:LINE: RULE: what is wrong; on stdout, sorted
Exit    0 when nothing was found, 1 when something was, 2 for a wrong call
"""
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import rules  # noqa: E402


def main(args):
    """Runs the rules asked for; returns the exit code."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    build, wanted = None, []
    while args:
        arg = args.pop(0)
        if arg == "--root" and args:
            root = os.path.abspath(args.pop(0))
        elif arg == "--build" and args:
            build = os.path.abspath(args.pop(0))
        elif arg == "--list":
            for name, rule in rules.RULES.items():
                print(f"{name:10} {' '.join(rule.__doc__.split())}")
            return 0
        elif arg in rules.RULES:
            wanted.append(arg)
        else:
            print(f"lint: no rule {arg}; there are {', '.join(rules.RULES)}", file=sys.stderr)
            return 2
    began = time.monotonic()
    tree = rules.Tree(root, build or os.path.join(root, "build", "release"))
    wanted = wanted or list(rules.RULES)
    found = []

    def run(name):
        """Runs one rule and keeps what it found."""
        for path, line, text in rules.RULES[name](tree):
            found.append((path, line, name, text))

    slow = [threading.Thread(target=run, args=(n,)) for n in ("cppcheck", "form") if n in wanted]
    for thread in slow:
        thread.start()
    for name in wanted:
        if name not in ("cppcheck", "form"):
            run(name)
    for thread in slow:
        thread.join()
    for path, line, name, text in sorted(set(found)):
        print(f"{path}:{line}: {name}: {text}")
    sys.stdout.flush()
    print(f"lint: {len(tree.c_paths())} C files, {len(wanted)} rules, "
          f"{len(set(found))} findings, {time.monotonic() - began:.1f} s", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
