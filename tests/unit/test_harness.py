"""What tests read is all that was written."""

import os
from concurrent.futures import ThreadPoolExecutor

from tests.harness.process import Output

WRITERS, LINES = 4, 2_000


def test_no_line_is_lost_of_what_several_write_at_the_same_time() -> None:
    with Output() as output, ThreadPoolExecutor(WRITERS) as writers:

        def write(writer: int) -> None:
            for line in range(LINES):
                os.write(output.descriptor, b"%d %04d\n" % (writer, line))

        list(writers.map(write, range(WRITERS)))
        written = sorted(output.text().splitlines())

    assert written == [f"{writer} {line:04}" for writer in range(WRITERS) for line in range(LINES)]
