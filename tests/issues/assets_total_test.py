#!/usr/bin/python3
"""Two hundred names for one large template cost a sender nothing: a message has `[assets] max_total` bytes of assets."""

import json
import os
import resource
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness
import pictures

HEAD = "From: a@example.org\nTo: b@example.org\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/html\n\n"


class AssetsTotal(unittest.TestCase):
    def explain(self, urls, **keys):
        folder = harness.temp_dir(self)
        os.mkdir(f"{folder}/assets")
        svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><desc>%s</desc><text>{{n}}</text></svg>'
        with open(f"{folder}/assets/large.svg", "w") as file:
            file.write(svg % ("x" * (1_000_000 - len(svg))))
        with open(f"{folder}/assets/small.gif", "wb") as file:
            file.write(pictures.gif())
        with open(f"{folder}/policy.toml", "w") as file:
            file.write("\n".join(["[assets]", f'root = "{folder}/assets"', *(f'{key} = "{value}"' for key, value in keys.items()),
                                  "[defaults]", "templates = true", ""]))
        message = HEAD + "".join(f'<img src="asset:{url}">\n' for url in urls)
        done = harness.run([harness.program(), "explain", "--json", "-c", f"{folder}/policy.toml"], input=message.encode(),
                           check=0)
        return json.loads(done.stdout)["pictures"]

    def test_more_has_no_room(self):
        said = self.explain(["large.svg?n=1", "large.svg?n=2", "large.svg?n=1", "large.svg?n=3", "small.gif", "large.svg?n=2"],
                               max_total="2M")
        self.assertEqual([one["decision"] for one in said], ["convert"] * 3 + ["keep", "keep", "convert"])
        for one in said[3:5]:
            self.assertEqual((one["failed"], one["reason"]), (True, "more than [assets] max_total = 2097152"))

    def test_memory(self):
        if harness.sanitized():
            self.skipTest("sanitizers have memory of their own")
        said = self.explain([f"large.svg?n=1&other={number}" for number in range(200)])
        self.assertEqual(len([one for one in said if one["decision"] == "convert"]), 67)
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, 180_000)  # KB


if __name__ == "__main__":
    harness.main()
