#!/usr/bin/env python3
"""Sums up what ctest ran: one plain line, `N passed, N failed, N skipped`.

Usage   count.py JUNIT.xml...
Counts  the single tests a program told of (cmocka, unittest); a program that told nothing, or that
        ended badly without telling of a failure, counts as one. A missing file is a failure.
Exit    0 when nothing failed and something passed, else 1.
"""
import re
import sys
import xml.etree.ElementTree as tree


def of_output(text):
    """Returns (passed, failed, skipped) as the program's own summary says, None without one."""
    found = {"PASSED": 0, "FAILED": 0, "SKIPPED": 0}
    seen = False
    for word, cnt in re.findall(r"^\[\s+(PASSED|FAILED|SKIPPED)\s+\] (\d+) test\(s\)", text, re.M):
        found[word] += int(cnt)
        seen = True
    if seen:
        return found["PASSED"], found["FAILED"], found["SKIPPED"]
    ran = re.search(r"^Ran (\d+) tests? in ", text, re.M)
    if not ran:
        return None
    counts = {k: int(n) for k, n in re.findall(r"(failures|errors|skipped)=(\d+)", text[ran.end():])}
    failed = counts.get("failures", 0) + counts.get("errors", 0)
    skipped = counts.get("skipped", 0)
    return max(0, int(ran.group(1)) - failed - skipped), failed, skipped


def of_case(case):
    """Returns (passed, failed, skipped) of one ctest program."""
    told = of_output(case.findtext("system-out") or "")
    if case.find("skipped") is not None or case.get("status") == "disabled":
        return (0, 0, 1)
    if case.get("status") == "run" and case.find("failure") is None:
        return told or (1, 0, 0)
    if told and told[1]:
        return told
    return (told[0] if told else 0, 1, told[2] if told else 0)


def main(paths):
    """Prints the line for all files; returns the exit code."""
    total = [0, 0, 0]
    for path in paths:
        try:
            cases = list(tree.parse(path).getroot().iter("testcase"))
        except (OSError, tree.ParseError) as problem:
            print(f"{path}: {problem}", file=sys.stderr)
            total[1] += 1
            continue
        for case in cases:
            counted = of_case(case)
            if counted[1]:
                print(f"failed: {path.rsplit('/', 1)[-1].split('.')[0]} {case.get('name')}",
                      file=sys.stderr)
            total = [a + b for a, b in zip(total, counted)]
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped", flush=True)
    return 0 if total[1] == 0 and total[0] > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
