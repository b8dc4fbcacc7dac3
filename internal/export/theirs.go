package export

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// gitPatience is how long one call of the user's git may take, hooks and signing included: a passphrase has to be typed in that time.
	gitPatience = 2 * time.Minute
	// lockPatience is how long another git at work in the same repository is waited for.
	lockPatience = 30 * time.Second
	// commitTries is how often a commit begins anew because another git dropped what had been staged for it.
	commitTries = 10
	// theirFolder is where exports lie in the user's own work tree.
	theirFolder = "unjam-export"
)

// errForgotten is that another git, which had read the index before and wrote it after, dropped what was staged in between: git commit
// locks the index only after it has read it.
var errForgotten = errors.New("another git at work in it keeps taking the files out of its index; try again")

// theirs is the user's own repository. Their git works on it: their hooks, their signing, their name.
type theirs struct {
	top     string        // of the work tree
	waiting time.Duration // for another git
}

// openTheirs finds the work tree that a folder is in.
func openTheirs(ctx context.Context, repo string) (theirs, error) {
	r := theirs{top: repo, waiting: lockPatience}
	out, err := r.git(ctx, "", "rev-parse", "--show-toplevel")
	if err != nil {
		return r, fmt.Errorf("open export repository %s: %w", repo, err)
	}
	r.top = filepath.FromSlash(strings.TrimRight(out, "\r\n"))
	return r, nil
}

func (r theirs) root() string { return filepath.Join(r.top, theirFolder) }

// ready reports what would keep git from committing an export, as far as that shows before there is one.
func (r theirs) ready(ctx context.Context) error {
	if _, err := r.git(ctx, "", "var", "GIT_COMMITTER_IDENT"); err != nil {
		return fmt.Errorf("check export repository %s: %w", r.top, err)
	}
	if _, err := r.git(ctx, "", "check-ignore", "--quiet", "--", theirFolder+"/"+manifestName); err == nil {
		return fmt.Errorf("check export repository %s: %s", r.top, ignored)
	}
	return nil
}

// commit commits the files of one run, and nothing else that is staged or changed. When it is refused, nothing of them stays staged.
func (r theirs) commit(ctx context.Context, s Saved, message string) (string, error) {
	failed := func(err error) (string, error) {
		return "", fmt.Errorf("commit export in %s: %w; the files are in %s, uncommitted", r.top, err, s.Folder)
	}
	below, err := filepath.Rel(r.root(), s.Folder)
	if err != nil {
		return failed(err)
	}
	ours := []string{path.Join(theirFolder, filepath.ToSlash(below)), path.Join(theirFolder, attributesName)}
	for try := 1; ; try++ {
		if err = r.only(ctx, ours, message); err == nil {
			break
		}
		if !errors.Is(err, errForgotten) || try == commitTries {
			return failed(err)
		}
	}
	if _, err := Load(s.Folder, s.Files); err != nil {
		return failed(fmt.Errorf("a hook changed them: %w", err))
	}
	out, err := r.git(ctx, "", "rev-list", "--max-count=1", "HEAD", "--", ours[0])
	if err != nil {
		return failed(err)
	}
	if out = strings.TrimSpace(out); out == "" {
		return failed(errors.New("git says that it worked, and there is no commit"))
	}
	return out, nil
}

// only adds files and commits them alone; when that is refused, they do not stay staged.
func (r theirs) only(ctx context.Context, files []string, message string) error {
	if _, err := r.git(ctx, "", append([]string{"add", "--"}, files...)...); err != nil {
		return err
	}
	_, err := r.git(ctx, message, append([]string{"commit", "--quiet", "--file=-", "--only", "--"}, files...)...)
	if err == nil || errors.Is(err, errForgotten) {
		return err
	}
	if _, e := r.git(context.WithoutCancel(ctx), "", "rm", "--cached", "--quiet", "-r", "--", files[0]); e != nil {
		return fmt.Errorf("%w; and they stay staged", err)
	}
	return err
}

// git runs the user's git and gives its output. Another git at work in the same repository is waited for. What git or a hook prints never
// becomes part of an error: hooks that look for secrets print what they find.
func (r theirs) git(ctx context.Context, input string, args ...string) (string, error) {
	for end := time.Now().Add(r.waiting); ; {
		out, said, err := r.once(ctx, input, args)
		switch {
		case err == nil:
			return out, nil
		case errors.Is(err, exec.ErrNotFound):
			return "", errors.New("there is no git on the PATH; --export-repo needs it")
		case ctx.Err() != nil:
			return "", fmt.Errorf("git %s: %w", args[0], ctx.Err())
		case errors.Is(err, context.DeadlineExceeded):
			return "", fmt.Errorf("git %s took longer than %s", args[0], gitPatience)
		case locked(said) && time.Now().Before(end) && sleep(ctx, 200*time.Millisecond):
			continue
		}
		if strings.Contains(said, "did not match any file(s) known to git") {
			return "", errForgotten
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			return "", fmt.Errorf("git %s: %w", args[0], err)
		}
		return "", errors.New(refusal(args[0], said))
	}
}

// once runs git once.
func (r theirs) once(ctx context.Context, input string, args []string) (out, said string, err error) {
	ctx, cancel := context.WithTimeout(ctx, gitPatience)
	defer cancel()
	var stdout, stderr strings.Builder
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", r.top}, args...)...)
	cmd.Env = environment()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	cmd.WaitDelay = 5 * time.Second
	cmd.Cancel = func() error { // a git that is asked to stop takes its locks away
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			return cmd.Process.Kill()
		}
		return nil
	}
	err = cmd.Run()
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return stdout.String(), stderr.String(), err
}

// environment is this process's own, in English, without what ties git to another repository: unjam may run in a hook itself
// (git rev-parse --local-env-vars).
func environment() []string {
	local := []string{
		"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_DIR", "GIT_COMMON_DIR", "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE",
		"GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE", "LC_ALL", "LANGUAGE",
	}
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(local, name)
	})
	return append(env, "LC_ALL=C")
}

// locked reports whether git gave up because another git has a lock.
func locked(said string) bool {
	return strings.Contains(said, ".lock': File exists") || strings.Contains(said, "cannot lock ref")
}

const ignored = "its .gitignore ignores " + theirFolder + "; take it out there, or add a line !" + theirFolder

// refusal says in our own words why git failed, as far as what it said is known.
func refusal(verb, said string) string {
	for _, k := range []struct{ said, means string }{
		{"not a git repository", "it is no Git work tree; --export-repo wants the folder of one"},
		{"must be run in a work tree", "it has no work tree; --export-repo wants the folder of one"},
		{"cannot change to", "there is no such folder; --export-repo wants the folder of a Git work tree"},
		{"dubious ownership", "it belongs to another user, and git refuses it; see git config --global --add safe.directory"},
		{".lock': File exists", "another git is at work in it; if there is none, delete the file index.lock in its .git folder"},
		{"cannot lock ref", "another git is at work in it; try again"},
		{"tell me who you are", "git does not know who you are; set user.name and user.email with git config"},
		{"empty ident", "git does not know who you are; set user.name and user.email with git config"},
		{"no email was given", "git does not know who you are; set user.name and user.email with git config"},
		{"no name was given", "git does not know who you are; set user.name and user.email with git config"},
		{"ignored by one of your .gitignore", ignored},
		{"partial commit during", "it is in the middle of a merge or a cherry-pick; finish that first"},
		{"failed to sign", "the commit could not be signed; try git commit there by hand"},
		{"No space left on device", "the disk is full; make room, then resume"},
		{"Read-only file system", "it cannot be written"},
		{"Permission denied", "it cannot be written, or a hook cannot be run"},
	} {
		if strings.Contains(said, k.said) {
			return k.means
		}
	}
	if verb == "commit" {
		return "git commit was refused, by a hook for example; commit the files by hand to see what it says"
	}
	return "git " + verb + " failed; run it there by hand to see what it says"
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
