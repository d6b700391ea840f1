"""The terminal: parse, call, show. The only home of click and rich."""

import gc

# A command begins, click first: looking for garbage among modules that are just being loaded finds
# none, and takes 2 ms.
gc.set_threshold(50_000, 20, 20)
