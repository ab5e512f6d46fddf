"""cheq timed beside other libraries, outputs compared first: for `cheq bench`, `cheq demo` and benchmarks/."""
