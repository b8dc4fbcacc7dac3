package export

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// gitPatience is how long the user's own git may take, hooks and signing included.
const gitPatience = 2 * time.Minute

// commitOwn commits files in the own repository, which it makes when there is none. It has no remote.
func commitOwn(root, below string, files map[string]string, message, by string, at time.Time) (string, error) {
	r, err := git.PlainOpen(root)
	if errors.Is(err, git.ErrRepositoryNotExists) {
		r, err = git.PlainInit(root, false)
	}
	if err != nil {
		return "", fmt.Errorf("open export repository %s: %w", root, err)
	}
	w, err := r.Worktree()
	if err != nil {
		return "", fmt.Errorf("open export repository %s: %w", root, err)
	}
	for _, f := range slices.Sorted(maps.Keys(files)) {
		if err := w.AddWithOptions(&git.AddOptions{Path: path.Join(below, f), SkipStatus: true}); err != nil {
			return "", fmt.Errorf("commit export: add %s: %w", f, err)
		}
	}
	who := object.Signature{Name: by, Email: "unjam@localhost", When: at}
	h, err := w.Commit(message, &git.CommitOptions{Author: &who, Committer: &who})
	if err != nil {
		return "", fmt.Errorf("commit export: %w", err)
	}
	return h.String(), nil
}

// topOf is the top folder of the user's work tree.
func topOf(ctx context.Context, repo string) (string, error) {
	out, err := theirs(ctx, repo, "rev-parse", "--show-toplevel")
	if err != nil {
		return "", fmt.Errorf("find export repository %s: %w; --export-repo wants the folder of a Git work tree", repo, err)
	}
	return filepath.FromSlash(strings.TrimSpace(out)), nil
}

// commitTheirs commits the files of one run, and nothing else that is staged, with the user's git: their hooks, their signing, their
// name.
func commitTheirs(ctx context.Context, root, below, message string) (string, error) {
	if _, err := theirs(ctx, root, "add", "--", below); err != nil {
		return "", fmt.Errorf("commit export in %s: %w; the files are there, uncommitted", root, err)
	}
	if _, err := theirs(ctx, root, "commit", "--quiet", "--message", message, "--only", "--", below); err != nil {
		return "", fmt.Errorf("commit export in %s: %w; the files are there, uncommitted", root, err)
	}
	out, err := theirs(ctx, root, "rev-parse", "HEAD")
	if err != nil {
		return "", fmt.Errorf("commit export in %s: %w", root, err)
	}
	return strings.TrimSpace(out), nil
}

// theirs runs the user's git and gives its output; the error is the last line that it said. Another git at work in the same tree is
// waited for.
func theirs(ctx context.Context, dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, gitPatience)
	defer cancel()
	for {
		cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
		cmd.WaitDelay = time.Second
		out, err := cmd.Output()
		if err == nil {
			return string(out), nil
		}
		said := ""
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			said = strings.TrimSpace(string(exit.Stderr))
		}
		if strings.Contains(said, "index.lock") && sleep(ctx, 200*time.Millisecond) {
			continue
		}
		if said == "" {
			return "", err
		}
		lines := strings.Split(said, "\n")
		return "", fmt.Errorf("git %s: %s", args[0], strings.TrimSpace(lines[len(lines)-1]))
	}
}

// sleep reports whether it slept to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
