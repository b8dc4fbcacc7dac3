package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func open(t testing.TB, home string) *Journal {
	t.Helper()
	j, err := Open(home)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

func create(t testing.TB, j *Journal) Run {
	t.Helper()
	r, err := j.Create(Run{PlanID: "sha256:1", Plan: json.RawMessage(`{"steps":[]}`), Account: "111111111111", By: "arn:me"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func add(t testing.TB, j *Journal, run, step string, kind Kind, data any) Entry {
	t.Helper()
	e, err := j.Append(Entry{Run: run, Step: step, By: "arn:me", Event: kind}, data)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// What was written is there after closing and opening, in order, with its data and times.
func TestEntriesStay(t *testing.T) {
	home := filepath.Join(t.TempDir(), "a b%c?d#e", "state") // the path's characters must not become part of a URL
	j, err := Open(home)
	if err != nil {
		t.Fatal(err)
	}
	r, other := create(t, j), create(t, j)
	want := []Entry{add(t, j, r.ID, "", RunStarted, nil), add(t, j, r.ID, "a", Intent, map[string]string{"x": "<&>"})}
	add(t, j, other.ID, "a", Intent, nil)
	want = append(want, add(t, j, r.ID, "a", Called, Reply{RequestID: "q"}))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, home)
	got, err := j.Entries(r.ID)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("entries are\n%v, want\n%v (%v)", got, want, err)
	}
	back, err := j.Run(r.ID)
	if err != nil || fmt.Sprint(back) != fmt.Sprint(r) {
		t.Errorf("run is\n%v, want\n%v (%v)", back, r, err)
	}
	for path, mode := range map[string]os.FileMode{home: 0o700, filepath.Join(home, File): 0o600} {
		if i, err := os.Stat(path); err != nil || i.Mode().Perm() != mode {
			t.Errorf("%s has mode %v, want %v (%v)", path, i.Mode().Perm(), mode, err)
		}
	}
	if _, err := j.Append(Entry{Run: "none", Event: RunStarted}, nil); err == nil {
		t.Error("an entry of an unknown run was taken")
	}
}

// The log can only grow, and every write is synced.
func TestAppendOnly(t *testing.T) {
	j := open(t, t.TempDir())
	r := create(t, j)
	add(t, j, r.ID, "", RunStarted, nil)
	for _, q := range []string{"UPDATE entries SET event = 'x'", "DELETE FROM entries", "UPDATE runs SET by = 'x'", "DELETE FROM runs"} {
		if _, err := j.db.Exec(q); err == nil {
			t.Errorf("%s was carried out", q)
		}
	}
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var got string
		if err := j.db.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, want %s (%v)", pragma, got, want, err)
		}
	}
}

func TestRuns(t *testing.T) {
	j := open(t, t.TempDir())
	if _, err := j.Last(); !errors.Is(err, ErrNoRun) {
		t.Errorf("last of none: %v", err)
	}
	at := time.Date(2026, 11, 23, 3, 12, 0, 0, time.FixedZone("x", 3600))
	var ids []string
	for i := range 5 {
		r, err := j.Create(Run{Created: at.Add(time.Duration(i) * time.Second), Plan: json.RawMessage("{}")})
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^20261123-0212-[2-9a-z]{4}$`).MatchString(r.ID) {
			t.Errorf("run ID %q", r.ID)
		}
		ids = append([]string{r.ID}, ids...)
	}
	add(t, j, ids[1], "", RunStarted, nil)
	add(t, j, ids[2], "", RunStarted, nil)
	add(t, j, ids[2], "", RunFinished, Finish{Status: IsDone})
	add(t, j, ids[2], "late", Changed, nil)
	lock, err := j.Lock(ids[3])
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	add(t, j, ids[3], "", RunStarted, nil)
	want := []Status{Planned, WasStopped, IsDone, Running, Planned} // ids[1] started and nobody works on it
	got, err := j.List(0)
	if err != nil || len(got) != 5 {
		t.Fatalf("list: %v (%v)", got, err)
	}
	for i, l := range got {
		if l.ID != ids[i] || l.Status != want[i] {
			t.Errorf("%d: run %s is %s, want %s %s", i, l.ID, l.Status, ids[i], want[i])
		}
	}
	if got, err := j.List(2); err != nil || len(got) != 2 || got[0].ID != ids[0] {
		t.Errorf("list of two: %v (%v)", got, err)
	}
	if last, err := j.Last(); err != nil || last.ID != ids[0] {
		t.Errorf("last is %s, want %s (%v)", last.ID, ids[0], err)
	}
	if _, err := j.Run("20260101-0000-none"); !errors.Is(err, ErrNoRun) {
		t.Errorf("unknown run: %v", err)
	}
	if _, err := j.Create(Run{ID: ids[0], Plan: json.RawMessage("{}")}); err == nil {
		t.Error("a run was made twice")
	}
}

// The fold: what was called stays called, what is in doubt stays in doubt, whatever is written after it.
func TestFold(t *testing.T) {
	called, lost := Reply{RequestID: "q", Outputs: map[string]string{"id": "7"}}, Note{"reply lost"}
	tests := map[string]struct {
		kinds        []any // Kind, or the data of the one before
		status       Status
		called, open bool
	}{
		"nothing":                 {nil, Pending, false, false},
		"begun":                   {[]any{StepStarted}, Pending, false, false},
		"waits":                   {[]any{StepStarted, Waiting}, IsWaiting, false, false},
		"killed at the call":      {[]any{StepStarted, Intent}, Intended, false, true},
		"resumed after that":      {[]any{StepStarted, Intent, StepStarted}, Pending, false, true},
		"left after that":         {[]any{StepStarted, Intent, StepStarted, Stopped}, WasStopped, false, true},
		"reply lost":              {[]any{StepStarted, Intent, Doubted, lost, StepStarted, Stopped}, WasStopped, false, true},
		"did not happen":          {[]any{Intent, Doubted, lost, Decided, Decision{Happened: false}}, Pending, false, false},
		"did happen":              {[]any{Intent, Doubted, lost, Decided, Decision{Happened: true}}, IsWaiting, true, false},
		"decided without words":   {[]any{Intent, Decided}, Pending, false, false},
		"refused":                 {[]any{Intent, Refused}, Pending, false, false},
		"called":                  {[]any{Intent, Called, called}, IsWaiting, true, false},
		"called, failed, resumed": {[]any{Intent, Called, called, Failed, StepStarted}, Pending, true, false},
		"done":                    {[]any{Intent, Called, called, Waiting, Changed, Done}, IsDone, true, false},
		"of a later version":      {[]any{Waiting, Kind("something new")}, IsWaiting, false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var all []Entry
			for _, k := range tt.kinds {
				if kind, ok := k.(Kind); ok {
					all = append(all, Entry{Step: "s", Event: kind, At: time.Unix(int64(len(all)), 0), Data: json.RawMessage("{}")})
					continue
				}
				b, err := json.Marshal(k)
				if err != nil {
					t.Fatal(err)
				}
				all[len(all)-1].Data = b
			}
			got := Fold(all).Step("s")
			if got.Status != tt.status || got.Called != tt.called || got.Open != tt.open {
				t.Errorf("%s called=%t open=%t, want %s called=%t open=%t", got.Status, got.Called, got.Open, tt.status, tt.called, tt.open)
			}
			if tt.called && name != "did happen" && (got.Outputs["id"] != "7" || got.RequestID != "q") {
				t.Errorf("the reply is lost: %+v", got)
			}
		})
	}
}

// A lock is held by one at a time, and the killed process's lock is free at once.
func TestLock(t *testing.T) {
	home := t.TempDir()
	j, other := open(t, home), open(t, home)
	r := create(t, j)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "JOURNAL_TEST_HOME="+home, "JOURNAL_TEST_RUN="+r.ID)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "held\n" {
		t.Fatalf("child says %q (%v)", line, err)
	}
	_, err = j.Lock(r.ID)
	if !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), fmt.Sprintf("process %d since 20", child.Process.Pid)) {
		t.Errorf("locked twice, or the error does not say by whom: %v", err)
	}
	if !j.Held(r.ID) || j.Held("20260101-0000-none") {
		t.Error("Held is wrong about who works")
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	child.Wait() // its error is the kill
	lock, err := j.Lock(r.ID)
	if err != nil {
		t.Fatalf("a dead process keeps the lock: %v", err)
	}
	if _, err := other.Lock(r.ID); !errors.Is(err, ErrHeld) {
		t.Errorf("locked twice in one process: %v", err)
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	if j.Held(r.ID) {
		t.Error("held after Unlock")
	}
	for _, bad := range []string{"", "..", "../x", "a/b"} {
		if _, err := j.Lock(bad); err == nil {
			t.Errorf("locked %q", bad)
		}
	}
	entries, err := other.Entries(r.ID)
	if err != nil || len(entries) != 1 || entries[0].Step != "child" {
		t.Errorf("what the killed process wrote is lost: %v (%v)", entries, err)
	}
}

// TestMain is also the child of TestLock: it takes the lock, writes an entry and waits to be killed.
func TestMain(m *testing.M) {
	home, run := os.Getenv("JOURNAL_TEST_HOME"), os.Getenv("JOURNAL_TEST_RUN")
	if home == "" {
		os.Exit(m.Run())
	}
	j, err := Open(home)
	if err == nil {
		_, err = j.Lock(run)
	}
	if err == nil {
		_, err = j.Append(Entry{Run: run, Step: "child", Event: Intent}, nil)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	time.Sleep(time.Hour)
}

// Several processes may write at once; nothing is lost and the order of each stays.
func TestWritersTogether(t *testing.T) {
	home := t.TempDir()
	first := open(t, home)
	r := create(t, first)
	var all sync.WaitGroup
	for w := range 4 {
		j := open(t, home)
		all.Go(func() {
			for i := range 25 {
				if _, err := j.Append(Entry{Run: r.ID, Step: fmt.Sprint(w), Event: Changed}, Note{fmt.Sprint(i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	got, err := first.Entries(r.ID)
	if err != nil || len(got) != 100 {
		t.Fatalf("%d entries, want 100 (%v)", len(got), err)
	}
	next := map[string]int{}
	for _, e := range got {
		var n Note
		if json.Unmarshal(e.Data, &n) != nil || n.Message != fmt.Sprint(next[e.Step]) {
			t.Fatalf("writer %s: %s after %d", e.Step, n.Message, next[e.Step])
		}
		next[e.Step]++
	}
}

// Each trouble has its own error, which says what to do.
func TestTroubles(t *testing.T) {
	write := func(j *Journal, run string) error {
		_, err := j.Append(Entry{Run: run, Event: RunStarted}, Note{strings.Repeat("x", 100_000)})
		return err
	}
	t.Run("disk full", func(t *testing.T) {
		j := open(t, t.TempDir())
		r := create(t, j)
		if _, err := j.db.Exec("PRAGMA max_page_count = 20"); err != nil { // SQLite then says "full", as on a full disk
			t.Fatal(err)
		}
		if err := write(j, r.ID); !errors.Is(err, ErrFull) {
			t.Errorf("got %v", err)
		}
		if got, err := j.Entries(r.ID); err != nil || len(got) != 0 {
			t.Errorf("a half entry was left: %v (%v)", got, err)
		}
	})
	t.Run("read-only", func(t *testing.T) {
		j := open(t, t.TempDir())
		r := create(t, j)
		if _, err := j.db.Exec("PRAGMA query_only = ON"); err != nil { // SQLite then says "readonly", as on a read-only disk
			t.Fatal(err)
		}
		if err := write(j, r.ID); !errors.Is(err, ErrReadOnly) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("busy", func(t *testing.T) {
		home := t.TempDir()
		j, other := open(t, home), open(t, home)
		r := create(t, j)
		if _, err := j.db.Exec("PRAGMA busy_timeout = 50"); err != nil {
			t.Fatal(err)
		}
		tx, err := other.db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		if err := write(j, r.ID); !errors.Is(err, ErrBusy) {
			t.Errorf("got %v", err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := write(j, r.ID); err != nil {
			t.Errorf("busy for ever: %v", err)
		}
	})
	t.Run("not a journal", func(t *testing.T) {
		home := t.TempDir()
		if err := os.WriteFile(filepath.Join(home, File), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
		if j, err := Open(home); !errors.Is(err, ErrDamaged) {
			t.Errorf("got %v, %v", j, err)
		}
	})
	t.Run("damaged", func(t *testing.T) {
		home := t.TempDir()
		j, err := Open(home)
		if err != nil {
			t.Fatal(err)
		}
		r := create(t, j)
		for range 20 {
			if err := write(j, r.ID); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(home, File)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 4096 * 2; i < len(b); i++ {
			b[i] = 0xa5
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err = Open(home)
		if err == nil {
			_, err = j.Entries(r.ID)
			err = errors.Join(err, j.Close())
		}
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("home is a file", func(t *testing.T) {
		home := filepath.Join(t.TempDir(), "home")
		if err := os.WriteFile(home, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(home); err == nil || !strings.Contains(err.Error(), "make home folder") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("later version", func(t *testing.T) {
		home := t.TempDir()
		j, err := Open(home)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := j.db.Exec("PRAGMA user_version = 99"); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(home); err == nil || !strings.Contains(err.Error(), "use a newer unjam") {
			t.Errorf("got %v", err)
		}
	})
}

// BenchmarkAppend: durable entries a second, one after another.
func BenchmarkAppend(b *testing.B) {
	j := open(b, b.TempDir())
	r := create(b, j)
	for b.Loop() {
		add(b, j, r.ID, "retry-web", Intent, map[string]string{"service": "codepipeline", "operation": "RetryStageExecution"})
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkList: 10,000 runs of ten entries.
func BenchmarkList(b *testing.B) {
	j := open(b, b.TempDir())
	tx, err := j.db.Begin()
	if err != nil {
		b.Fatal(err)
	}
	for i := range 10_000 {
		id := fmt.Sprintf("20261123-%04d-%04d", i%1440, i)
		if _, err := tx.Exec("INSERT INTO runs VALUES (?, 'p', '{}', 'a', ?, 'me')", id, i); err != nil {
			b.Fatal(err)
		}
		for k := range 10 {
			step, event := "s", "waiting"
			if k == 0 || k == 9 {
				step, event = "", "run-finished"
			}
			if _, err := tx.Exec("INSERT INTO entries (run, step, at, by, event, data) VALUES (?, ?, 0, 'me', ?, '{\"status\":\"done\"}')", id, step, event); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if all, err := j.List(0); err != nil || len(all) != 10_000 || all[0].Status != IsDone {
			b.Fatal(len(all), err)
		}
	}
	if i, err := os.Stat(filepath.Join(j.home, File)); err == nil {
		b.ReportMetric(float64(i.Size())/100_000, "B/entry")
	}
}
