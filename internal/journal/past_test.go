package journal

import (
	"database/sql"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"
)

// What was about to be called is counted over all runs, from a time on, and says whether it failed.
func TestWrites(t *testing.T) {
	j := open(t, t.TempDir())
	old := create(t, j).ID
	later, err := j.Create(Run{PlanID: "sha256:2", Plan: json.RawMessage(`{}`), Account: "222222222222", By: "arn:me"})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	write := func(run, step string, at time.Time, kind Kind, data any) {
		if _, err := j.Append(Entry{Run: run, Step: step, At: at, Event: kind}, data); err != nil {
			t.Fatal(err)
		}
	}
	call := map[string]string{"service": "codepipeline", "operation": "RetryStageExecution"}
	write(old, "a", now.Add(-2*time.Hour), Intent, call)
	write(old, "b", now.Add(-time.Minute), Intent, call)
	write(old, "b", now.Add(-time.Minute), Refused, nil)
	write(later.ID, "a", now, Intent, call)
	got, err := j.Writes(now.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Run != old || !got[0].Failed || got[1].Run != later.ID || got[1].Failed || got[1].Account != "222222222222" || got[1].Operation != "codepipeline:RetryStageExecution" {
		t.Errorf("got %+v", got)
	}
	if newest, err := j.Newest(); err != nil || !newest.Equal(now) {
		t.Errorf("newest %v, %v", newest, err)
	}
	if runs, err := j.Since(time.Time{}); err != nil || len(runs) != 2 || len(runs[0].Plan) == 0 {
		t.Errorf("since: %+v, %v", runs, err)
	}
}

// A journal of the first version is completed when it is opened, and loses nothing.
func TestFirstVersion(t *testing.T) {
	home := t.TempDir()
	j, err := Open(home)
	if err != nil {
		t.Fatal(err)
	}
	run := create(t, j).ID
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(home, File))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("DROP INDEX entries_intents; PRAGMA user_version = 1"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, home)
	if _, err := j.Run(run); err != nil {
		t.Error(err)
	}
	if w, err := j.Writes(time.Time{}); err != nil || len(w) != 0 {
		t.Errorf("%v, %v", w, err)
	}
}
