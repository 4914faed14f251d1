# SPDX-License-Identifier: Apache-2.0
"""The table of test_sdk_errors against the header: each function and code that is documented has a row, and no other."""
import subprocess
import sys

import reference


def main(test):
    functions = {name: comment for name, _, comment in reference.contracts()}
    documented = {(name, code) for name in functions for code in reference.named_errors(functions, name)}
    listed = subprocess.run([test, "--list"], capture_output=True, text=True, check=True).stdout.splitlines()
    provoked = {tuple(line.split()) for line in listed}
    for name, code in sorted(documented - provoked):
        print(f"{name} is said to return {code}; no row provokes it")
    for name, code in sorted(provoked - documented):
        print(f"{name} returns {code}, and the header does not say so")
    print(f"{len(documented)} documented, {len(provoked)} provoked")
    return 0 if documented == provoked else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
