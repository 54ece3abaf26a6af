#!/usr/bin/python3
"""`pixmilter check`: all mistakes at once with their places, warnings, and what postconf tells of Postfix."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness

OURS = "unix:/run/pixmilter/pixmilter.sock"
GOOD = {"smtpd_milters": OURS, "non_smtpd_milters": OURS}
MASTER = """\
smtp       inet n - y - - smtpd
submission inet n - y - - smtpd
cleanup    unix n - y - 0 cleanup
"""


class Check(unittest.TestCase):
    def setUp(self):
        self.folder = harness.temp_dir(self)

    def check(self, text, *arguments, status=0):
        path = os.path.join(self.folder, "p.toml")
        with open(path, "w") as file:
            file.write(text)
        done = harness.run([harness.program(), "check", "-c", path, *arguments], check=status)
        return done.stderr.decode().replace(path, "p.toml")

    def complaints(self, text, status=0):
        """Those lines about the file and what it names alone: what the machine lacks is said too."""
        return [line for line in self.check(text, status=status).splitlines() if line.startswith(("p.toml:", self.folder))]

    def test_all_mistakes_at_once(self):
        got = self.complaints("""\
mode = "audti"
[render]
worker = 3
loaders = ["tif"]
[[rule]]
match = { form = "*@a", ip = "10.0.0.0/33", size = ">1X", subject = 'regexp:/(/' }
on_fial = "accept"
on_fail = { timeuot = "tempfail" }
action = "reject"
reply = "4.7.1 later"
strip_metadata = "exif"
  [[rule.image]]
  match = { typ = "image/png", widht = ">1" }
  acton = "drop"
  quality = 101
""", status=78)
        expected = [
            (1, 8, "mode: one of .*enforce.* is expected"),
            (3, 1, 'render.worker: unknown key; did you mean "workers"'),
            (4, 11, "render.loaders: .*expected"),
            (6, 11, 'rule.1..match.form: unknown key; did you mean "from"'),
            (6, 30, "rule.1..match.ip: an address or a block"),
            (6, 52, "rule.1..match.size: .*expected"),
            (6, 69, "rule.1..match.subject: regexp: "),
            (7, 1, 'rule.1..on_fial: unknown key; did you mean "on_fail"'),
            (8, 13, 'rule.1..on_fail.timeuot: unknown key; did you mean "timeout"'),
            (10, 9, "rule.1..reply: a status code of class 5"),
            (11, 18, "rule.1..strip_metadata: one of"),
            (13, 13, 'rule.1..image.1..match.typ: unknown key; did you mean "type"'),
            (13, 32, 'rule.1..image.1..match.widht: unknown key; did you mean "width"'),
            (14, 3, 'rule.1..image.1..acton: unknown key; did you mean "action"'),
            (15, 13, "rule.1..image.1..quality: an integer from 1 to 100"),
        ]
        self.assertEqual(len(got), len(expected), "\n".join(got))
        for line, (row, column, text) in zip(got, expected):
            self.assertRegex(line, rf"^p\.toml:{row}:{column}: {text}")

    def test_rules_that_never_match(self):
        got = self.complaints("""\
[[rule]]
name = "a"
match = { rcpt = ["*@x.test", "*@y.test"] }
[[rule]]
name = "b"
match = { rcpt = "*@x.test", from = "joe@*" }
[[rule]]
name = "c"
match = { rcpt = "*@z.test" }
  [[rule.image]]
  match = { type = "image/*" }
  [[rule.image]]
  match = { type = "image/*", attachment = true }
  [[rule.image]]
  match = { type = "image/*", width = ">10" }
[[rule]]
name = "all"
match = { from = "*" }
[[rule]]
name = "after all"
[[rule]]
name = "others' mail"
match = { ip = "192.0.2.1" }
[[rule]]
name = "outgoing"
match = { ip = "192.0.2.2", authenticated = true }
[[rule]]
name = "never"
match = { ip = "192.0.2.3", from = "joe@x.test" }
unless = { from = ["ann@x.test", "joe@x.test"] }
""")
        self.assertEqual([re.sub(r"^p\.toml:(\d+):1: warning: ", r"\1 ", line).split(" can never")[0] for line in got],
                         ['4 rule "b"', "14 this image rule", '19 rule "after all"', '24 rule "outgoing"', '27 rule "never"'])

    def test_what_makes_no_sense(self):
        got = self.complaints("""\
[render]
memory = "1K"
[[rule]]
match = { header = { "" = "*", "X Y" = "*", "X-A:" = "*", "X-Fine" = "*" } }
unless = { header = {} }
  [[rule.image]]
  match = { source = "uri", type = "png" }
  [[rule.image]]
  match = { source = ["data", "cid"], type = ["image/png", ""] }
  resize = "force"
  [[rule.image]]
  match = { source = "x*" }
  resize = "fill"
  [[rule.image]]
  match = { source = 'regexp:/^(uri|cid)$/' }
""", status=78)
        names = '"data", "part", "svg", "asset", "file", "http"'
        media = 'a media type such as "image/png", "image/*" or "application/x-npy" is expected'
        image = "rule[1].image[{}].match."
        expected = [
            '2:10: render.memory: a size of at least "32M" is expected',
            *(f'4:{column}: rule[1].match.header: a field name such as "X-No-Images" is expected before its value' for column in (27, 40, 54)),
            '5:21: rule[1].unless.header: a table such as { "X-No-Images" = "*" } is expected',
            f"7:22: {image.format(1)}source: one of {names} is expected",
            f"7:36: {image.format(1)}type: {media}",
            f"9:31: {image.format(2)}source: one of {names} is expected",
            f"9:60: {image.format(2)}type: {media}",
            '10:12: rule[1].image[2].resize: width or height is expected beside "force"',
            f"12:22: {image.format(3)}source: one of {names} is expected",
            '13:12: rule[1].image[3].resize: width or height is expected beside "fill"',
            f"15:22: {image.format(4)}source: one of {names} is expected",
        ]
        self.assertEqual([line.removeprefix("p.toml:") for line in got], expected)

    def test_what_is_unusual_and_makes_sense(self):
        types = os.path.join(self.folder, "types.map")
        with open(types, "w") as file:
            file.write("image/png\n")
        self.assertEqual(self.complaints(f"""\
[render]
memory = "32M"
[[rule]]
match = {{ header = {{ x-images = "" }}, from = "" }}
  [[rule.image]]
  match = {{ source = ["DATA", "a*", "?vg", "regexp:/^h/", "{types}"], type = ["*", "*png", "IMAGE/?if", "regexp:/tiff/", "{types}"] }}
  resize = "fit"
  [[rule.image]]
  match = {{ type = "image/jpg" }}
  resize = "force"
  height = 40
  [[rule.image]]
  resize = "none"
"""), [])

    def test_urls_that_no_sources_name(self):
        allow = '[fetch]\nallow = ["https://charts.example/*"]\n'
        some, more = '["data", "part"]', '["data", "http"]'
        for text, warning in (
                (allow, None), (f"{allow}[[rule]]\nsources = {some}\n", None), (f"[defaults]\nsources = {some}\n", None),
                (f"{allow}[defaults]\nsources = {more}\n", None),
                (f"{allow}[defaults]\nsources = {some}\n[[rule]]\nsources = {more}\n", None),
                (f"{allow}[defaults]\nsources = {some}\n",
                 '1:1: warning: [fetch] allow lists URLs, but neither [defaults] nor a rule has "http" among its sources'),
                (f'{allow}[defaults]\nsources = {some}\n[[rule]]\naction = "skip"\nsources = {more}\n',
                 '1:1: warning: [fetch] allow lists URLs, but neither [defaults] nor a rule has "http" among its sources'),
                (f"[defaults]\nsources = {more}\n[[rule]]\n",
                 '1:1: warning: [defaults] sources name "http", but [fetch] allow lists nothing'),
                (f'\n[[rule]]\nname = "charts"\nsources = {more}\n',
                 '2:1: warning: rule "charts": its sources name "http", but [fetch] allow lists nothing')):
            with self.subTest(text=text):
                self.assertEqual(self.complaints(text), [f"p.toml:{warning}"] if warning else [])

    def test_map_files(self):
        present = os.path.join(self.folder, "present.map")
        with open(present, "w") as file:
            file.write("# partners\n*@x.test\n")
        text = '[[rule]]\nmatch = { rcpt = ["%s"] }\n' % present
        self.assertEqual(self.complaints(text), [])
        got = self.complaints(text.replace("present", "absent") + '[[rule]]\nmatch = { ip = ["/nowhere.map"] }\n')
        self.assertEqual(len(got), 2)
        self.assertRegex(got[0], r"^p.toml:1:1: warning: map file .*absent.map: No such file or directory")
        self.assertRegex(got[1], r"^p.toml:3:1: warning: map file /nowhere.map: No such file")

    def test_map_files_of_addresses(self):
        path = os.path.join(self.folder, "nets.map")
        text = f'[[rule]]\nmatch = {{ ip = "{path}" }}\n[[rule]]\nmatch = {{ ip = ["192.0.2.1", "{path}"] }}\n'
        with open(path, "w") as file:
            file.write("# ours\n10.0.0.0/8\n192.0.2.7\n\n2001:db8::/32\n198.51.100.*\n")
        self.assertEqual(self.complaints(text), [])
        with open(path, "a") as file:
            file.write("10.0.0.0/33\nmail.x.test\n")
        got = self.complaints(text)
        self.assertEqual(len(got), 1, got)
        self.assertRegex(got[0], rf'^{path}:7:1: warning: "10.0.0.0/33" is neither an address nor a block; ip in line 1 of p.toml never')
        # Names are what other conditions look for.
        self.assertEqual(self.complaints(text.replace("ip =", "rcpt =")), [])

    def test_asset_roots(self):
        there, file, locked = (os.path.join(self.folder, name) for name in ("there", "file", "locked"))
        os.makedirs(there + "/brand")
        os.makedirs(locked + "/brand", mode=0o700)
        os.chmod(locked, 0o700)
        open(file, "w").close()
        self.assertEqual(self.complaints(f'[assets]\nroot = "{there}"\n'), [])
        self.assertEqual(self.complaints(f'[assets]\nroot = "{there}"\n[[rule]]\nassets = "brand"\n'), [])
        # One that is used by nobody need not be there.
        self.assertEqual(self.complaints('[assets]\nroot = "/nowhere"\n[defaults]\nsources = ["data"]\n'), [])
        got = self.complaints('\n[assets]\nroot = "/nowhere"\n')
        self.assertEqual(len(got), 1, got)
        self.assertRegex(got[0], "^p.toml:3:1: warning: /nowhere: the asset root cannot be opened: No such file")
        got = self.complaints(f'[assets]\nroot = "{file}"\n')
        self.assertRegex("\n".join(got), "^p.toml:2:1: warning: .*Not a directory$")
        rules = f'[assets]\nroot = "{there}"\n[[rule]]\nmatch = {{ rcpt = "*@a" }}\nassets = "brands"\n' \
                f'[[rule]]\nmatch = {{ rcpt = "*@b" }}\nassets = "/nowhere"\n'
        got = self.complaints(rules)
        self.assertEqual([re.sub(r"^p\.toml:(\d+):1: warning: .*(No such).*", r"\1 \2", line) for line in got], ["3 No such", "6 No such"], got)
        # Root can read everything; who will serve cannot.
        harness.need_root()
        text = f'[assets]\nroot = "{locked}"\n[[rule]]\nmatch = {{ rcpt = "*@b" }}\nassets = "brand"\n'
        self.assertEqual(self.complaints(text), [])
        got = [line for line in self.check(text, "--user", "nobody").splitlines() if line.startswith("p.toml:")]
        self.assertEqual([line.split(": warning: ")[0] for line in got], ["p.toml:3:1", "p.toml:2:1"], got)
        self.assertTrue(all(line.endswith("Permission denied") for line in got), got)
        self.check(text, "--user", "no-such-user", status=64)
        self.check(text, "--group", "nogroup", status=64)

    # ---- check --mta -----------------------------------------------------------------------------------

    def mta(self, main, master=MASTER, policy="", status=0):
        harness.need_program("postconf")
        config = os.path.join(self.folder, "postfix")
        os.makedirs(config, exist_ok=True)
        with open(os.path.join(config, "main.cf"), "w") as file:
            file.writelines(f"{key} = {value}\n" for key, value in {"compatibility_level": "3.6", **main}.items())
        with open(os.path.join(config, "master.cf"), "w") as file:
            file.write(master)
        text = self.check(policy, "--mta", "--config-dir", config, status=status)
        return [line[9:] for line in text.splitlines() if line.startswith("postfix: ")]

    def test_a_good_postfix(self):
        self.assertEqual(self.mta(GOOD), [])
        self.assertEqual(self.mta({"queue_directory": "/q", "smtpd_milters": "unix:pixmilter/p.sock, inet:localhost:8891",
                                   "non_smtpd_milters": "$smtpd_milters"},
                                  policy='[milter]\nsocket = "unix:/q/pixmilter/p.sock"\n'), [])
        self.assertEqual(self.mta({"smtpd_milters": "inet:localhost:8025", "non_smtpd_milters": "inet:127.0.0.1:8025"},
                                  policy='[milter]\nsocket = "inet:8025@127.0.0.1"\n'), [])

    def test_what_loses_mail_is_refused(self):
        for action in ("accept", "reject", "quarantine"):
            got = self.mta({**GOOD, "milter_default_action": action}, status=78)
            self.assertRegex(got[0], f"^milter_default_action = {action}: .*tempfail")
        got = self.mta({**GOOD, "smtpd_milters": "{ %s, default_action=accept }" % OURS}, status=78)
        self.assertRegex(got[0], "default_action = accept: ")
        self.assertEqual(self.mta({**GOOD, "milter_default_action": "accept", "smtpd_milters": "{ %s, default_action=tempfail }" % OURS,
                                   "non_smtpd_milters": "{ %s, default_action=tempfail }" % OURS}), [])
        got = self.mta({**GOOD, "milter_content_timeout": "20s"}, status=78)
        self.assertRegex(got[0], "^milter_content_timeout = 20s .*deadline")
        got = self.mta(GOOD, MASTER.replace("submission inet n - y - - smtpd", "submission inet n - y - - smtpd\n  -o milter_default_action=accept"), status=78)
        self.assertRegex(got[0], "^master.cf, submission/inet: milter_default_action = accept")

    def test_what_passes_unseen_is_said(self):
        def only(got, pattern):
            self.assertEqual(len(got), 1, got)
            self.assertRegex(got[0], "^warning: " + pattern)

        only(self.mta({"smtpd_milters": OURS}), "non_smtpd_milters does not list pixmilter")
        only(self.mta({"smtpd_milters": "inet:localhost:1", "non_smtpd_milters": OURS}), "smtpd_milters does not list pixmilter")
        only(self.mta({**GOOD, "smtpd_milters": f"unix:/run/opendkim/opendkim.sock {OURS}"}), "smtpd_milters: .*opendkim.* sign")
        only(self.mta({**GOOD, "smtpd_milters": "{ inet:localhost:11332, command_timeout=5s }, " + OURS}), "smtpd_milters: inet:localhost:11332 .*sign")
        self.assertEqual(self.mta({**GOOD, "smtpd_milters": f"{OURS}, unix:/run/opendkim/opendkim.sock"}), [])
        only(self.mta({**GOOD, "milter_protocol": "3"}), "milter_protocol = 3")
        only(self.mta({**GOOD, "receive_override_options": "no_milters"}), "receive_override_options = no_milters")
        only(self.mta(GOOD, MASTER.replace("submission inet n - y - - smtpd", "submission inet n - y - - smtpd\n  -o smtpd_milters=")),
             "master.cf, submission/inet: smtpd_milters = : does not list pixmilter")
        rule = '[[rule]]\nmatch = { daemon_name = "ORIGINATING" }\n'
        only(self.mta(GOOD, policy=rule), "rule .* daemon_name")
        self.assertEqual(self.mta(GOOD, MASTER.replace("submission inet n - y - - smtpd", "submission inet n - y - - smtpd\n  -o milter_macro_daemon_name=ORIGINATING"),
                                  policy=rule), [])

    def test_mail_config_points_to_another_postfix(self):
        self.mta({**GOOD, "milter_default_action": "accept"}, status=78)
        done = harness.run([harness.program(), "check", "--mta"], check=78, env={**os.environ, "MAIL_CONFIG": self.folder + "/postfix"})
        self.assertIn(b"milter_default_action = accept", done.stderr)

    def test_no_postfix(self):
        self.check("", "--mta", "--config-dir", "/nowhere", status=78)
        self.check("", "--config-dir", "/nowhere", status=64)


harness.main()
