package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Lock is the right to work on a run. The operating system takes it back when the process ends, however it ends.
type Lock struct{ f *os.File }

// Lock takes a run for this process; ErrHeld when another one (or another part of this one) has it.
func (j *Journal) Lock(run string) (*Lock, error) {
	f, err := j.lockFile(run)
	if err != nil {
		return nil, fmt.Errorf("lock run %s: %w", run, err)
	}
	if err := tryLock(f); err != nil {
		holder := holder(f)
		if closed := f.Close(); !errors.Is(err, errTaken) {
			return nil, errors.Join(fmt.Errorf("lock run %s: %w", run, err), closed)
		}
		return nil, fmt.Errorf("lock run %s: %w%s", run, ErrHeld, holder)
	}
	// Who holds it is a courtesy for messages: the lock is the operating system's.
	note := fmt.Sprintf("process %d since %s\n", os.Getpid(), time.Now().UTC().Format(time.RFC3339))
	if err := errors.Join(f.Truncate(0), writeAt(f, note)); err != nil {
		return nil, errors.Join(fmt.Errorf("lock run %s: %w", run, err), f.Close())
	}
	return &Lock{f}, nil
}

// Unlock gives the run back.
func (l *Lock) Unlock() error {
	if err := l.f.Close(); err != nil {
		return fmt.Errorf("unlock run: %w", err)
	}
	return nil
}

// Held reports whether a process is working on the run now.
func (j *Journal) Held(run string) bool {
	f, err := os.OpenFile(j.lockPath(run), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(tryLock(f), errTaken)
}

func (j *Journal) lockPath(run string) string { return filepath.Join(j.home, "locks", run) }

func (j *Journal) lockFile(run string) (*os.File, error) {
	if run == "" || run != filepath.Base(run) || strings.HasPrefix(run, ".") {
		return nil, fmt.Errorf("%q is not a run ID", run)
	}
	if err := os.MkdirAll(filepath.Join(j.home, "locks"), 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(j.lockPath(run), os.O_RDWR|os.O_CREATE, 0o600)
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

// holder is who wrote the lock file, in brackets, or "".
func holder(f *os.File) string {
	b := make([]byte, 200)
	n, err := f.ReadAt(b, 0)
	if n == 0 && err != nil {
		return ""
	}
	return " (" + strings.TrimSpace(string(b[:n])) + ")"
}
