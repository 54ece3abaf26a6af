"""What the tests of sealed workers share: pool_tool, which drives render workers through the front's pool, the one
that has been taken over (attack.cc) among them, and what it prints."""

import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "lib"),
                os.path.join(HERE, "..", "..", "src", "render")]
import harness

# Numbers of system calls and errors, for --deny.
UNSHARE, SECCOMP, LANDLOCK = 272, 317, 444
EPERM, ENOSYS = 1, 38
NOBODY = 12345  # nobody's number
# How often something is done where how a worker died may come too late: see Line.unexplained.
ATTEMPTS_TO_LEARN = 4


class Line:
    def __init__(self, text):
        fields = text.split("\t")
        self.name, self.status, self.time, self.format = fields[0], fields[1], int(fields[2]) / 1e6, fields[3]
        self.width, self.height, self.size = int(fields[4]), int(fields[5]), int(fields[6])
        self.reason = fields[7]

    @property
    def unexplained(self):
        """How the worker died was not told in time: the front asks the zygote for three seconds, and a busy machine
        may hold it off the processor for longer. It says nothing about the death, so it is looked at again."""
        return "it closed its connection" in self.reason


class Tool:
    """pool_tool and the render programs, where any user can run them."""

    def __init__(self, test):
        self.folder = harness.temp_dir(test)
        for name in ("tests/pool_tool", "tests/render_attack", "pixmilter-render", "pixmilter"):
            shutil.copy2(harness.program(name), os.path.join(self.folder, os.path.basename(name)))
        self.path = os.path.join(self.folder, "pool_tool")
        self.attack = os.path.join(self.folder, "render_attack")

    def run(self, *arguments, user=None, timeout=600):
        """Lines of results, and what was logged."""
        more = {"user": user, "group": user, "extra_groups": []} if user else {}
        # Each attempt costs a worker, which a sanitizer makes ten times as slowly.
        timeout *= 5 if harness.sanitized() else 1
        done = harness.run([self.path, *arguments], timeout=timeout, check=0, **more)
        lines = done.stdout.decode(errors="replace").splitlines()
        self.counters = [line.split("\t")[1:] for line in lines if line.startswith("counters\t")]
        return ([Line(line) for line in lines if line.count("\t") == 7], done.stderr.decode(errors="replace"))

    def attacks(self, *names, where="main", purpose="raw", options=()):
        lines, _ = self.run("--program", self.attack, *options,
                            *(f"attack:{name}:{where}:{purpose}" for name in names))
        return lines


def sample_files(folder):
    """{format: paths}: for each loader a tiny picture, an ordinary and a large one."""
    import warm_up_samples as samples
    made = {}
    kinds = {"png": ".png", "jpeg": ".jpg", "gif": ".gif", "webp": ".webp", "tiff": ".tif[compression=lzw]",
             "heif": ".heic", "avif": ".avif[effort=0]", "jxl": ".jxl[effort=3]", "jp2": ".jp2"}
    for name, suffix in kinds.items():
        for side in (64, 500, 2000):
            path = os.path.join(folder, f"{name}-{side}")
            with open(path, "wb") as file:
                file.write(samples.encode(samples.picture(side, side, 3), suffix))
            made.setdefault(name, []).append(path)
    texts = {
        "small": '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="4" height="4"/></svg>',
        "text": '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="200"><text x="20" y="120" '
                'font-size="90" font-family="sans-serif">Grüße ∑ x</text></svg>',
        # A face that the warm-up has not asked for.
        "rare": '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="200"><text x="20" y="120" '
                'font-size="90" font-family="DejaVu Sans" font-stretch="condensed" font-weight="bold" '
                'font-style="oblique">Rare</text></svg>',
    }
    for name, text in texts.items():
        path = os.path.join(folder, f"svg-{name}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        made.setdefault("svg", []).append(path)
    return made
