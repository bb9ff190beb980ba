"""Makes all five calls of the original protocol, as a build client would. Argument: the collector's URL."""

import sys
import xmlrpc.client

server = xmlrpc.client.ServerProxy(sys.argv[1] + "xmlrpc", allow_none=True)
tags = ["nightly", "python3"]
who = {"package": "hay loft", "host": "shed", "arch": "linux-x86_64", "tags": tags}

# Nothing is known yet.
flag, reason = server.check_should_build(who, True, 600)
assert flag is True and reason, (flag, reason)
# Reserved by the call before.
flag, reason = server.check_should_build(who)
assert flag is False, reason
assert server.get_tagsets_for_package("hay loft") == []
assert server.get_last_result_for_tagset("hay loft", tags) == 0

steps = [
    {
        "type": "setup",
        "name": "checkout",
        "status": 0,
        "out": "",
        "errout": "",
        "version_info": None,
        "create cache": {"status": 0, "output": "done\n", "command": ["git", "clone"]},
    },
    {
        "type": "test",
        "name": "check",
        "status": -11,
        "command": "['make', 'check']",
        "output": "  3 < 4 & counting \u2713\n\n",
        "errout": "Segmentation fault\n",
        "duration": 0.011122941970825195,
    },
    {"type": "file_upload", "description": "the log", "filesize": 40213, "errout": "", "status": 0},
]
info = dict(who, success=False, duration=12.5, tempdir="/tmp/tmpZ1x", virtualenv=True, colour=None)
key, auth_key = server.add_results(info, steps)
assert isinstance(key, int) and isinstance(auth_key, str) and auth_key.isalnum(), (key, auth_key)

for name in (key, str(key)):
    receipt, got_info, got_steps = server.get_results(name)
    assert got_info == info, got_info
    assert got_steps == steps, got_steps
    assert receipt["result_key"] == str(key), receipt
    assert isinstance(receipt["time"], float) and isinstance(receipt["client_ip"], str), receipt

(tagset,) = server.get_tagsets_for_package("hay loft")
full = tags + ["__package=hay loft", "__arch=linux-x86_64", "__host=shed"]
assert sorted(tagset) == sorted(full), tagset
for _ in range(3):
    assert server.get_last_result_for_tagset("hay loft", full)[0]["result_key"] == str(key)
assert server.get_last_result_for_tagset("hay loft", tags) == 0

# The result was no success, so a build is wanted again.
flag, reason = server.check_should_build(who)
assert flag is True, reason
second, _ = server.add_results(dict(info, success=True), [])
assert second > key, (second, key)
assert server.check_should_build(who, False)[0] is False

for method, arguments in [
    ("no_such_method", ()),
    ("coordinator.__class__", ()),
    ("add_results", ()),
    ("add_results", ({}, [])),
    ("add_results", (info, {"a": 1})),
    ("get_results", ("99",)),
]:
    try:
        getattr(server, method)(*arguments)
    except xmlrpc.client.Fault as fault:
        assert fault.faultString, method
    else:
        raise AssertionError(f"{method}{arguments} was no fault")

print(key, second)
