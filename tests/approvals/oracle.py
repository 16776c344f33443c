#!/usr/bin/env python3
"""Asks the real Codex what it does with the calls of alignment.tsv, and writes its word into the column `codex`.

Usage: oracle.py CODEX FOLDER [alignment.tsv]

CODEX is the program, FOLDER an empty one outside of temporary folders, which Codex does not trust with its sandbox. A server on the
loopback speaks for the model; the app-server's questions are declined, and what came of each call is read from its output.
"""

import http.server
import json
import os
import subprocess
import sys
import threading

RULES = """prefix_rule(pattern=["terraform"], decision="forbidden", justification="no")
prefix_rule(pattern=["npm", "publish"], decision="prompt")
prefix_rule(pattern=["touch", "ruled"], decision="allow")
"""

CONFIG = """model = "gpt-5.5"
model_provider = "fake"
[model_providers.fake]
name = "fake"
base_url = "http://127.0.0.1:{port}/v1"
wire_api = "responses"
[features]
exec_permission_approvals = true
"""


class Model(http.server.BaseHTTPRequestHandler):
    call, output = None, None
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        last = body["input"][-1]
        if last.get("type", "").endswith("_output"):
            Model.output = last["output"]
            item = {"type": "message", "role": "assistant", "id": "m", "content": [{"type": "output_text", "text": "ok"}]}
        else:
            item = Model.call
        usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        events = [
            {"type": "response.created", "response": {"id": "r"}},
            {"type": "response.output_item.done", "item": item},
            {"type": "response.completed", "response": {"id": "r", "usage": usage}},
        ]
        text = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class Codex:
    def __init__(self, program, folder, port):
        self.project = os.path.join(folder, "project")
        home = os.path.join(folder, "home")
        os.makedirs(os.path.join(home, "rules"), exist_ok=True)
        os.makedirs(os.path.join(self.project, ".git", "hooks"), exist_ok=True)
        with open(os.path.join(home, "config.toml"), "w") as file:
            file.write(CONFIG.format(port=port))
        with open(os.path.join(home, "rules", "default.rules"), "w") as file:
            file.write(RULES)
        env = dict(os.environ, CODEX_HOME=home, OPENAI_API_KEY="x")
        pipe = subprocess.PIPE
        self.server = subprocess.Popen(
            [program, "app-server"], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=env, text=True, cwd=self.project
        )
        self.number = 0
        self.request("initialize", {"clientInfo": {"name": "oracle", "version": "1"}, "capabilities": {"experimentalApi": True}})
        self.send({"method": "initialized"})

    def send(self, message):
        self.server.stdin.write(json.dumps(message) + "\n")
        self.server.stdin.flush()

    def read(self):
        return json.loads(self.server.stdout.readline())

    def request(self, method, params):
        self.number += 1
        self.send({"id": self.number, "method": method, "params": params})
        while True:
            message = self.read()
            if message.get("id") == self.number and "method" not in message:
                return message

    def verdict(self, approval, sandbox, call):
        started = self.request("thread/start", {"cwd": self.project, "approvalPolicy": approval, "sandbox": sandbox})
        if "error" in started:
            return "error"
        Model.call, Model.output, asked = call, "", False
        thread = started["result"]["thread"]["id"]
        self.request("turn/start", {"threadId": thread, "input": [{"type": "text", "text": "go"}]})
        while True:
            message = self.read()
            method = message.get("method", "")
            if method.endswith("requestApproval"):
                asked = True
                self.send({"id": message["id"], "result": {"decision": "decline"}})
            elif method == "turn/completed":
                break
        output = Model.output if isinstance(Model.output, str) else json.dumps(Model.output)
        if asked:
            return "ask"
        refused = ("Rejected(", "policy is Never", "rejected", "reject command")
        return "refuse" if any(mark in output for mark in refused) else "allow"


def call_of(kind, text):
    if kind == "patch":
        patch = f"*** Begin Patch\n*** Add File: {text}\n+x\n*** End Patch"
        return {"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": patch}
    arguments = {"cmd": text, "login": False}
    if kind == "escalated":
        arguments.update(sandbox_permissions="require_escalated", justification="May it?")
    return {"type": "function_call", "call_id": "c", "name": "exec_command", "arguments": json.dumps(arguments)}


def main():
    program, folder = sys.argv[1:3]
    table = sys.argv[3] if len(sys.argv) > 3 else os.path.join(os.path.dirname(__file__), "alignment.tsv")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    codex = Codex(program, folder, server.server_address[1])
    lines = []
    with open(table) as file:
        for line in file:
            if line.startswith("#") or not line.strip():
                lines.append(line)
                continue
            approval, sandbox, kind, text, _, *rest = line.rstrip("\n").split("\t")
            verdict = codex.verdict(approval, sandbox, call_of(kind, text))
            lines.append("\t".join([approval, sandbox, kind, text, verdict, *rest]) + "\n")
    codex.server.kill()
    with open(table, "w") as file:
        file.writelines(lines)


main()
