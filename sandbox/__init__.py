"""A pretend Canvas: its own program, in memory, for the demo and the tests.

It imitates the parts of Canvas that the tool meets and shares no code with the tool.
``docs/sandbox.md`` lists what is imitated and which Canvas source file each rule follows.
"""
