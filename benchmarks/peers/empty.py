"""The least that a zipapp with one option does: parse it, become the command."""

import argparse
import os

parser = argparse.ArgumentParser()
parser.add_argument("--rie-path")
parser.add_argument("command", nargs="+")
command = parser.parse_args().command
os.execvp(command[0], command)
