package export

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// history are the commits of the repository, the last first.
func history(t testing.TB, home string) []*object.Commit {
	t.Helper()
	r, err := git.PlainOpen(home)
	if err != nil {
		t.Fatal(err)
	}
	log, err := r.Log(&git.LogOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var all []*object.Commit
	if err := log.ForEach(func(c *object.Commit) error { all = append(all, c); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

// changed is how many files a commit changes.
func changed(t testing.TB, c *object.Commit) int {
	t.Helper()
	stats, err := c.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return len(stats)
}

// The own repository is one to Git as well: what is committed is what lies there, nothing is left to do, nothing is damaged, it has no
// remote, and the author is who ran it.
func TestOwnRepository(t *testing.T) {
	quietGit(t)
	home := filepath.Join(t.TempDir(), "export")
	if err := Check(t.Context(), Config{Home: home}); err != nil {
		t.Fatal(err)
	}
	first, second := save(t, Config{Home: home}, sample("r1")), save(t, Config{Home: home}, sample("r2"))
	for _, s := range []Saved{first, second} {
		for name, body := range load(t, s) {
			if got := run(t, home, "show", s.Commit+":111111111111/"+filepath.Base(s.Folder)+"/"+name); got != string(body) {
				t.Errorf("%s holds %q for %s", s.Commit, got, name)
			}
		}
	}
	if got := run(t, home, "status", "--porcelain"); got != "" {
		t.Errorf("left to do:\n%s", got)
	}
	run(t, home, "fsck", "--strict", "--full")
	if got := run(t, home, "log", "--format=%H %an %at %s"); got != fmt.Sprintf("%s %s %d Before run r2 in account 111111111111\n%s %s %d Before run r1 in account 111111111111\n", second.Commit, people, at.Unix(), first.Commit, people, at.Unix()) {
		t.Errorf("log:\n%s", got)
	}
	if got := run(t, home, "remote"); got != "" {
		t.Errorf("remotes: %s", got)
	}
	run(t, home, "gc", "--quiet", "--prune=now") // packs objects and references
	third := save(t, Config{Home: home}, sample("r3"))
	if got := history(t, home); len(got) != 3 || got[0].Hash.String() != third.Commit || run(t, home, "status", "--porcelain") != "" {
		t.Errorf("%d commits after gc", len(got))
	}
}

// What a person does in the repository, and an index that is torn, keep nothing from being saved and are not committed with it.
func TestOwnRepositoryIsUsed(t *testing.T) {
	quietGit(t)
	home := t.TempDir()
	c := Config{Home: home}
	save(t, c, sample("r1"))
	if err := os.WriteFile(filepath.Join(home, "notes"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, home, "add", "notes")
	second := save(t, c, sample("r2"))
	if got := run(t, home, "status", "--porcelain"); got != "A  notes\n" {
		t.Errorf("status:\n%s", got)
	}
	if got := changed(t, history(t, home)[0]); got != len(second.Files) {
		t.Errorf("%d files changed, want %d", got, len(second.Files))
	}
	if err := os.WriteFile(filepath.Join(home, git.GitDirName, "index"), []byte("DIRC torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	save(t, c, sample("r3"))
	if got := run(t, home, "status", "--porcelain"); got != "?? notes\n" {
		t.Errorf("status with a new index:\n%s", got)
	}
	run(t, home, "checkout", "--quiet", "--detach")
	fourth := save(t, c, sample("r4"))
	if got := run(t, home, "rev-parse", "HEAD"); strings.TrimSpace(got) != fourth.Commit {
		t.Errorf("HEAD %s, want %s", got, fourth.Commit)
	}
}

// A repository that is broken costs the commit and nothing else, and what is told says how to come to a new one.
func TestOwnRepositoryIsBroken(t *testing.T) {
	for name, damage := range map[string]func(dot string) error{
		"no commit":   func(dot string) error { return os.RemoveAll(filepath.Join(dot, "objects")) },
		"empty ref":   func(dot string) error { return os.Truncate(filepath.Join(dot, "refs", "heads", "main"), 0) },
		"a torn HEAD": func(dot string) error { return os.Truncate(filepath.Join(dot, "HEAD"), 3) },
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			dot := filepath.Join(home, git.GitDirName)
			save(t, Config{Home: home}, sample("r1"))
			if err := damage(dot); err != nil {
				t.Fatal(err)
			}
			s, err := Save(t.Context(), Config{Home: home}, sample("r2"))
			if err != nil || s.Commit != "" || !strings.Contains(s.Trouble, s.Folder) || !strings.Contains(s.Trouble, "move "+dot+" away") {
				t.Fatalf("commit %q, trouble %q, %v", s.Commit, s.Trouble, err)
			}
			load(t, s)
			if err := os.Rename(dot, dot+".old"); err != nil {
				t.Fatal(err)
			}
			save(t, Config{Home: home}, sample("r3"))
		})
	}
}

// childHome is the variable that makes the test binary a process that saves until it is killed.
const childHome = "UNJAM_TEST_EXPORT_HOME"

// child saves run after run and says which commit it has; it is killed from outside.
func child(home string) {
	fmt.Println("ready")
	for n := 0; ; n++ {
		s, err := Save(context.Background(), Config{Home: home}, sample(fmt.Sprintf("child-%d-%d", os.Getpid(), n)))
		if err != nil || s.Trouble != "" {
			fmt.Println("failed", err, s.Trouble)
			return
		}
		fmt.Println(s.Commit)
	}
}

// A process that is killed while it saves, at any moment, leaves a repository that works, with every commit that it had told of, and
// every manifest that lies there lists files that are whole.
func TestKilled(t *testing.T) {
	quietGit(t)
	shared := t.TempDir()
	told := []string{}
	for n := range 24 {
		home := shared
		if n%2 == 0 {
			home = t.TempDir() // killed while the repository is made
		}
		after := time.Duration(n) * 1500 * time.Microsecond
		for _, line := range kill(t, home, after) {
			if home == shared {
				told = append(told, line)
			}
		}
		save(t, Config{Home: home}, sample(fmt.Sprint("after-", n)))
		manifests(t, home)
		run(t, home, "fsck", "--full", "--no-dangling")
	}
	var have []string
	for _, c := range history(t, shared) {
		have = append(have, c.Hash.String())
	}
	for _, c := range told {
		if !slices.Contains(have, c) {
			t.Errorf("commit %s is lost", c)
		}
	}
}

// kill runs a process that saves, kills it a while after it began, and gives the commits that it told of.
func kill(t *testing.T, home string, after time.Duration) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childHome+"="+home)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Errorf("the process says %q", lines.Text())
	}
	time.Sleep(after)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var told []string
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "failed") {
			t.Errorf("the process %s", lines.Text())
		}
		if len(lines.Text()) == 40 { // else it was killed while it wrote
			told = append(told, lines.Text())
		}
	}
	_ = cmd.Wait() // killed
	return told
}

// manifests holds the files of every export that has a manifest against it.
func manifests(t *testing.T, home string) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(home, "*", "*", manifestName))
	if err != nil || len(all) == 0 {
		t.Fatalf("%d exports, %v", len(all), err)
	}
	for _, file := range all {
		files := listed(t, file)
		if _, err := Load(filepath.Dir(file), files); err != nil || len(files) == 0 {
			t.Errorf("%s lists %d files: %v", file, len(files), err)
		}
	}
}
