"""A bar for work that other processes do: what they leave on disk tells how far it is."""

import contextlib
import threading

from tqdm.auto import tqdm


@contextlib.contextmanager
def watched_bar(total, what, count, show):
    """A bar fed by `count()`, twice a second while the block runs: what workers leave on disk tells it, whatever kind
    of workers they are."""
    if not show:
        yield
        return
    finished = threading.Event()
    with tqdm(total=total, desc=what, unit="picture") as bar:

        def watch():
            while not finished.wait(0.5):
                bar.update(count() - bar.n)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
            bar.update(total - bar.n)
        finally:
            finished.set()
            watcher.join()
