package export

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// quietGit makes git do what the tests say and not what this machine's owner has configured.
func quietGit(t *testing.T) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	for _, name := range []string{"GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"} {
		t.Setenv(name, "") // restored later
		os.Unsetenv(name)
	}
}

func run(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, said.String())
	}
	return string(out)
}

// theirRepo is a user's repository with one commit, a remote that is not there, a file that is staged and one that is changed.
func theirRepo(t *testing.T) string {
	t.Helper()
	quietGit(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	run(t, dir, "init", "--quiet", "--initial-branch=trunk")
	run(t, dir, "config", "user.name", "Ada")
	run(t, dir, "config", "user.email", "ada@example.com")
	run(t, dir, "remote", "add", "origin", filepath.Join(dir, "nowhere"))
	put(t, filepath.Join(dir, "README"), "hello")
	put(t, filepath.Join(dir, "staged"), "1")
	run(t, dir, "add", "README", "staged")
	run(t, dir, "commit", "--quiet", "--message=first")
	put(t, filepath.Join(dir, "staged"), "2")
	run(t, dir, "add", "staged")
	put(t, filepath.Join(dir, "README"), "changed")
	return dir
}

const dirty = " M README\nM  staged\n"

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// hook installs a hook of the user.
func hook(t *testing.T, repo, name, script string) {
	t.Helper()
	file := filepath.Join(repo, ".git", "hooks", name)
	put(t, file, "#!/bin/sh\n"+script+"\n")
	if err := os.Chmod(file, 0o700); err != nil { //nolint:gosec // a hook must be executable
		t.Fatal(err)
	}
}

// listed are the files that a manifest lists, with their digests.
func listed(t *testing.T, file string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	files := map[string]string{}
	for _, f := range m.Files {
		if !f.Absent {
			files[f.Path] = f.SHA256
		}
	}
	return files
}

// The user's git commits, in the user's name and with the user's hooks, the export and nothing else of what they were at; nothing is pushed.
func TestTheirRepository(t *testing.T) {
	repo := theirRepo(t)
	hook(t, repo, "pre-commit", "git diff --cached --name-only > ../seen || exit 1")
	hook(t, repo, "commit-msg", `echo "Ticket: 42" >> "$1"`)
	hook(t, repo, "pre-push", "touch ../pushed")
	c := Config{Repo: filepath.Join(repo, ".git", ".."), Home: filepath.Join(repo, "never")}
	if err := Check(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	s := save(t, c, sample("r1"))
	if s.Folder != filepath.Join(repo, "unjam-export", "111111111111", "r1") {
		t.Errorf("folder %s", s.Folder)
	}
	for name, body := range load(t, s) {
		if got := run(t, repo, "show", s.Commit+":unjam-export/111111111111/r1/"+name); got != string(body) {
			t.Errorf("%s holds %q for %s", s.Commit, got, name)
		}
	}
	if got := run(t, repo, "log", "-1", "--format=%H %an %B"); !strings.HasPrefix(got, s.Commit+" Ada Before run r1 in account 111111111111") || !strings.Contains(got, "request req-1") || !strings.Contains(got, "Ticket: 42") {
		t.Errorf("log:\n%s", got)
	}
	if got := len(strings.Fields(run(t, repo, "show", "--format=", "--name-only", s.Commit))); got != len(s.Files)+1 {
		t.Errorf("%d files committed, want %d and .gitattributes", got, len(s.Files))
	}
	if got := run(t, repo, "status", "--porcelain"); got != dirty {
		t.Errorf("status:\n%s", got)
	}
	seen, err := os.ReadFile(filepath.Join(filepath.Dir(repo), "seen"))
	if err != nil || strings.Contains(string(seen), "staged") || !strings.Contains(string(seen), "unjam-export/") {
		t.Errorf("the hook saw %s, %v", seen, err)
	}
	for _, file := range []string{filepath.Join(filepath.Dir(repo), "pushed"), c.Home} {
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%s is there", file)
		}
	}
	save(t, c, sample("r2"))
}

// In a repository without any commit the export is the first.
func TestTheirNewRepository(t *testing.T) {
	quietGit(t)
	repo := t.TempDir()
	run(t, repo, "init", "--quiet")
	run(t, repo, "config", "user.name", "Ada")
	run(t, repo, "config", "user.email", "ada@example.com")
	s := save(t, Config{Repo: repo}, sample("r1"))
	if got := strings.TrimSpace(run(t, repo, "rev-parse", "HEAD")); got != s.Commit {
		t.Errorf("commit %s, HEAD %s", s.Commit, got)
	}
}

// A commit that the user's repository refuses is an error: one line that says why as far as it is known and where the files are, never
// what a hook printed. The files stay, and what the user had staged is as it was.
func TestTheirRefusal(t *testing.T) {
	for name, c := range map[string]struct {
		arrange func(t *testing.T, repo string)
		want    string
	}{
		"a hook": {func(t *testing.T, repo string) {
			hook(t, repo, "pre-commit", "git diff --cached; git diff --cached >&2; exit 1")
		}, "by a hook for example"},
		"a hook that rewrites": {func(t *testing.T, repo string) {
			hook(t, repo, "pre-commit", "for f in unjam-export/*/*/*/*/*.json; do echo >> $f; done")
		}, "a hook changed them"},
		"no identity": {func(t *testing.T, repo string) {
			run(t, repo, "config", "--unset", "user.email")
			run(t, repo, "config", "user.useConfigOnly", "true")
		}, "user.email"},
		"signing": {func(t *testing.T, repo string) {
			run(t, repo, "config", "commit.gpgSign", "true")
			run(t, repo, "config", "gpg.program", "false")
		}, "could not be signed"},
		"ignored": {func(t *testing.T, repo string) { put(t, filepath.Join(repo, ".git", "info", "exclude"), "unjam-*\n") }, ".gitignore"},
		"a merge": {func(t *testing.T, repo string) {
			put(t, filepath.Join(repo, ".git", "MERGE_HEAD"), run(t, repo, "rev-parse", "HEAD"))
		}, "in the middle of a merge"},
	} {
		t.Run(name, func(t *testing.T) {
			repo := theirRepo(t)
			c.arrange(t, repo)
			before := run(t, repo, "rev-parse", "HEAD")
			s, err := Save(t.Context(), Config{Repo: repo}, sample("r1"))
			if err == nil || s.Commit != "" || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "files are in "+filepath.Join(repo, "unjam-export", "111111111111", "r1")) {
				t.Fatalf("commit %q: %v", s.Commit, err)
			}
			if strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error tells too much: %v", err)
			}
			if name == "a hook that rewrites" {
				return // is in the history and in the files: that is what is told
			}
			load(t, s)
			if got := run(t, repo, "rev-parse", "HEAD"); got != before {
				t.Errorf("HEAD moved")
			}
			if got := run(t, repo, "status", "--porcelain", "--untracked-files=no"); !strings.Contains(got, "M  staged\n") || strings.Contains(got, "/r1/") {
				t.Errorf("status:\n%s", got)
			}
		})
	}
}

// What can be seen before a run begins is said then.
func TestTheirCheck(t *testing.T) {
	repo := theirRepo(t)
	bare := t.TempDir()
	run(t, bare, "init", "--quiet", "--bare")
	for name, c := range map[string]struct {
		config  Config
		arrange func()
		want    string
	}{
		"no repository": {Config{Repo: t.TempDir()}, nil, "no Git work tree"},
		"no folder":     {Config{Repo: filepath.Join(repo, "nowhere")}, nil, "no such folder"},
		"no work tree":  {Config{Repo: bare}, nil, "no work tree"},
		"ignored":       {Config{Repo: repo}, func() { put(t, filepath.Join(repo, ".gitignore"), "/unjam-export/\n") }, ".gitignore"},
		"no identity": {Config{Repo: repo}, func() {
			run(t, repo, "config", "--unset", "user.email")
			run(t, repo, "config", "user.useConfigOnly", "true")
		}, "user.email"},
		"a file":    {Config{Repo: repo}, func() { put(t, filepath.Join(repo, "unjam-export"), "") }, "not a directory"},
		"no git":    {Config{Repo: repo}, func() { t.Setenv("PATH", t.TempDir()) }, "no git on the PATH"},
		"recipient": {Config{Repo: repo, EncryptTo: []string{"age1nobody"}}, nil, "age1..."},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "no git" {
				t.Setenv("PATH", t.TempDir())
			} else if c.arrange != nil {
				repo = theirRepo(t)
				c.config.Repo = repo
				c.arrange()
			}
			err := Check(t.Context(), c.config)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("checked: %v", err)
			}
		})
	}
}

// A repository of git's environment, as in a hook, is not taken for the one that was named.
func TestTheirEnvironment(t *testing.T) {
	repo, other := theirRepo(t), t.TempDir()
	run(t, other, "init", "--quiet")
	t.Setenv("GIT_DIR", filepath.Join(other, ".git"))
	t.Setenv("GIT_INDEX_FILE", filepath.Join(other, "index"))
	s := save(t, Config{Repo: repo}, sample("r1"))
	for _, name := range []string{"GIT_DIR", "GIT_INDEX_FILE"} {
		os.Unsetenv(name)
	}
	if got := strings.TrimSpace(run(t, repo, "rev-parse", "HEAD")); got != s.Commit {
		t.Errorf("commit %s, HEAD %s", s.Commit, got)
	}
}

// Another git at work is waited for, and not forever.
func TestTheirLock(t *testing.T) {
	repo := theirRepo(t)
	lock := filepath.Join(repo, ".git", "index.lock")
	put(t, lock, "")
	freed := time.AfterFunc(time.Second, func() { os.Remove(lock) })
	defer freed.Stop()
	save(t, Config{Repo: repo}, sample("r1"))

	put(t, lock, "")
	r := theirs{top: repo, waiting: 300 * time.Millisecond}
	start := time.Now()
	_, err := r.git(t.Context(), "", "add", "--", "README")
	if err == nil || !strings.Contains(err.Error(), "index.lock") || time.Since(start) < r.waiting {
		t.Errorf("after %s: %v", time.Since(start), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := (theirs{top: repo, waiting: time.Hour}).git(ctx, "", "add", "--", "README"); err == nil {
		t.Error("a locked repository is written to")
	}
}

// Eight runs at once in the user's repository, without a lock of ours: git's own is enough.
func TestTheirsTogether(t *testing.T) {
	repo := theirRepo(t)
	commits := make(chan string)
	for n := range 8 {
		go func() {
			s, err := Save(t.Context(), Config{Repo: repo}, sample("r"+string(rune('a'+n))))
			if err != nil {
				t.Errorf("run %d: %v", n, err)
			}
			commits <- s.Commit
		}()
	}
	var all []string
	for range 8 {
		all = append(all, <-commits)
	}
	log := strings.Fields(run(t, repo, "log", "--format=%H"))
	slices.Sort(all)
	if len(slices.Compact(all)) != 8 || len(log) != 9 {
		t.Errorf("%d different commits, %d in the log", len(slices.Compact(all)), len(log))
	}
	for _, c := range all {
		if !slices.Contains(log, c) {
			t.Errorf("%s is not in the log", c)
		}
	}
}
