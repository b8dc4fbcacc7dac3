package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if home := os.Getenv(childHome); home != "" {
		child(home)
		return
	}
	goleak.VerifyTestMain(m)
}

const canary = "canary-5f1c9e"

var (
	at     = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	people = "arn:aws:sts::111111111111:assumed-role/Admin/ada"
)

// sample is an export with every sort of item: two things with one name, two pages of a list, XML, a thing that is not there.
func sample(run string) Export {
	json := []byte(`{"pipeline":{"name":"web","fromTheFuture":{"b":1,"a":[2.50]},"secret":"` + canary + `"}}`)
	xml := []byte("<GetRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><x>" + canary + "</x></GetRoleResponse>")
	role := "arn:aws:iam::111111111111:role/service-role/web"
	item := func(kind, id, region, service, operation, request string, body []byte) Item {
		return Item{Kind: kind, ID: id, Region: region, Service: service, Operation: operation, RequestID: request, At: at, Body: body}
	}
	return Export{Run: run, Account: "111111111111", Plan: "sha256:ab", By: people, Regions: []string{"eu-west-1", "us-east-1"}, At: at, Items: []Item{
		item("pipeline", "web", "eu-west-1", "codepipeline", "GetPipeline", "req-1", json),
		item("pipeline", "web", "us-east-1", "codepipeline", "GetPipeline", "req-2", json),
		item("policies", role, "", "iam", "GetRolePolicy", "req-3", xml),
		item("policies", role, "", "iam", "GetRolePolicy", "req-4", append(xml, '\n')),
		{Kind: "connection", ID: "arn:aws:codeconnections:eu-west-1:111111111111:connection/1", Service: "codeconnections", Operation: "GetConnection", RequestID: "req-5", At: at, Absent: true},
	}}
}

func save(t testing.TB, c Config, e Export) Saved {
	t.Helper()
	s, err := Save(t.Context(), c, e)
	if err != nil || s.Trouble != "" {
		t.Fatalf("saved with error %v, trouble %q", err, s.Trouble)
	}
	return s
}

func load(t testing.TB, s Saved) map[string][]byte {
	t.Helper()
	m, err := Load(s.Folder, s.Files)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Every reply lies in a file of its own, byte for byte, at a path that says what it is; the manifest says where it came from.
func TestLayout(t *testing.T) {
	home := filepath.Join(t.TempDir(), "state", "export")
	e := sample("r1")
	s := save(t, Config{Home: home}, e)
	if s.Folder != filepath.Join(home, "111111111111", "r1") {
		t.Errorf("folder %s", s.Folder)
	}
	got := load(t, s)
	want := map[string]string{
		"pipeline/eu-west-1/web-4b5e57f6.GetPipeline.json": string(e.Items[0].Body),
		"pipeline/us-east-1/web-4b5e57f6.GetPipeline.json": string(e.Items[1].Body),
		"policies/global/web-43180fff.GetRolePolicy.xml":   string(e.Items[2].Body),
		"policies/global/web-43180fff.GetRolePolicy.2.xml": string(e.Items[3].Body),
	}
	text := got[manifestName]
	delete(got, manifestName)
	have := map[string]string{}
	for k, v := range got {
		have[k] = string(v)
	}
	if d := cmp.Diff(want, have); d != "" {
		t.Errorf("files differ (-want +have):\n%s", d)
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	files := m.Files
	m.Files = nil
	if d := cmp.Diff(manifest{Schema: "unjam/export/v1", Run: "r1", Plan: "sha256:ab", Account: "111111111111", Regions: e.Regions, By: people, At: at}, m); d != "" {
		t.Errorf("manifest differs (-want +have):\n%s", d)
	}
	if len(files) != len(e.Items) {
		t.Fatalf("%d files in the manifest, want %d", len(files), len(e.Items))
	}
	for k, f := range files {
		i := e.Items[k]
		same := f.Kind == i.Kind && f.ID == i.ID && f.Region == i.Region && f.Service == i.Service && f.Operation == i.Operation && f.RequestID == i.RequestID && f.At.Equal(at)
		if !same || f.Absent != i.Absent || f.SHA256 != s.Files[f.Path] || (f.Path == "") != i.Absent {
			t.Errorf("manifest has %+v", f)
		}
	}
}

// Nobody else can read any of it, also where a generous umask lets them, and nothing half-written is left.
func TestModes(t *testing.T) {
	home := filepath.Join(t.TempDir(), "export")
	s := save(t, Config{Home: home}, sample("r1"))
	if runtime.GOOS == "windows" { // has no such modes
		return
	}
	err := filepath.WalkDir(home, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", p, info.Mode().Perm(), want)
		}
		if strings.HasPrefix(d.Name(), ".unjam") {
			t.Errorf("%s is left", p)
		}
		if d.Name() == git.GitDirName {
			return fs.SkipDir // 0700 shuts off what is below
		}
		return nil
	})
	if err != nil || s.Commit == "" {
		t.Errorf("commit %q, %v", s.Commit, err)
	}
}

// A file that was changed, or is gone, or lies elsewhere, is not taken for what was there.
func TestLoadIsSuspicious(t *testing.T) {
	s := save(t, Config{Home: t.TempDir()}, sample("r1"))
	name := slices.Min(slices.Collect(maps.Keys(s.Files)))
	file := filepath.Join(s.Folder, filepath.FromSlash(name))
	if err := os.WriteFile(file, []byte(`{"pipeline":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(s.Folder, s.Files); err == nil || !strings.Contains(err.Error(), "was changed since it was saved") {
		t.Errorf("a changed file: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(s.Folder, s.Files); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	for _, name := range []string{"../r2/manifest.json", "/etc/passwd", ""} {
		if _, err := Load(s.Folder, map[string]string{name: ""}); err == nil {
			t.Errorf("%q is read", name)
		}
	}
}

// The files are there, whole and as the manifest says, before the commit begins; what keeps the commit from happening is told, with
// where the files are.
func TestFilesFirst(t *testing.T) {
	home := t.TempDir()
	folder := filepath.Join(home, "111111111111", "r1")
	c := Config{Home: home, Lock: func(context.Context) (func() error, error) {
		if _, err := os.Stat(filepath.Join(folder, manifestName)); err != nil {
			t.Errorf("the commit comes before the files: %v", err)
		}
		return nil, errors.New("somebody holds it")
	}}
	s, err := Save(t.Context(), c, sample("r1"))
	if err != nil || s.Commit != "" || !strings.Contains(s.Trouble, "somebody holds it") || !strings.Contains(s.Trouble, folder) {
		t.Errorf("commit %q, trouble %q, %v", s.Commit, s.Trouble, err)
	}
	load(t, s)
}

// What is committed is what has the digests: a file that somebody changes before the commit is not committed.
func TestChangedBeforeCommit(t *testing.T) {
	home := t.TempDir()
	c := Config{Home: home, Lock: func(context.Context) (func() error, error) {
		return func() error { return nil }, os.WriteFile(filepath.Join(home, "111111111111", "r1", manifestName), []byte("{}"), 0o600)
	}}
	s, err := Save(t.Context(), c, sample("r1"))
	if err != nil || s.Commit != "" || !strings.Contains(s.Trouble, "was changed while it was saved") {
		t.Errorf("commit %q, trouble %q, %v", s.Commit, s.Trouble, err)
	}
}

// A run that saves again, since it was killed before it had written down that it did, does not touch what it wrote first.
func TestAgain(t *testing.T) {
	c := Config{Home: t.TempDir()}
	first, second := save(t, c, sample("r1")), save(t, c, sample("r1"))
	if first.Folder == second.Folder || second.Folder != first.Folder+".2" || first.Commit == second.Commit {
		t.Errorf("saved in %s and %s", first.Folder, second.Folder)
	}
	load(t, first)
	load(t, second)
}

// What cannot be saved is said in one line, before the run and when it is tried, and leaves nothing behind.
func TestNowhereToSave(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Config{
		"the folder is a file":    {Home: file},
		"the folder is in a file": {Home: filepath.Join(file, "export")},
		"the account is a file":   {Home: filepath.Dir(file)},
	} {
		t.Run(name, func(t *testing.T) {
			e := sample("r1")
			if name == "the account is a file" {
				e.Account = "file"
			} else if err := Check(t.Context(), c); err == nil || !strings.Contains(err.Error(), "--home") || strings.Contains(err.Error(), "\n") {
				t.Errorf("checked: %v", err)
			}
			s, err := Save(t.Context(), c, e)
			if err == nil || !strings.Contains(err.Error(), "save export: ") || !strings.Contains(err.Error(), "--home") || strings.Contains(err.Error(), "\n") || s.Folder != "" {
				t.Errorf("saved in %q: %v", s.Folder, err)
			}
		})
	}
	home := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Save(ctx, Config{Home: home}, sample("r1")); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if left, err := os.ReadDir(filepath.Join(home, "111111111111")); err != nil || len(left) > 0 {
		t.Errorf("an interrupted export leaves %v, %v", left, err)
	}
	for err, want := range map[error]string{syscall.ENOSPC: "make room", syscall.EDQUOT: "make room", syscall.EROFS: "--home", syscall.EACCES: "--home"} {
		if got := advise(&fs.PathError{Op: "write", Path: "x", Err: err}); !strings.Contains(got.Error(), want) || !errors.Is(got, err) {
			t.Errorf("%v: %v", err, got)
		}
	}
}

// Eight runs that save into one repository at the same time: eight commits in one line, each with its own files only.
func TestTogether(t *testing.T) {
	home := t.TempDir()
	var mu sync.Mutex
	c := Config{Home: home, Lock: func(context.Context) (func() error, error) {
		mu.Lock()
		return func() error { mu.Unlock(); return nil }, nil
	}}
	var wg sync.WaitGroup
	saved := make([]Saved, 8)
	for n := range saved {
		wg.Go(func() {
			var err error
			if saved[n], err = Save(t.Context(), c, sample(fmt.Sprint("r", n))); err != nil || saved[n].Trouble != "" {
				t.Errorf("run %d: %v, %s", n, err, saved[n].Trouble)
			}
		})
	}
	wg.Wait()
	commits := history(t, home)
	if len(commits) != len(saved) {
		t.Fatalf("%d commits, want %d", len(commits), len(saved))
	}
	for _, s := range saved {
		load(t, s)
		i := slices.IndexFunc(commits, func(c *object.Commit) bool { return c.Hash.String() == s.Commit })
		if i < 0 {
			t.Fatalf("the commit of %s is not in the history", s.Folder)
		}
		if got, want := changed(t, commits[i]), len(s.Files); got != want && got != want+1 { // the first has .gitattributes
			t.Errorf("%s changes %d files, want %d", s.Commit, got, want)
		}
	}
}

// What the replies hold stays in the files: no error, no trouble, no message of a commit has it, whatever goes wrong.
func TestCanary(t *testing.T) {
	home := t.TempDir()
	s := save(t, Config{Home: home}, sample("r1"))
	told := []string{fmt.Sprint(s), message(sample("r1"))}
	for _, c := range history(t, home) {
		told = append(told, c.Message, c.Author.String())
	}
	if err := os.WriteFile(filepath.Join(home, git.GitDirName, "HEAD"), []byte(canary[:3]), 0o600); err != nil {
		t.Fatal(err)
	}
	broken, err := Save(t.Context(), Config{Home: home}, sample("r2"))
	if err != nil || broken.Trouble == "" {
		t.Errorf("a broken repository: %v, %q", err, broken.Trouble)
	}
	told = append(told, broken.Trouble, string(load(t, s)[manifestName]))
	name := slices.Min(slices.Collect(maps.Keys(s.Files)))
	s.Files[name] = "0"
	_, err = Load(s.Folder, s.Files)
	told = append(told, fmt.Sprint(err))
	for _, text := range told {
		if strings.Contains(text, canary) {
			t.Errorf("told: %s", text)
		}
	}
}

// The message tells the run, the account, the Regions and the calls, and cannot be made to tell more lines or to move a terminal.
func TestMessage(t *testing.T) {
	got := message(sample("r1"))
	for _, want := range []string{"Before run r1 in account 111111111111\n\n", "Regions: eu-west-1, us-east-1\n", "Plan: sha256:ab\n", "By: " + people + "\n",
		"codepipeline:GetPipeline web, request req-1\n", "connection/1 (does not exist), request req-5\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	e := sample("r\n1\x1b[2J")
	e.By, e.Items[0].ID = "ada\nSigned-off-by: eve <e@x>", "a\r\nb"
	s := save(t, Config{Home: t.TempDir()}, e)
	c := history(t, filepath.Dir(filepath.Dir(s.Folder)))[0]
	if strings.ContainsAny(c.Message, "\x1b\r") || strings.Contains(c.Message, "\nSigned-off-by") || bytes.ContainsAny([]byte(c.Author.Name), "\n<>") {
		t.Errorf("%q by %q", c.Message, c.Author.Name)
	}
}
