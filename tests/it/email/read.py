"""Reads every mail in the folder that is named and writes what it sees as JSON. Python's own parser, strict policy."""

import email
import email.header
import email.policy
import email.utils
import json
import os
import sys

# What servers on the way put on top of a mail; the mail as it was sent begins below.
ADDED = ("return-path", "x-original-to", "delivered-to", "received")


def decoded(text):
    """Header bytes beyond ASCII are UTF-8 (RFC 6532); the parser leaves them as it found them."""
    return str(text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def people(message, raw, name):
    """The addresses are the strict parser's. It keeps the space between the encoded words of a long name, so names are
    decoded by the older one, which follows RFC 2047 6.2 there."""
    if name not in message:
        return []
    phrases = [phrase for phrase, _ in email.utils.getaddresses(str(value) for value in raw.get_all(name))]
    names = [str(email.header.make_header(email.header.decode_header(phrase))) for phrase in phrases]
    addresses = [decoded(address.addr_spec) for address in message[name].addresses]
    assert len(names) == len(addresses), (names, addresses)
    return [list(person) for person in zip(names, addresses)]


def part(one):
    content = one.get_content()
    return {"type": one.get_content_type(), "text": content if isinstance(content, str) else repr(content)}


def defects(message):
    found = []
    for one in message.walk():
        found += [f"{one.get_content_type()}: {defect!r}" for defect in one.defects]
        for name, value in one.items():
            found += [f"{name}: {defect!r}" for defect in value.defects]
    return found


def foldable(line):
    """Whether there is white space after the first word of the header line's value."""
    value = line if line[:1] in b" \t" else line.partition(b":")[2]
    return len(value.split()) > 1


def original(raw):
    lines = raw.split(b"\n")
    start = 0
    while lines[start][:1] in b" \t" or lines[start].partition(b":")[0].decode("ascii", "replace").lower() in ADDED:
        start += 1
    return b"\n".join(lines[start:])


def date(message):
    try:
        return int(message["Date"].datetime.timestamp())
    except (AttributeError, TypeError, ValueError):
        return None


def read(path):
    with open(path, "rb") as file:
        raw = file.read()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    older = email.message_from_bytes(raw, policy=email.policy.compat32)
    sent = original(raw)
    head = sent.partition(b"\n\n")[0].split(b"\n")
    return {
        "headers": [[name, decoded(value)] for name, value in message.items()],
        "people": {name: people(message, older, name) for name in ("From", "To", "Cc", "Reply-To")},
        "parts": [part(one) for one in message.walk() if not one.is_multipart()],
        "defects": defects(message),
        "longest_line": max(len(line) for line in raw.split(b"\n")),
        "unfolded": [line.decode("latin-1") for line in head if len(line) > 78 and foldable(line)],
        "date": date(message),
        "original": sent.decode("latin-1"),
    }


def arrival(entry):
    return os.stat(entry).st_mtime_ns


folder = sys.argv[1]
files = sorted((os.path.join(folder, name) for name in os.listdir(folder)), key=arrival)
json.dump([read(path) for path in files], sys.stdout)
