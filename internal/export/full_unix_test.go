//go:build unix

package export

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallFiles is the variable that makes TestHalfWritten run with a limit to the size of files.
const smallFiles = "UNJAM_TEST_EXPORT_SMALL"

// A write that ends in the middle, as on a full disk, is an error, and leaves no half file, no half export and no commit. It is seen in
// a process of its own that may write small files only.
func TestHalfWritten(t *testing.T) {
	home := os.Getenv(smallFiles)
	if home == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestHalfWritten$", "-test.count=1")
		cmd.Env = append(os.Environ(), smallFiles+"="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 8192, Max: 8192}); err != nil {
		t.Fatal(err)
	}
	e := sample("r1")
	e.Items[2].Body = []byte(strings.Repeat(canary, 4096))
	s, err := Save(t.Context(), Config{Home: home}, e)
	if !errors.Is(err, syscall.EFBIG) || strings.Contains(err.Error(), canary) || s.Folder != "" || s.Commit != "" {
		t.Fatalf("saved in %q: %v", s.Folder, err)
	}
	var left []string
	err = filepath.WalkDir(home, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != attributesName {
			left = append(left, p)
		}
		return err
	})
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
