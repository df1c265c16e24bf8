# SPDX-License-Identifier: MIT
"""Runs one module of Python's own test suite and prints a line "@@ OUTCOME TEST" for each of its tests."""
import faulthandler
import os
import socket
import sys
import unittest

from test import support


class Result(unittest.TestResult):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.outcomes = {}

    def startTest(self, test):
        super().startTest(test)
        print(f"# {test.id()}", file=sys.__stdout__, flush=True)
        self.outcomes.setdefault(test.id(), "ok")

    def note(self, test, outcome, details=None):
        self.outcomes[test.id()] = outcome
        if details:
            print("#", self._exc_info_to_string(details, test).replace("\n", "\n# "), file=sys.__stdout__, flush=True)

    def addError(self, test, err):
        self.note(test, "error", err)

    def addFailure(self, test, err):
        self.note(test, "failure", err)

    def addSkip(self, test, reason):
        self.note(test, "skipped")

    def addExpectedFailure(self, test, err):
        pass

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.note(test, "failure", err)


def main():
    support.verbose = 0
    support.use_resources = ["network"] if sys.argv[1] == "test_socketserver" else []
    # As regrtest --timeout=4800 sets them: an emulated machine is slow.
    support.LOOPBACK_TIMEOUT, support.SHORT_TIMEOUT, support.LONG_TIMEOUT = 40, 120, 1200
    faulthandler.enable()
    os.chdir("/tmp")
    if hasattr(socket, "IPPROTO_UDPLITE"):
        del socket.IPPROTO_UDPLITE  # newer Linuxes do not have it either; then its tests are skipped
    __import__(f"test.{sys.argv[1]}")
    module = sys.modules[f"test.{sys.argv[1]}"]
    result = Result()
    unittest.defaultTestLoader.loadTestsFromModule(module).run(result)
    print()
    for name, outcome in result.outcomes.items():
        print(f"@@ {outcome} {name}")
    print("@@ done", flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
