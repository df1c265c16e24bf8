# SPDX-License-Identifier: MIT
"""The parts of tools/kevlar: host.py, fetch.py, image.py, machine.py, testing.py."""
