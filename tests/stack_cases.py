"""Every call on threads with small stacks: ``python stack_cases.py BYTES THREADS``, see test_scarce.py."""

import sys
import threading

import every_call
import numpy as np


def on_small_stack(call, size):
    """Return what a call gives on a thread of its own with so many bytes of stack."""
    given = []
    threading.stack_size(size)
    thread = threading.Thread(target=lambda: given.append(call()))
    thread.start()
    threading.stack_size(0)
    thread.join()
    return given[0]


def main():
    size, threads = map(int, sys.argv[1:])
    done = 0
    for (name, call), (_, alone) in zip(every_call.calls(threads), every_call.calls(1), strict=True):
        print(name, flush=True)  # the last one, where the process ends
        for given, expected in zip(as_tuple(on_small_stack(call, size)), as_tuple(alone()), strict=True):
            np.testing.assert_array_equal(given, expected, strict=True, err_msg=name)
        done += 1
    print(done)


def as_tuple(result):
    return result if isinstance(result, tuple) else (result,)


if __name__ == "__main__":
    main()
