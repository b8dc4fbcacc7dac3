package export

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// temporary is the name of files that are not whole yet.
const temporary = ".unjam-*"

// durable writes a file, 0600, so that it is there whole or not at all: a file beside it, synced, then renamed. The name itself is
// durable after syncFolder.
func durable(file string, body []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), temporary) // 0600
	if err != nil {
		return err
	}
	if _, err = f.Write(body); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// makeFolder makes a folder and what is missing above it, 0700, durably.
func makeFolder(dir string) error {
	switch info, err := os.Stat(dir); {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return &fs.PathError{Op: "make folder", Path: dir, Err: syscall.ENOTDIR}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := makeFolder(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) { // another process may have been quicker
		return err
	}
	return syncFolder(filepath.Dir(dir))
}

// maxAttempts bounds how often one run saves; each attempt is one resume of a run that did not get past its export.
const maxAttempts = 1000

// newFolder makes a folder that was not there: the name, or the name with a number. What an earlier attempt wrote is left alone.
func newFolder(parent, name string) (string, error) {
	if err := makeFolder(parent); err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		dir := filepath.Join(parent, name)
		if n > 1 {
			dir = fmt.Sprintf("%s.%d", dir, n)
		}
		err := os.Mkdir(dir, 0o700)
		if errors.Is(err, fs.ErrExist) && n < maxAttempts {
			continue
		}
		if err != nil {
			return "", err
		}
		return dir, syncFolder(parent)
	}
}

// syncFolder makes the names in a folder durable. Systems that cannot sync a folder say so, and have nothing to sync.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil // may be written and not listed
	}
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrInvalid) || errors.Is(err, fs.ErrPermission) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

// writable reports why nothing could be saved in a folder, which it makes when it is missing.
func writable(dir string) error {
	err := makeFolder(dir)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, temporary); err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
	}
	if err != nil {
		return fmt.Errorf("check export folder: %w", advise(err))
	}
	return nil
}

// advise adds what to do to an error of the file system.
func advise(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w; make room, then resume", err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w; choose another home with --home, or a repository with --export-repo", err)
	}
	return err
}
