#!/usr/bin/python3
"""Judges what `pixmilter rewrite` makes of every case of this folder with Python's email and Pillow.

Whatever out.eml says, these have to hold for a message that was changed: the parser finds no defect, every
cid the HTML names is a part, each picture opens; and undone - each new cid replaced by what it took the place
of - it is the message that came in. expect.json says more where it is there:
    tree    the content types as nested lists
    html    the HTML texts, {0} {1} standing for the Content-IDs of the images in their order
    text    words that each HTML part holds when its tags are removed
    header  fields of the message and their values, null for one that is not there
    loses   true: what came in cannot be told from what comes out
    images  for each image: type, reference (the number of a reference-N.png with its pixels), flat (one colour
            all over), filename, filename_end, name, disposition, cid, fields
"""
# tests/run: timeout=1200

import glob
import json
import os
import re
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import numpy

import harness
import judge
import pictures


def rewrite(folder, message):
    arguments = []
    if os.path.exists(os.path.join(folder, "args")):
        with open(os.path.join(folder, "args")) as file:
            arguments = file.read().splitlines()
    with open(os.path.join(folder, "policy.toml")) as file, tempfile.NamedTemporaryFile("w", suffix=".toml") as policy:
        policy.write(file.read().replace("@CASE@", folder.rstrip("/")))
        policy.flush()
        return harness.run([harness.program(), "rewrite", "-c", policy.name, *arguments], input=message, check=0).stdout


def nested_lists(tree):
    """The tree as expect.json writes it: a leaf is ["type"], but the message itself, when a leaf, too."""
    return [tree[0]] + [nested_lists(part) for part in tree[1:]]


class Cases(unittest.TestCase):
    def check(self, folder):
        with open(os.path.join(folder, "in.eml"), "rb") as file:
            given = file.read()
        if os.path.exists(os.path.join(folder, "refused")):
            return  # the walker's: nothing comes out
        out = rewrite(folder, given)
        expected_path = os.path.join(folder, "expect.json")
        expected = None
        if os.path.exists(expected_path):
            with open(expected_path) as file:
                expected = json.load(file)
        if out != given:
            complaints = judge.complaints(out)
            if expected is not None and "X-Pixmilter" in expected.get("header", {}):
                complaints.remove("X-Pixmilter is not there once")  # it says so below
            self.assertEqual(complaints, judge.defects(judge.parse(given)))
            if expected is None or not expected.get("loses"):
                judge.check_undone(self, judge.parse(given), judge.parse(out))
        elif expected is not None and "tree" in expected:
            self.fail("nothing was changed")
        if expected is not None:
            self.check_expected(folder, judge.parse(out), expected)

    def check_expected(self, folder, message, expected):
        for name, value in expected.get("header", {}).items():
            self.assertEqual(message[name], value)
        if "tree" in expected:
            wanted = expected["tree"]
            self.assertEqual(nested_lists(judge.tree(message)), [wanted] if isinstance(wanted, str) else wanted)
        images = judge.images(message)
        ids = [judge.content_id(image) for image in images]
        for part, wanted in zip(judge.html_parts(message), expected.get("html", [])):
            for number, cid in enumerate(ids):
                wanted = wanted.replace("{%d}" % number, str(cid))
            self.assertEqual(judge.html_text(part).strip(), wanted.strip())
        for part, wanted in zip(judge.html_parts(message), expected.get("text", [])):
            text = part.get_payload(decode=True).decode(part.get_content_charset())
            self.assertIn(wanted, re.sub("<[^>]*>", "", text))
        if "images" in expected:
            self.assertEqual(len(images), len(expected["images"]))
        for image, wanted in zip(images, expected.get("images", [])):
            self.assertEqual(image.get_content_type(), wanted["type"])
            got = pictures.pixels(image.get_payload(decode=True))
            if "reference" in wanted:
                with open(os.path.join(folder, f"reference-{wanted['reference']}.png"), "rb") as file:
                    reference = pictures.pixels(file.read())
                self.assertEqual(got.shape, reference.shape)
                numpy.testing.assert_array_equal(got, reference)
            if "flat" in wanted:
                self.assertEqual(numpy.unique(got.reshape(-1, got.shape[-1])[:, :3], axis=0).tolist(), [wanted["flat"]])
            if "filename" in wanted:
                self.assertEqual(image.get_filename(), wanted["filename"])
            if "filename_end" in wanted:
                self.assertTrue(image.get_filename().endswith(wanted["filename_end"]), image.get_filename())
            if "name" in wanted:
                self.assertEqual(image["Content-Type"].params.get("name"), wanted["name"])
            if "disposition" in wanted:
                self.assertEqual(image.get_content_disposition(), wanted["disposition"])
            if "cid" in wanted:
                self.assertEqual(judge.content_id(image), wanted["cid"])
            for name, value in wanted.get("fields", {}).items():
                self.assertEqual([text for field, text in image._headers if field == name], [value])


def load():
    for folder in sorted(glob.glob(os.path.join(HERE, "*", ""))):
        if os.path.exists(os.path.join(folder, "in.eml")):
            name = "test_" + os.path.basename(os.path.dirname(folder)).replace("-", "_")
            setattr(Cases, name, lambda self, folder=folder: self.check(folder))


load()
harness.main()
