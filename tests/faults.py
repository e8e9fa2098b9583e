"""A disk that fails on purpose: every storage call below a folder is counted, and the k-th one goes wrong in a chosen
way.

`FaultyDisk` stands in for the functions of `os` and for `open`, so it tests whatever writes below its folder, however
it does so. It also remembers what is durable: the content of a file as of its last fsync, the names in a folder as of
the folder's last fsync. After a power cut only that is sure to be there; of everything else a random part is.
"""

import builtins
import contextlib
import errno
import io
import os
import random
import shutil
import stat
from pathlib import Path

KINDS = (
    "kill before",
    "kill after",
    "torn write",
    "short write",
    "EIO",
    "ENOSPC",
    "ENOTCONN",
    "ETIMEDOUT",
    "EROFS",
    "power cut",
)
WRITES = ("write", "pwrite")
READING = ("read", "pread", "listdir", "fsync")


class Killed(BaseException):
    """The process is gone: nothing after it may have an effect."""


class FaultyDisk:
    """See the module.

    Args:
        folders: what lies below them is watched.
        at: number of the storage call that fails, from 0; None = none does, calls are only counted.
        kind: one of `KINDS`.
        seed: of what survives a power cut or a torn write.
    """

    def __init__(self, folders, at=None, kind=None, seed=0):
        self.folders = [str(Path(folder).resolve()) for folder in folders]
        self.at, self.kind, self.random = at, kind, random.Random(seed)
        self.calls, self.dead, self.broken = [], False, False  # names of the calls made
        self.descriptors = {}  # descriptor -> path
        self.content, self.names = {}, {}  # durable: inode -> bytes, folder -> {name: inode}
        self.vault = {}  # inode -> an open descriptor, so that no inode number is used twice
        self.real = {name: getattr(os, name) for name in OPERATIONS}
        for folder in self.folders:
            self._learn(folder)

    # What is durable --------------------------------------------------------------------------------------------------

    def _learn(self, top):
        for folder, folders, files in os.walk(top):
            self.names[folder] = {name: self._keep(Path(folder, name)) for name in files}
            self.names[folder].update(dict.fromkeys(folders))
            for name in files:
                self.content[self.names[folder][name]] = Path(folder, name).read_bytes()

    def _keep(self, path):
        descriptor = self.real["open"](path, os.O_RDONLY)
        inode = os.fstat(descriptor).st_ino
        if inode in self.vault:
            self.real["close"](descriptor)
        else:
            self.vault[inode] = descriptor
        return inode

    def _synced(self, descriptor):
        path, state = self.descriptors[descriptor], os.fstat(descriptor)
        if stat.S_ISDIR(state.st_mode):
            self.names[path] = {
                child.name: None if child.is_dir() else self._keep(child) for child in Path(path).iterdir()
            }
        else:
            inode = self._keep(f"/proc/self/fd/{descriptor}")  # by its descriptor: the name may be gone
            self.content[inode] = self.real["pread"](self.vault[inode], state.st_size, 0)

    def _cut_power(self, tops):
        """Bring the folders into a state that a power cut may leave behind."""
        now, current = {}, {}
        for top in tops:
            for folder, folders, files in os.walk(top):
                now[folder] = {name: self._keep(Path(folder, name)) for name in files} | dict.fromkeys(folders)
                for name in files:
                    current[now[folder][name]] = Path(folder, name).read_bytes()
        for inode, descriptor in self.vault.items():
            current.setdefault(inode, self.real["pread"](descriptor, os.fstat(descriptor).st_size, 0))
        for top in tops:
            self._rebuild(top, now, current)

    def _rebuild(self, top, now, current):
        names, stack = {}, [top]
        while stack:
            folder = stack.pop()
            names[folder] = self._surviving_names(self.names.get(folder, {}), now.get(folder, {}))
            stack += [os.path.join(folder, name) for name, inode in names[folder].items() if inode is None]
        shutil.rmtree(top)
        for folder, entries in names.items():
            os.makedirs(folder, exist_ok=True)
            for name, inode in entries.items():
                if inode is not None:
                    Path(folder, name).write_bytes(
                        self._surviving(self.content.get(inode, b""), current.get(inode, b""))
                    )

    def _surviving_names(self, before, after):
        """A folder's names when it was last synced and now -> what may be left: a change since then happened or not, a
        rename as one."""
        left = {}
        for name in sorted(before | after):
            versions = [table[name] for table in (before, after) if name in table]
            if len(versions) == 2 or self.random.random() < 0.5:
                left[name] = self.random.choice(versions)
        gone = {inode: name for name, inode in before.items() if inode is not None and name not in after}
        for name, inode in after.items():
            if name not in before and inode in gone:
                chosen = self.random.choice([name, gone[inode]])
                left = {other: kept for other, kept in left.items() if other not in (name, gone[inode])} | {
                    chosen: inode
                }
        return left

    def _surviving(self, durable, written):
        """What was synced stays unless it was written over; of what was written since, any part is there, with old
        bytes, zeros or nothing behind."""
        common = next(
            (at for at, (old, new) in enumerate(zip(durable, written, strict=False)) if old != new),
            min(len(durable), len(written)),
        )
        cut = self.random.choice([common, len(written), self.random.randint(common, len(written))])
        return written[:cut] + self.random.choice([b"", durable[cut:], bytes(len(written) - cut)])

    # Calls ------------------------------------------------------------------------------------------------------------

    def watches(self, target):
        """The path of a path, descriptor or folder below the watched ones, else None."""
        if isinstance(target, int):
            return self.descriptors.get(target)
        with contextlib.suppress(TypeError):
            path = os.path.abspath(os.fspath(target))
            return path if any(path == top or path.startswith(top + os.sep) for top in self.folders) else None
        return None

    def call(self, name, target, arguments, options):
        """One storage call on a watched path: counted, and gone wrong if it is its turn."""
        if self.dead:
            raise Killed
        self.calls.append(name)
        if len(self.calls) - 1 != self.at and not self.broken:
            return self._do(name, target, arguments, options)
        if self.kind == "kill before":
            self._die()
        if self.kind == "kill after":
            self._do(name, target, arguments, options)
            self._die()
        if self.kind == "power cut":
            self.folders, tops = [], self.folders  # what follows is the disk's own doing
            self._cut_power(tops)
            self.folders = tops
            self._die()
        if self.kind in ("torn write", "short write"):
            if name not in WRITES:
                return self._do(name, target, arguments, options)
            descriptor, data, *rest = arguments
            part = bytes(data)[: self.random.randint(0 if self.kind == "torn write" else 1, max(1, len(data) - 1))]
            done = self._do(name, target, (descriptor, part, *rest), options)
            if self.kind == "torn write":
                self._die()
            return done
        if self.kind == "EROFS":  # from now on nothing can be written
            self.broken = True
            if name in READING or (name == "open" and not arguments[1] & (os.O_CREAT | os.O_WRONLY | os.O_RDWR)):
                return self._do(name, target, arguments, options)
        code = getattr(errno, self.kind)
        raise OSError(code, os.strerror(code), *([] if isinstance(arguments[0], int) else [target]))

    def _die(self):
        self.dead = True
        raise Killed

    def _do(self, name, target, arguments, options):
        result = self.real[name](*arguments, **options)
        if name == "open":
            self.descriptors[result] = os.path.abspath(os.fspath(target))
        elif name in ("fsync", "fdatasync"):
            self._synced(arguments[0])
        elif name in ("replace", "rename"):
            source, new = (os.path.abspath(os.fspath(path)) for path in arguments[:2])
            self.descriptors = {number: new if path == source else path for number, path in self.descriptors.items()}
        return result

    def _wrap(self, name):
        def wrapped(*arguments, **options):
            target = self.watches(arguments[0])
            if name == "close":
                self.descriptors.pop(arguments[0], None)
                return self.real[name](*arguments, **options)
            if target is None:
                return self.real[name](*arguments, **options)
            return self.call(name, target, arguments, options)

        return wrapped

    def _open(self, file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
        if isinstance(file, int) or self.watches(file) is None:
            return REAL_OPEN(file, mode, buffering, encoding, errors, newline, closefd, opener)
        writing, plus = set(mode) & set("wax"), "+" in mode
        flags = (os.O_RDWR if plus else os.O_WRONLY) | os.O_CREAT if writing else os.O_RDWR if plus else os.O_RDONLY
        flags |= {"w": os.O_TRUNC, "a": os.O_APPEND, "x": os.O_EXCL}.get("".join(writing), 0)
        raw = _Raw(os.open(file, flags, 0o666), mode)
        if buffering == 0:
            return raw
        size = io.DEFAULT_BUFFER_SIZE
        stream = (
            io.BufferedRandom(raw, size)
            if plus
            else io.BufferedWriter(raw, size)
            if writing
            else io.BufferedReader(raw, size)
        )
        return stream if "b" in mode else io.TextIOWrapper(stream, encoding or "utf-8", errors, newline)

    @contextlib.contextmanager
    def in_place(self):
        """Take the place of `os` and `open` while the block runs; all descriptors of the killed are closed
        afterwards."""
        patched = {name: self._wrap(name) for name in OPERATIONS}
        for name, function in patched.items():
            setattr(os, name, function)
        builtins.open, io.open = self._open, self._open
        try:
            yield self
        finally:
            for name, function in self.real.items():
                setattr(os, name, function)
            builtins.open, io.open = REAL_OPEN, REAL_OPEN
            for descriptor in [*self.descriptors, *self.vault.values()]:
                with contextlib.suppress(OSError):
                    os.close(descriptor)


class _Raw(io.FileIO):
    """A file whose writes and reads are calls of `os`, so that they can be made to fail."""

    def __init__(self, descriptor, mode):
        super().__init__(descriptor, "".join(set(mode.replace("x", "w")) - set("bt")), closefd=False)

    def write(self, data):
        return os.write(self.fileno(), data)

    def readinto(self, buffer):
        data = os.read(self.fileno(), len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self):
        if not self.closed:
            descriptor = self.fileno()
            super().close()
            os.close(descriptor)


REAL_OPEN = builtins.open
OPERATIONS = (
    "open", "close", "write", "pwrite", "read", "pread", "fsync", "fdatasync", "replace", "rename", "unlink", "mkdir",
    "ftruncate", "truncate", "listdir",
)  # fmt: skip
