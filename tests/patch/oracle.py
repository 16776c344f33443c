#!/usr/bin/env python3
"""Records what the real Codex makes of random patches, for tests/patch/main.rs to compare ours with.

Run by hand, with a native codex binary at hand (npm package @openai/codex, vendor/*/bin/codex):

    python3 tests/patch/oracle.py CODEX --count 5000 --seed 7 --out /tmp/cases.jsonl
    PATCH_CASES=/tmp/cases.jsonl cargo test --test patch -- --nocapture

The cases in the repository, few of each kind and small, were made with

    python3 tests/patch/oracle.py CODEX --count 4000 --seed 1 --keep 600 --out tests/patch/cases.jsonl

A case is one JSON line: `files` before, `patch`, `exit` and the first line of `stderr` (the folder as $CWD) of the real
program, and `after`, the files it left, absent if it changed none. A file is its text, or {"hex": …} if it is not UTF-8.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import tempfile

WORDS = ["a", "b", "fn f() {", "}", "    x = 1", "\ty", "", "", "end", "“q” – r", "é ü", "日本", "x\u00a0y", "*** z", "@@ w", "-m", "+p"]
FOLDED = {"“": '"', "”": '"', "–": "-", "\u00a0": " "}


def text_of(rng):
    kind = rng.random()
    if kind < 0.03:
        return ""
    count = rng.choice([1, 2, 3, 5, 8, 12, 20])
    lines = [rng.choice(WORDS) + ("" if rng.random() < 0.5 else str(rng.randrange(6))) for _ in range(count)]
    if rng.random() < 0.25 and count > 2:
        lines += lines[: count // 2]
    if rng.random() < 0.2:
        lines = [line + rng.choice(["", " ", "\t", "  "]) for line in lines]
    if rng.random() < 0.05:
        lines = [line + rng.choice(["", "\r"]) for line in lines]
    style = rng.choice(["\n", "\n", "\r\n", None])
    ended = [line + (style or rng.choice(["\n", "\r\n"])) for line in lines]
    text = "".join(ended)
    return text.rstrip("\r\n") if rng.random() < 0.3 else text


def lines_of(text):
    lines = text.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    return [line[:-1] if line.endswith("\r") else line for line in lines]


def misspell(rng, line):
    kind = rng.randrange(6)
    if kind == 0:
        return line.strip()
    if kind == 1:
        return line + " "
    if kind == 2:
        return "  " + line
    if kind == 3:
        return "".join(FOLDED.get(c, c) for c in line)
    if kind == 4:
        return line.replace('"', "“").replace("-", "—")
    return line + rng.choice(["", "Q"])


def chunk_of(rng, lines, start, sloppy):
    """One chunk for the lines from `start` on, and where it ends."""
    out = []
    lead = rng.randrange(4)
    if rng.random() < 0.25 and start > 0:
        headers = [lines[rng.randrange(start)]]
        if rng.random() < 0.3:
            headers.append(lines[rng.randrange(start)])
        out += ["@@ " + (misspell(rng, h) if rng.random() < sloppy else h) for h in headers]
    elif rng.random() < 0.85:
        out.append("@@")
    end = min(len(lines), start + lead + rng.randrange(1, 5))
    body = []
    for line in lines[start:end]:
        shown = misspell(rng, line) if rng.random() < sloppy else line
        kind = rng.random()
        if kind < 0.55:
            body.append("" if shown == "" and rng.random() < 0.5 else " " + shown)
        elif kind < 0.8:
            body.append("-" + shown)
        else:
            body.append("-" + shown)
            body.append("+" + rng.choice(WORDS))
        if rng.random() < 0.2:
            body.append("+" + rng.choice(WORDS + ["new"]))
    if rng.random() < 0.08:
        body = ["+" + rng.choice(WORDS) for _ in range(rng.randrange(1, 3))]
    if rng.random() < 0.12:
        body.append(rng.choice(["", " ", "-", "+"]))
    if (end == len(lines) and rng.random() < 0.4) or rng.random() < 0.04:
        body.append("*** End of File")
    if not body and rng.random() < 0.95:
        return [], end
    return out + body, end


def update_of(rng, path, text):
    lines = lines_of(text)
    sloppy = rng.choice([0, 0, 0, 0.1, 0.5])
    out = [f"*** Update File: {path}"]
    if rng.random() < 0.15:
        out.append("*** Move to: " + rng.choice(["moved.txt", "sub/moved.txt", "b.txt", path, "./" + path, "sub/../" + path]))
    at = 0
    for _ in range(rng.choice([1, 1, 2, 3])):
        start = min(len(lines), at + rng.randrange(4))
        chunk, at = chunk_of(rng, lines, start, sloppy)
        if rng.random() < 0.04:
            at = 0
        out += chunk
    if len(out) < 3 and rng.random() < 0.9:
        out.append("+" + rng.choice(WORDS))
    return out


def patch_of(rng, files):
    names = list(files) or ["a.txt"]
    out = []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        kind = rng.random()
        name = rng.choice(names)
        path = rng.choice([name] * 8 + ["./" + name, "sub/../" + name])
        if kind < 0.75:
            text = files.get(name, "")
            out += update_of(rng, path, text if isinstance(text, str) else "a\n")
        elif kind < 0.88:
            path = rng.choice([path, "new.txt", "sub/deep/new.txt", "a.txt/below"])
            out += [f"*** Add File: {path}"] + ["+" + rng.choice(WORDS) for _ in range(rng.randrange(4))]
            if rng.random() < 0.3:
                names.append("new.txt")
        else:
            out += ["*** Delete File: " + rng.choice([path, path, "missing.txt", "sub"])]
    if rng.random() < 0.12:
        out = spoil(rng, out)
    out = ["*** Begin Patch"] + (["*** Environment ID: here"] if rng.random() < 0.02 else []) + out + ["*** End Patch"]
    if rng.random() < 0.06:
        out = spoil(rng, out)
    if rng.random() < 0.05:
        out = [rng.choice(["<<EOF", "<<'EOF'", '<<"EOF"', "<<PATCH"])] + out + ["EOF"]
    if rng.random() < 0.05:
        out = [line + "\r" for line in out]
    return "\n".join(out) + rng.choice(["", "\n", "\n\n"])


def spoil(rng, lines):
    lines = list(lines)
    at = rng.randrange(len(lines)) if lines else 0
    kind = rng.randrange(5)
    if kind == 0 and lines:
        del lines[at]
    elif kind == 1 and lines:
        lines.insert(at, lines[rng.randrange(len(lines))])
    elif kind == 2 and lines:
        lines[at] = rng.choice([" ", "  ", "\t"]) + lines[at]
    elif kind == 3 and lines:
        lines[at] = lines[at] + rng.choice([" ", "x"])
    else:
        junk = ["", " ", "junk", "@@", "@@ b", "@@x", "*** End of File", "*** End Patch", "*** Move to: m.txt", "*** Add File:", "```"]
        lines.insert(at, rng.choice(junk))
    return lines


def case_of(rng):
    files = {}
    for name in rng.sample(["a.txt", "b.txt", "sub/c.txt"], rng.choice([1, 1, 2, 3])):
        files[name] = text_of(rng)
    if rng.random() < 0.02:
        files["a.txt"] = {"hex": "610aff0a"}
    return files, patch_of(rng, files)


def write_tree(root, files):
    for name, text in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(bytes.fromhex(text["hex"]) if isinstance(text, dict) else text.encode())


def read_tree(root):
    files = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                content = file.read()
            try:
                files[os.path.relpath(path, root)] = content.decode()
            except UnicodeDecodeError:
                files[os.path.relpath(path, root)] = {"hex": content.hex()}
    return files


def record(program, home, root, files, patch):
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root)
    write_tree(root, files)
    env = {**os.environ, "CODEX_HOME": home}
    run = subprocess.run([program], input=patch.encode(), cwd=root, capture_output=True, env=env)
    stderr = run.stderr.decode().replace(os.path.realpath(root), "$CWD").split("\n")[0]
    case = {"files": files, "patch": patch, "exit": run.returncode}
    if stderr:
        case["stderr"] = stderr
    after = read_tree(root)
    if after != files:
        case["after"] = after
    return case


def kind_of(case):
    """Cases of a kind are alike enough that a few of them do."""
    words = [word for word in ("@@ ", "*** End of File", "*** Move", "*** Add", "*** Delete", "\r") if word in case["patch"]]
    unterminated = any(isinstance(t, str) and t and not t.endswith("\n") for t in case["files"].values())
    crlf = any(isinstance(t, str) and "\r" in t for t in case["files"].values())
    stderr = case.get("stderr", "").split("'")[0].split("$")[0].split(",")[0]
    sections = case["patch"].count(" File: ")
    stderr += "@@" if "'@@" in case.get("stderr", "") else ""
    # Patches that apply say most, so more of them are kept.
    size = len(case["patch"]) // 30 if case["exit"] == 0 or "@@" in stderr else 0
    return (case["exit"], stderr, size, "after" in case, tuple(words), unterminated, crlf, min(sections, 2))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("codex")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=int, help="keep this many at most, the smallest of every kind")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    # The program finds out by its name what it is to do, and refuses a home below /tmp.
    home = tempfile.mkdtemp(prefix="oracle-", dir=os.path.expanduser("~"))
    try:
        program = os.path.join(home, "apply_patch")
        os.symlink(os.path.realpath(args.codex), program)
        cases = [record(program, home, os.path.join(home, "tree"), *case_of(rng)) for _ in range(args.count)]
    finally:
        shutil.rmtree(home)
    if args.keep:
        kinds = {}
        for case in sorted(cases, key=lambda case: len(json.dumps(case))):
            kinds.setdefault(kind_of(case), []).append(case)
        cases, row = [], 0
        while len(cases) < args.keep and any(row < len(group) for group in kinds.values()):
            cases += [group[row] for group in kinds.values() if row < len(group)]
            row += 1
        cases = cases[: args.keep]
    with open(args.out, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)
    print(f"{len(cases)} cases, {os.path.getsize(args.out)} bytes")


if __name__ == "__main__":
    main()
