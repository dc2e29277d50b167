"""`python -m brainscore_granularity.cli`, for programs such as torchrun that start modules."""

from .main import main

if __name__ == "__main__":
    main()
