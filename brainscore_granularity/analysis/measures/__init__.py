"""The measures behind the questions: pure functions, arrays or tables in, numbers out."""
