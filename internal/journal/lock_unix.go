//go:build unix

package journal

import (
	"errors"
	"os"
	"syscall"
)

var errTaken = errors.New("the lock is taken")

// tryLock takes the lock of an open file or returns errTaken at once.
func tryLock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errTaken
	}
	return err
}
