"""C source as a lint needs it: tokens with lines, and what stands at the top of a file.

Not a compiler: macros are not expanded, and of every conditional all branches are read. It knows
comments, strings, directives and brackets, and tells top-level functions, structs and their fields
with the comments that stand by them.
"""
import re
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/|//(?:\\\n|[^\n])*)
      |(?P<directive>(?m:^)[ \t]*\#(?:\\\n|/\*.*?\*/|[^\n])*)
      |(?P<string>(?:u8|[uUL])?"(?:\\.|[^"\\\n])*"|[uUL]?'(?:\\.|[^'\\\n])*')
      |(?P<word>[A-Za-z_]\w*)
      |(?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
      |(?P<punct>\.\.\.|->|[^\s\w])
      |(?P<space>\n|[^\S\n]+)""",
    re.S | re.X,
)


@dataclass
class Token:
    """A token: its kind (a group of TOKEN), text, first and last line (from 1)."""

    kind: str
    text: str
    line: int
    end: int


def tokens(text):
    """Returns all tokens of text but space."""
    out, line = [], 1
    for match in TOKEN.finditer(text):
        part = match.group()
        lines = part.count("\n")
        if match.lastgroup != "space":
            if match.lastgroup == "directive":  # a block comment may follow on its line
                out.append(Token("directive", part, line, line + lines))
            else:
                out.append(Token(match.lastgroup, part, line, line + lines))
        line += lines
    return out


@dataclass
class Item:
    """Something at the top of a file: kind is function (defined), prototype, struct, union, enum,
    field; commented tells whether a comment stands where it should."""

    kind: str
    name: str
    line: int
    commented: bool
    static: bool = False
    body: list = field(default_factory=list)  # tokens of a function's body


OPEN = {"(": ")", "[": "]", "{": "}"}
NOT_NAMES = {"__attribute__", "_Alignas", "_Alignof", "__asm__", "asm", "typeof", "__typeof__",
             "__extension__", "_Atomic", "__declspec", "sizeof", "_Static_assert", "static_assert",
             "defined"}


def closing(code, at):
    """Returns the index of the bracket that closes the one at code[at], or the last index."""
    depth = 0
    for i in range(at, len(code)):
        if code[i].text in OPEN and code[i].kind == "punct":
            depth += 1
        elif code[i].kind == "punct" and code[i].text in ")]}":
            depth -= 1
            if depth == 0:
                return i
    return len(code) - 1


class Source:
    """One file: its tokens, comments by line, and items."""

    def __init__(self, path, text):
        """Reads text; path is only a name."""
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        self.tokens = tokens(text)
        self.code = [t for t in self.tokens if t.kind not in ("comment", "directive")]
        self.comment_ends = {}  # last line of a comment -> its first line
        self.comment_starts = set()
        self.directive_lines = {}
        code_lines = {}
        name = path.rsplit("/", 1)[-1]
        for t in self.tokens:
            if t is self.tokens[0] and t.text.startswith(f"/* {name}"):
                continue  # about the file, not about what follows
            if t.kind == "comment":
                self.comment_ends[t.end] = t.line
                self.comment_starts.add(t.line)
            elif t.kind == "directive":
                if re.match(r"\s*#\s*(?:if|el|endif)", t.text):
                    for n in range(t.line, t.end + 1):
                        self.directive_lines[n] = t.line
                if "/*" in t.text:
                    self.comment_starts.add(t.end)
            else:
                for n in range(t.line, t.end + 1):
                    code_lines[n] = True
        self.code_lines = code_lines
        self.items = []
        self._read_top()

    def above(self, line):
        """Tells whether a comment stands directly above line: on lines of its own, with nothing
        but conditionals between."""
        line -= 1
        while line in self.directive_lines:
            line = self.directive_lines[line] - 1
        return line in self.comment_ends and self.comment_ends[line] not in self.code_lines

    def beside(self, first, last):
        """Tells whether a comment begins on one of these lines."""
        return any(n in self.comment_starts for n in range(first, last + 1))

    def _read_top(self):
        """Walks the top level, statement by statement."""
        code, i = self.code, 0
        while i < len(code):
            i = self._read_statement(i)

    def _read_statement(self, i):
        """Reads one top-level declaration from code[i]; returns the index after it."""
        code, start = self.code, i
        first = code[i]
        if first.text == ";":
            return i + 1
        if first.text == "extern" and i + 2 < len(code) and code[i + 1].kind == "string":
            return i + 3 if code[i + 2].text == "{" else i + 2
        if first.text == "}":
            return i + 1
        if (first.kind == "word" and first.text.isupper() and i + 1 < len(code)
                and code[i + 1].text == "("):
            end = closing(code, i + 1)  # a macro that makes declarations, perhaps without ';'
            if end + 1 < len(code) and code[end + 1].line > code[end].end:
                return end + 1
        name = None
        tag = None
        assigned = False
        while i < len(code):
            t = code[i]
            if t.text == ";":
                if name and not assigned and code[start].text != "typedef":
                    self._add_function("prototype", name, start, [])
                    self.items[-1].commented |= self.beside(first.line, t.line)
                elif code[start].text == "typedef" and tag is None:
                    self.items.append(Item("typedef", code[i - 1].text, first.line,
                                           self.above(first.line) or
                                           self.beside(first.line, t.line)))
                return i + 1
            if t.text == "=":
                assigned = True
            elif t.text in ("struct", "union", "enum") and not assigned and name is None:
                tag = self._tag_at(i)
                if tag:
                    i = self._read_body(t.text, tag[0], start, tag[1])
                    continue
            elif t.text == "(":
                before = code[i - 1] if i > start else None
                if (not assigned and name is None and before is not None and before.kind == "word"
                        and before.text not in NOT_NAMES and i + 1 < len(code)
                        and code[i + 1].text != "*"):
                    name = before.text
                i = closing(code, i)
            elif t.text == "{":
                end = closing(code, i)
                if name and not assigned:
                    self._add_function("function", name, start, code[i + 1 : end])
                    return end + 1
                i = end
            elif t.text == "[":
                i = closing(code, i)
            i += 1
        return i

    def _tag_at(self, i):
        """For struct, union or enum at code[i]: (name, index of its '{'), or None when no body
        follows."""
        code = self.code
        i += 1
        while i < len(code) and code[i].text in ("__attribute__", "_Alignas"):
            i = closing(code, i + 1) + 1
        name = ""
        if i < len(code) and code[i].kind == "word":
            name = code[i].text
            i += 1
        if i < len(code) and code[i].text == "{":
            return name, i
        return None

    def _add_function(self, kind, name, start, body):
        """Records a function that begins at code[start]."""
        line = self.code[start].line
        static = any(t.text == "static" for t in self.code[start : start + 6])
        self.items.append(Item(kind, name, line, self.above(line), static, body))

    def _read_body(self, kind, name, start, at):
        """Records a struct, union or enum whose declaration begins at code[start] and whose '{' is
        code[at], with its fields; returns the index after its '}'."""
        code = self.code
        end = closing(code, at)
        line = code[start].line
        commented = (self.above(line) or self.beside(line, code[at].line) or
                     self.beside(code[end].line, code[end].line))
        if kind == "enum" and not commented:  # or each constant on its own
            lines = {t.line for t in code[at + 1 : end]}
            commented = all(n in self.comment_starts or self.above(n) for n in lines)
        self.items.append(Item(kind, name, line, commented))
        if kind != "enum":
            self._read_fields(name, at + 1, end)
        return end + 1

    def _read_fields(self, owner, i, end):
        """Records the fields between code[i] and code[end]."""
        code = self.code
        while i < end:
            start = i
            last_word = ""
            pointer = ""
            nested = False
            while i < end and code[i].text != ";":
                t = code[i]
                if t.text in ("struct", "union", "enum"):
                    tag = self._tag_at(i)
                    if tag:
                        i = self._read_body(t.text, tag[0] or owner, start, tag[1])
                        nested = True
                        continue
                if t.text == "(":
                    stop = closing(code, i)
                    if stop > i + 1 and code[i + 1].text == "*" and not pointer:
                        words = [x.text for x in code[i:stop] if x.kind == "word"]
                        pointer = words[0] if words else ""
                    i = stop
                elif t.text in ("[", "{"):
                    i = closing(code, i)
                elif t.kind == "word" and t.text not in NOT_NAMES:
                    last_word = t.text
                i += 1
            if i > start and code[start].text not in ("_Static_assert", "static_assert"):
                first, last = code[start].line, code[min(i, end)].line
                name = pointer or last_word or "?"
                if not nested:
                    self.items.append(Item("field", f"{owner}.{name}", first,
                                           self.above(first) or self.beside(first, last)))
            i += 1
