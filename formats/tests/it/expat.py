"""What expat finds in JUnit files: for each file of standard input one line of JSON, the texts of its tests
and suites in the order in which they end, or null where expat refuses it.

The rules of what belongs to what are those of formats/src/input/junit.rs; every character comes from expat.
"""

import json
import sys
from xml.parsers import expat

FINDINGS = {"failure": False, "error": False, "skipped": False, "flakyFailure": True,
            "flakyError": True, "rerunFailure": True, "rerunError": True}
STREAMS = {"system-out": "output", "system-err": "errout", "stackTrace": "stack", "time": None,
           "property": None}


def append(texts, key, text, between=""):
    """Adds text that is more than blanks."""
    if text and text.strip():
        texts[key] = texts[key] + between + text if texts[key] else text


def texts():
    return dict.fromkeys(("message", "details", "output", "errout", "stack"))


def without_margin(text):
    text = text.rstrip()
    indent = len(text) - len(text.lstrip())
    return text[text[:indent].rfind("\n") + 1:]


class Reader:
    def __init__(self):
        self.open, self.suites, self.cases, self.found = [], [], [], []
        self.finding = self.stream = None

    def start(self, name, attributes):
        kind = "other"
        if name in ("testsuite", "testsuites"):
            kind = "suite"
            self.suites.append({**texts(), "name": attributes.get("name") or None, "bad": False})
        elif name == "testcase":
            kind = "case"
            names = [suite["name"] for suite in self.suites if suite["name"]]
            group = attributes.get("classname", attributes.get("class", names[-1] if names else None))
            parts = [part for part in (group or None, attributes.get("name")) if part is not None]
            self.cases.append({**texts(), "id": "::".join(parts) or "(unnamed)", "attempts": []})
        elif self.stream is not None:
            pass
        elif self.finding is None and name in FINDINGS:
            kind = "finding"
            self.finding = {**texts(), "element": name, "text": ""}
            self.finding["message"] = attributes.get("message") or None
        elif name in STREAMS:
            kind = "stream"
            self.stream = [STREAMS[name], ""]
        self.open.append(kind)

    def text(self, text):
        if self.stream is not None:
            self.stream[1] += text
        elif self.finding is not None:
            self.finding["text"] += text

    def end(self, _name):
        kind = self.open.pop()
        if kind == "suite":
            suite = self.suites[-1]
            names = [outer["name"] for outer in self.suites if outer["name"]]
            self.suites.pop()
            if suite["output"] or suite["errout"]:
                name = names[-1] if names else ""
                self.found.append(["suite", name, suite["output"], suite["errout"]])
        elif kind == "case":
            case = self.cases.pop()
            fields = ("id", "message", "details", "output", "errout", "attempts")
            self.found.append(["test"] + [case[field] for field in fields])
        elif kind == "stream":
            key, text = self.stream
            self.stream = None
            place = self.finding or (self.cases or self.suites)[-1]
            if key is not None:
                append(place, key, text, "\n" if key == "stack" else "")
        elif kind == "finding":
            self.end_finding()

    def end_finding(self):
        finding, self.finding = self.finding, None
        text = without_margin(finding["text"])
        if finding["element"] == "skipped" and not finding["message"] and text and "\n" not in text:
            finding["message"] = text.lstrip()
        else:
            append(finding, "details", text)
        append(finding, "details", finding["stack"], "\n")
        if not self.cases:
            return
        if FINDINGS[finding["element"]]:
            fields = ("message", "details", "output", "errout")
            self.cases[-1]["attempts"].append([finding[field] for field in fields])
            return
        for key, between in (("message", "\n"), ("details", "\n\n"), ("output", ""), ("errout", "")):
            append(self.cases[-1], key, finding[key], between)


def read(path):
    reader, parser = Reader(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    with open(path, "rb") as file:
        try:
            parser.ParseFile(file)
        except expat.ExpatError:
            return None
    return reader.found


for line in sys.stdin:
    print(json.dumps(read(line.rstrip("\n"))), flush=True)
