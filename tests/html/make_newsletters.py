#!/usr/bin/python3
"""Makes tests/html/newsletters/ from open e-mail templates in npm packages: tests/html/make_newsletters.py

Needs npm and the registry; the test needs neither. What the packages ship as source (Inky, MJML) is compiled
with their own compilers, without any change; pictures stay the URLs that they are. All packages are under
the MIT licence; LICENSES.txt holds the notices.
"""

import json
import os
import re
import subprocess
import tempfile

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "newsletters")
TEMPLATES = ["foundation-emails@2.5.1", "bootstrap-email@1.2.9"]  # unpacked alone: their tools are not needed
COMPILERS = ["inky@1.5.0", "mjml@4.18.0"]
FOUNDATION = ["basic", "drip", "hero", "marketing", "newsletter", "newsletter-2", "order", "password",
              "sidebar", "sidebar-hero", "welcome"]
BOOTSTRAP = ["integration", "lyft", "product-hunt"]
MJML = ["accordion", "carousel", "group", "hero", "image", "social", "wrapper"]
PAGE = """<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
<head>
  <meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
  <meta name="viewport" content="width=device-width" />
  <title>Title</title>
  <link rel="stylesheet" href="foundation-emails.css" />
</head>
<body>
  <table class="body" data-made-with-foundation>
    <tr>
      <td class="float-center" align="center" valign="top">
        <center>
%s
        </center>
      </td>
    </tr>
  </table>
</body>
</html>
"""
COMPILE = """
const fs = require('fs'), Inky = require('inky/lib/inky'), mjml = require('mjml');
for (const [from, to] of JSON.parse(fs.readFileSync(0))) {
  const source = fs.readFileSync(from, 'utf8');
  fs.writeFileSync(to, from.endsWith('.mjml')
    ? mjml(source).html : new Inky({}).releaseTheKraken(source, Inky.mergeCheerioOpts({})));
}
"""


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def write(name, text):
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as file:
        file.write(text.rstrip("\n") + "\n")


def sample(readme):
    """The first whole document in a component's README."""
    return re.search(r"```(?:xml|html)\n(<mjml>.*?</mjml>)", readme, re.S).group(1)


def main():
    os.makedirs(HERE, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *COMPILERS],
                       cwd=folder, check=True)
        modules = os.path.join(folder, "node_modules")
        for package in TEMPLATES:
            archive = subprocess.run(["npm", "pack", package], cwd=folder, check=True,
                                     stdout=subprocess.PIPE).stdout.decode().split()[-1]
            where = os.path.join(folder, package.split("@")[0])
            os.makedirs(where)
            subprocess.run(["tar", "-xzf", os.path.join(folder, archive), "-C", where, "--strip-components=1"],
                           check=True)
        jobs = []
        for name in FOUNDATION:
            jobs.append([os.path.join(folder, "foundation-emails", "templates", f"{name}.html"),
                         os.path.join(folder, f"foundation-{name}.html")])
        for name in MJML:
            source = os.path.join(folder, f"{name}.mjml")
            with open(source, "w", encoding="utf-8") as file:
                file.write(sample(read(modules, f"mjml-{name}", "README.md")))
            jobs.append([source, os.path.join(folder, f"mjml-{name}.html")])
        subprocess.run(["node", "-e", COMPILE], cwd=folder, input=json.dumps(jobs).encode(), check=True)
        for _, path in jobs:
            name, text = os.path.basename(path), read(path)
            write(name, PAGE % text if name.startswith("foundation-") else text)
        for name in BOOTSTRAP:
            write(f"bootstrap-{name}.html",
                  read(folder, "bootstrap-email", "examples", "output", f"{name}.html"))
        write("foundation-emails.css", read(folder, "foundation-emails", "dist", "foundation-emails.min.css"))
        notices = []
        for package, path in (("foundation-emails@2.5.1", [folder, "foundation-emails", "LICENSE.md"]),
                              ("bootstrap-email@1.2.9", [folder, "bootstrap-email", "LICENSE"]),
                              ("mjml@4.18.0", [modules, "mjml", "LICENSE.md"])):
            notices.append(f"{package} (npm), MIT\n\n{read(*path)}")
        write("LICENSES.txt", ("\n\n" + "-" * 80 + "\n\n").join(notices))


if __name__ == "__main__":
    main()
