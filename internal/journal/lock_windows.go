package journal

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

var errTaken = errors.New("the lock is taken")

// tryLock takes the lock of an open file or returns errTaken at once. It locks one byte far behind the text, since
// Windows lets nobody read locked bytes.
func tryLock(f *os.File) error {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0,
		&windows.Overlapped{Offset: 1 << 20})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errTaken
	}
	return err
}
