from opsctl.deploy.failure_reason import find_reason

# As Compose 2.26 with the classic builder, and as BuildKit print it.
CLASSIC = """Step 2/2 : RUN dd if=/dev/zero of=/fat bs=1M count=200
 ---> Running in 0123456789ab
dd: error writing '/fat': No space left on device
355+0 records in
354+0 records out
The command '/bin/sh -c dd if=/dev/zero of=/fat' returned a non-zero code: 1
"""
BUILDKIT = """#5 [2/2] RUN dd if=/dev/zero of=/fat bs=1M count=200
#5 0.312 dd: error writing '/fat': No space left on device
#5 0.312 354+0 records in
#5 0.312 353+0 records out
#5 ERROR: process "/bin/sh -c dd" did not complete successfully: exit code: 1
------
 > [web 2/2] RUN dd if=/dev/zero of=/fat bs=1M count=200:
0.312 354+0 records in
------
failed to solve: process "/bin/sh -c dd" did not complete successfully: exit code: 1
"""


def test_the_cause_is_named_and_not_what_follows_it() -> None:
    for output in (CLASSIC, BUILDKIT):
        reason = find_reason(output.splitlines())

        assert "No space left on device" in reason
        assert "records" not in reason


def test_without_a_cause_the_last_lines_are_named() -> None:
    assert find_reason(["one", "two", "", "three", "----", "four"]) == "two | three | four"


def test_a_line_that_comes_twice_is_named_once() -> None:
    assert find_reason(["failed: x", "failed: x"]) == "failed: x"


def test_no_output_is_no_reason() -> None:
    assert find_reason([]) == ""
